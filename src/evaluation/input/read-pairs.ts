/** Pairs of a user and an item from a text file: columns with tab, comma, `::` or space, or a list of items a user. */
import { UsageError } from '../../domain/errors.ts';
import type { IdIndex } from './id-index.ts';
import { Int32List } from './int32-list.ts';
import { readLines } from './read-text.ts';
import { fieldsOf, quoted, type Separator, type TableFormat, tableFormat, unquoted } from './table-format.ts';

/** Pair n is user `user[n]` and item `item[n]`, in the order of the file; a pair may be there twice. */
export type Pairs = { user: Int32Array; item: Int32Array };

/** Numbers users and items in `users` and `items`, which grow. UsageError, with its line, for what cannot be understood. */
export async function readPairs(path: string, users: IdIndex, items: IdIndex): Promise<Pairs> {
  const format = await tableFormat(path);
  const pairs =
    format.kind === 'columns'
      ? await readColumns(path, format, users, items)
      : await readLists(path, format.separator, users, items);
  if (pairs.user.length === 0) throw new UsageError(`${path} has no pair of a user and an item in it.`);
  return pairs;
}

async function readColumns(
  path: string,
  format: Extract<TableFormat, { kind: 'columns' }>,
  users: IdIndex,
  items: IdIndex,
): Promise<Pairs> {
  const { separator, header, columns, user, item } = format;
  const found = { user: new Int32List(), item: new Int32List() };
  let toSkip = header ? 1 : 0;
  const inFront = user === 0 && item === 1 && separator !== ' ';
  for await (const { lines, first } of readLines(path)) {
    for (const [n, line] of lines.entries()) {
      if (line.trim() === '') continue;
      if (toSkip > 0) {
        toSkip--;
        continue;
      }
      const [userId, itemId] = inFront
        ? firstTwo(line, separator)
        : pick(fieldsOf(line, separator), user, item);
      if (!userId || !itemId)
        throw new UsageError(
          `${path}, line ${first + n}: ${quoted(line)} lacks ${userId ? 'an item' : 'a user'}; ` +
            `${columns} columns are expected, as in most lines.`,
        );
      found.user.push(users.add(userId));
      found.item.push(items.add(itemId));
    }
  }
  return { user: found.user.toArray(), item: found.item.toArray() };
}

async function readLists(path: string, separator: Separator, users: IdIndex, items: IdIndex): Promise<Pairs> {
  const found = { user: new Int32List(), item: new Int32List() };
  const lineOf = new Map<string, number>();
  for await (const { lines, first } of readLines(path)) {
    for (const [n, line] of lines.entries()) {
      const [userId, ...itemIds] = fieldsOf(line, separator);
      if (!userId) continue;
      const earlier = lineOf.get(userId);
      if (earlier !== undefined)
        throw new UsageError(
          `${path}, line ${first + n}: user ${userId} has a list in line ${earlier} already. Lines of several lengths are ` +
            'taken for lists, one a user; if these are columns, give every line as many of them.',
        );
      lineOf.set(userId, first + n);
      if (itemIds.length === 0) continue;
      const u = users.add(userId);
      for (const id of itemIds) {
        if (id === '') continue;
        found.user.push(u);
        found.item.push(items.add(id));
      }
    }
  }
  return { user: found.user.toArray(), item: found.item.toArray() };
}

/** The common case without an array of all fields. */
function firstTwo(line: string, separator: Separator): [string, string] {
  const middle = line.indexOf(separator);
  if (middle < 0) return [unquoted(line), ''];
  const from = middle + separator.length;
  const end = line.indexOf(separator, from);
  return [unquoted(line.slice(0, middle)), unquoted(line.slice(from, end < 0 ? line.length : end))];
}

function pick(fields: readonly string[], user: number, item: number): [string, string] {
  return [fields[user] ?? '', fields[item] ?? ''];
}
