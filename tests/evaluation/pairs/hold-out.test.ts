import { expect, test } from 'vitest';
import { positionsOf } from '../../../src/evaluation/pairs/file-order.ts';
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
  const { train, test } = holdOutFull({ userItems: whole }, 1);
  expect(lengths(test.indptr)).toEqual(
    Array.from({ length: 48 }, (_, u) => (u % 12 < 5 ? 0 : Math.round(0.2 * (u % 12)))),
  );
  const cells = ({ indptr, indices }: typeof whole) =>
    lengths(indptr).flatMap((length, r) =>
      Array.from({ length }, (_, n) => `${r} ${indices[indptr[r]! + n]}`),
    );
  expect([...cells(train.userItems), ...cells(test)].sort()).toEqual(cells(whole).sort());
});

test('sampled: one of everybody with two, and negatives that the user never had', () => {
  const whole = matrix(48);
  const { train, cases } = holdOutSampled({ userItems: whole }, 1);
  expect(cases.user.length).toBe(40);
  expect(train.userItems.indices.length).toBe(whole.indices.length - 40);
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
  const { cases } = holdOutSampled({ userItems: whole }, 1);
  expect(cases.user.length).toBe(mostJudgedUsers.sampled);
  expect(holdOutSampled({ userItems: whole }, 1).cases).toEqual(cases);
  expect(holdOutSampled({ userItems: whole }, 2).cases.user).not.toEqual(cases.user);
});

test('without anybody who has enough there is nothing to hold out', () => {
  expect(() => holdOutFull({ userItems: matrix(4) }, 1)).toThrow(/no user has 5 items/);
});

test('where the data have an order, the last of each user is held out', () => {
  // User 0 has the items 4, 2, 7, 1, 3 in this order; a fifth is one.
  const pairs = { user: new Int32Array(5), item: Int32Array.of(4, 2, 7, 1, 3) };
  const userItems = pairMatrix(pairs, 1, 8);
  const position = positionsOf(pairs, userItems, ['0', '1', '2', '3', '4', '5', '6', '7']);
  // Entries by item: 1, 2, 3, 4, 7.
  expect(position).toEqual(Int32Array.of(3, 1, 4, 0, 2));
  const { train, test } = holdOutFull({ userItems, position }, 1);
  expect([...test.indices]).toEqual([3]);
  expect(train.position).toEqual(Int32Array.of(3, 1, 0, 2));
  // What is held out next is the next to last.
  expect([
    ...holdOutFull(
      {
        ...train,
        userItems: pairMatrix({ user: new Int32Array(5), item: Int32Array.of(1, 2, 4, 5, 7) }, 1, 8),
        position: Int32Array.of(3, 1, 0, -1, 2),
      },
      1,
    ).test.indices,
  ]).toEqual([1]);
});

test('lists that are sorted by id, as numbers or as text, have no order of their own', () => {
  const pairs = { user: new Int32Array(5), item: Int32Array.of(0, 1, 2, 3, 4) };
  const userItems = pairMatrix(pairs, 1, 5);
  expect(positionsOf(pairs, userItems, ['1', '2', '9', '10', '11'])).toBeUndefined();
  expect(positionsOf(pairs, userItems, ['a1', 'a10', 'a11', 'a2', 'a9'])).toBeUndefined();
  expect(positionsOf(pairs, userItems, ['b', 'a', 'c', 'd', 'e'])).toEqual(Int32Array.of(0, 1, 2, 3, 4));
});
