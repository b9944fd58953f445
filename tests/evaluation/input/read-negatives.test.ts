import { expect, test } from 'vitest';
import { readSampled } from '../../../src/evaluation/pairs/pair-files.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();
const train = await write('train', '0\t5\n1\t5\n1\t6\n');
const testFile = await write('test', '0\t25\t5\t978824351\n1\t7\t3\t978300174\n');

test('each test pair gets its line, without its own item; all of them are in the catalogue', async () => {
  const negatives = await write('negatives', '(1,7)\t5\t7\t8\n(0,25)\t6\t9\n');
  const {
    data: { userItems },
    cases,
  } = await readSampled(train, testFile, negatives, 1);
  // Items in the order in which they are met: 5, 6 in training, 25, 7 in the test, 8, 9 among the negatives.
  expect([userItems.rows, userItems.cols]).toEqual([2, 6]);
  expect(cases).toEqual({
    user: Int32Array.of(0, 1),
    item: Int32Array.of(2, 3),
    start: Int32Array.of(0, 2, 4),
    negatives: Int32Array.of(1, 5, 0, 4),
  });
});

test('a line of another shape and a pair without a line are refused', async () => {
  const wrong = await write('wrong', '(0,25)\t6\n1 7 5\n');
  await expect(readSampled(train, testFile, wrong, 1)).rejects.toThrow(
    /wrong, line 2: "1 7 5" is not of the form/,
  );
  const short = await write('short', '(0,25)\t6\n');
  await expect(readSampled(train, testFile, short, 1)).rejects.toThrow(
    /has no line for the test pair \(1,7\)/,
  );
});

test('files of different data sets are told apart', async () => {
  const other = await write('other', 'x\t5\ny\t6\n');
  await expect(readSampled(train, other, undefined, 1)).rejects.toThrow(/No user of .*other is in .*train/);
});

test('without a file negatives are drawn: new to the user, different, the same for the same seed', async () => {
  const rows = Array.from({ length: 150 }, (_, i) => `0\t${i}\n1\t${i + 100}\n`).join('');
  const large = await write('large', rows);
  const {
    data: { userItems },
    cases,
  } = await readSampled(large, testFile, undefined, 3);
  expect(cases.start).toEqual(Int32Array.of(0, 99, 198));
  for (const [n, user] of cases.user.entries()) {
    const own = new Set(userItems.indices.subarray(userItems.indptr[user]!, userItems.indptr[user + 1]!));
    const drawn = [...cases.negatives.subarray(cases.start[n]!, cases.start[n + 1]!)];
    expect(new Set(drawn).size).toBe(99);
    expect(drawn.filter((item) => own.has(item) || item === cases.item[n])).toEqual([]);
  }
  expect((await readSampled(large, testFile, undefined, 3)).cases).toEqual(cases);
  expect((await readSampled(large, testFile, undefined, 4)).cases).not.toEqual(cases);
});
