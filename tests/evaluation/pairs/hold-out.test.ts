import { expect, test } from 'vitest';
import { holdOutFull, holdOutSampled, mostJudgedUsers } from '../../../src/evaluation/pairs/hold-out.ts';
import { pairMatrix } from '../../../src/evaluation/pairs/pair-files.ts';

/** User u has u % 12 items, from u onwards. */
function matrix(users: number) {
  const user: number[] = [];
  const item: number[] = [];
  for (let u = 0; u < users; u++)
    for (let n = 0; n < u % 12; n++) {
      user.push(u);
      item.push((u + 7 * n) % 200);
    }
  return pairMatrix({ user: Int32Array.from(user), item: Int32Array.from(item) }, users, 200);
}

const lengths = (indptr: Int32Array) => Array.from(indptr.subarray(1), (end, r) => end - indptr[r]!);

test('full: a fifth of those who have five, no pair lost or doubled', () => {
  const whole = matrix(48);
  const { train, test } = holdOutFull(whole, 1);
  expect(lengths(test.indptr)).toEqual(
    Array.from({ length: 48 }, (_, u) => (u % 12 < 5 ? 0 : Math.round(0.2 * (u % 12)))),
  );
  const cells = ({ indptr, indices }: typeof whole) =>
    lengths(indptr).flatMap((length, r) =>
      Array.from({ length }, (_, n) => `${r} ${indices[indptr[r]! + n]}`),
    );
  expect([...cells(train), ...cells(test)].sort()).toEqual(cells(whole).sort());
});

test('sampled: one of everybody with two, and negatives that the user never had', () => {
  const whole = matrix(48);
  const { train, cases } = holdOutSampled(whole, 1);
  expect(cases.user.length).toBe(40);
  expect(train.indices.length).toBe(whole.indices.length - 40);
  for (const [n, user] of cases.user.entries()) {
    const own = new Set(whole.indices.subarray(whole.indptr[user]!, whole.indptr[user + 1]!));
    expect(own.has(cases.item[n]!)).toBe(true);
    expect([...cases.negatives.subarray(cases.start[n]!, cases.start[n + 1]!)].some((i) => own.has(i))).toBe(
      false,
    );
  }
});

test('no more users are judged than a figure needs, and the seed says which', () => {
  const whole = matrix(mostJudgedUsers.sampled * 2);
  const { cases } = holdOutSampled(whole, 1);
  expect(cases.user.length).toBe(mostJudgedUsers.sampled);
  expect(holdOutSampled(whole, 1).cases).toEqual(cases);
  expect(holdOutSampled(whole, 2).cases.user).not.toEqual(cases.user);
});

test('without anybody who has enough there is nothing to hold out', () => {
  expect(() => holdOutFull(matrix(4), 1)).toThrow(/no user has 5 items/);
});
