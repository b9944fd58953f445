import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { IdIndex } from '../../../src/evaluation/input/id-index.ts';
import { readPairs } from '../../../src/evaluation/input/read-pairs.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();

async function pairsOf(content: string | Uint8Array): Promise<string[]> {
  const users = new IdIndex();
  const items = new IdIndex();
  const { user, item } = await readPairs(await write('pairs', content), users, items);
  return Array.from(user, (u, n) => `${users.ids[u]}:${items.ids[item[n]!]}`);
}

const expected = ['u1:10', 'u1:11', 'u2:10'];

test.each([
  ['tabs', 'u1\t10\nu1\t11\nu2\t10\n'],
  ['commas, the last line without its end', 'u1,10\nu1,11\nu2,10'],
  ['spaces', 'u1 10\nu1 11\nu2 10\n'],
  [
    'double colons, with ratings and times',
    'u1::10::5::978300760\nu1::11::3::978302109\nu2::10::4::978301968\n',
  ],
  ['carriage returns and blank lines', 'u1\t10\r\n\r\nu1\t11\r\nu2\t10\r\n'],
  ['carriage returns alone', 'u1\t10\ru1\t11\r\ru2\t10\r'],
  ['quotes, blanks and a byte order mark', '\ufeff"user_id","item_id"\n"u1", "10"\n"u1","11"\n"u2","10"\n'],
  ['a header as RecBole writes it', 'user_id:token\titem_id:token\nu1\t10\nu1\t11\nu2\t10\n'],
  ['columns named in another order', 'rating,movieId,userId\n5,10,u1\n4,11,u1\n3,10,u2\n'],
  ['columns with spaces, with ratings', 'u1 10 5 1\nu1 11 3 2\nu2 10 4 3\n'],
  ['a list a user', 'u1 10 11\nu2 10\nu3\n'],
  ['a list a user with tabs', 'u1\t10\t11\nu2\t10\n'],
  ['gzip, told by content', gzipSync('u1\t10\nu1\t11\nu2\t10\n')],
])('%s', async (_what, content) => {
  expect(await pairsOf(content)).toEqual(expected);
});

test('a header of names above numbers is no pair; a first line of numbers is', async () => {
  expect(await pairsOf('from,to\n1,10\n2,11\n')).toEqual(['1:10', '2:11']);
  expect(await pairsOf('1,10\n2,11\n')).toEqual(['1:10', '2:11']);
  expect(await pairsOf('A1X,B0\nA2Y,B1\n')).toEqual(['A1X:B0', 'A2Y:B1']);
});

test('ids are text: 1 and 01 differ', async () => {
  expect(await pairsOf('1\t7\n01\t7\n')).toEqual(['1:7', '01:7']);
});

test.each([
  ['', /is empty/],
  ['alone\nlonely\n', /line 1: "alone" is one field; .* a tab, comma or space/],
  ['1\t2\n3\t4\n5\t\n6\t7\n', /line 3: "5\\t" lacks an item; 2 columns are expected/],
  ['user,item\n', /has no pair/],
  ['1 2 5 99\n1 3 4 98\n1 4\n', /line 2: user 1 has a list in line 1 already.*give every line as many/],
])('%j is refused with its line and its cure', async (content, message) => {
  await expect(pairsOf(content)).rejects.toThrow(message);
});

test('a gzip file that is cut off is told as such', async () => {
  const whole = gzipSync(Array.from({ length: 5000 }, (_, n) => `${n}\t${(n * 7919) % 5003}\n`).join(''));
  await expect(pairsOf(whole.subarray(0, whole.length / 2))).rejects.toThrow(/damaged or cut off/);
});

test('UTF-16, and a file without line ends, are refused by what they are', async () => {
  await expect(pairsOf(Buffer.from('\ufeffu1\t10\nu2\t11\n', 'utf16le'))).rejects.toThrow(
    /UTF-16; save it as UTF-8/,
  );
  await expect(pairsOf(`u1\t10\n${'x'.repeat(17_000_000)}`)).rejects.toThrow(/line 2 is longer than/);
});
