/**
 * The negatives of the sampled protocol as He et al. (WWW 2017) published theirs: `(user,item)⇥negative⇥…`, a line a test pair.
 */
import { UsageError } from '../../domain/errors.ts';
import type { SampledCases } from '../pairs/sampled-cases.ts';
import type { IdIndex } from './id-index.ts';
import { Int32List } from './int32-list.ts';
import type { Pairs } from './read-pairs.ts';
import { readLines } from './read-text.ts';
import { quoted } from './table-format.ts';

/**
 * The negatives of each pair of `test`, without the pair's own item, which some published files have among them.
 * UsageError for a line of another shape, and for a test pair that has no line.
 */
export async function readNegatives(
  path: string,
  test: Pairs,
  users: IdIndex,
  items: IdIndex,
): Promise<SampledCases> {
  const lineOf = new Map<string, Int32Array>();
  for await (const { lines, first } of readLines(path)) {
    for (const [n, line] of lines.entries()) {
      if (line.trim() === '') continue;
      const match = /^\s*\(\s*(.+?)\s*,\s*(.+?)\s*\)[\s,]+(\S.*)$/.exec(line);
      const [, user, item, negatives] = match ?? [];
      if (user === undefined || item === undefined || negatives === undefined)
        throw new UsageError(
          `${path}, line ${first + n}: ${quoted(line)} is not of the form (user,item), tab, negative, tab, negative, …`,
        );
      const indices = new Set(
        negatives
          .trim()
          .split(/[\s,]+/)
          .map((id) => items.add(id)),
      );
      lineOf.set(keyOf(users.add(user), items.add(item)), Int32Array.from(indices));
    }
  }
  const start = new Int32List();
  const negatives = new Int32List();
  start.push(0);
  for (let n = 0; n < test.user.length; n++) {
    const user = test.user[n]!;
    const item = test.item[n]!;
    const found = lineOf.get(keyOf(user, item));
    if (found === undefined)
      throw new UsageError(
        `${path} has no line for the test pair (${users.ids[user]},${items.ids[item]}); each test pair needs its negatives, ` +
          'or leave the file out and they are drawn.',
      );
    for (const negative of found) if (negative !== item) negatives.push(negative);
    start.push(negatives.length);
  }
  return { ...test, start: start.toArray(), negatives: negatives.toArray() };
}

function keyOf(user: number, item: number): string {
  return `${user} ${item}`;
}
