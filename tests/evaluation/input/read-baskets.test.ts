import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readBasketFiles, readBasketLog } from '../../../src/evaluation/input/read-baskets.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();

test('markers and empty baskets are dropped, an item counts once a basket, ids are strings', async () => {
  const history = await write(
    'h.json',
    '{"a": [[-1], [7, 8, 7], [], ["x,]"], [-1]],\n"b": [[8]], "c": [[-1], [-1]]}',
  );
  const future = await write('f.json', '{"b": [[-1], [9, 7], [-1]], "d": [[8]], "a": [[-1]]}');
  const { history: log, truth, users, items } = await readBasketFiles(history, future);
  expect(users.ids).toEqual(['a', 'b', 'c', 'd']);
  expect(items.ids).toEqual(['7', '8', 'x,]', '9']);
  expect(log.userBaskets).toEqual(Int32Array.of(0, 2, 3, 3, 3));
  expect(log.basketItems).toEqual(Int32Array.of(0, 2, 3, 4));
  expect(log.item).toEqual(Int32Array.of(0, 1, 2, 1));
  expect([log.users, log.items]).toEqual([4, 4]);
  // a's next basket is empty: there is nothing to foretell.
  expect(truth).toEqual({
    user: Int32Array.of(1, 3),
    start: Int32Array.of(0, 2, 3),
    items: Int32Array.of(3, 0, 1),
  });
});

test('gzip is told by content, and pieces may end within a token', async () => {
  const users = Array.from({ length: 30_000 }, (_, u) => `"customer-${u}":[[${u}, ${u + 1}],["i${u}"]]`);
  const path = await write('large.json', gzipSync(`{${users.join(',\n')}}`));
  const log = await readBasketLog(path);
  expect([log.users, log.items, log.item.length]).toEqual([30_000, 60_001, 90_000]);
});

test.each([
  ['[[1]]', /line 1: "\[" is not expected there; \{"user": \[\[item, item\], \[item\]\], …\} is expected/],
  ['{"a": [[1]],\n"b": [2]}', /line 2: "2" is not expected/],
  ['{"a": [[1, null]]}', /line 1: "null" is not expected/],
  ['{"a": [[1], [2', /ends in the middle of its JSON/],
  ['{"a": [[1]], "a": [[2]]}', /two entries of user a; put all of a user's baskets into one list/],
  ['{"a": [[-1]]}', /has no basket with an item in it/],
  ['', /ends in the middle/],
])('%j is refused with its place and its cure', async (text, message) => {
  await expect(readBasketLog(await write('wrong.json', text))).rejects.toThrow(message);
});

test('a missing file is a message, not a stack', async () => {
  await expect(readBasketLog('/nowhere.json')).rejects.toThrow(
    '/nowhere.json cannot be read: there is no such file.',
  );
});
