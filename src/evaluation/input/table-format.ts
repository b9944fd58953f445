/**
 * Tells what a text file of ids looks like from its first lines: columns or a list a user, which separator, a header or none.
 */
import { UsageError } from '../../domain/errors.ts';
import { readLines } from './read-text.ts';

const SEPARATORS = ['\t', '::', ',', ' '] as const;
export type Separator = (typeof SEPARATORS)[number];

export type TableFormat =
  /** A user and an item in each line, in these columns (from 0) of `columns`; what else a line has is not read. */
  | { kind: 'columns'; separator: Separator; header: boolean; columns: number; user: number; item: number }
  /** `user item item …`, one line a user. */
  | { kind: 'lists'; separator: Separator };

const sniffedLines = 2000;
/** Of columns, hardly a line is broken; lists are of all lengths. */
const mostOfTheLines = 0.8;
const userName = /^(user|customer|member|reviewer|visitor|account|uid|userid|customerid)/i;
const itemName = /^(item|product|movie|book|business|article|track|song|venue|location|iid|sid|asin|stock)/i;

/** UsageError where the file is empty or its lines have no separator. */
export async function tableFormat(path: string): Promise<TableFormat> {
  const lines = await firstLines(path);
  const [first] = lines;
  if (first === undefined)
    throw new UsageError(`${path} is empty: a user and an item are expected in each line.`);
  const separator = SEPARATORS.find(
    (one) => lines.filter((line) => line.includes(one)).length >= lines.length / 2,
  );
  if (separator === undefined)
    throw new UsageError(
      `${path}, line 1: ${quoted(first)} is one field; a user and an item are expected, with a tab, comma or space between them.`,
    );
  const rows = lines.map((line) => fieldsOf(line, separator));
  const columns = commonest(rows.map((row) => row.length));
  const alike = rows.filter((row) => row.length === columns).length;
  const isLists = separator === ' ' ? alike < rows.length : alike < mostOfTheLines * rows.length;
  const [names = [], ...others] = rows;
  // The header of a file of columns may have another separator's spaces in it, its lines not.
  if (isLists && !isHeader(names, others)) return { kind: 'lists', separator };
  const header = isHeader(names, others);
  const user = header ? names.findIndex((name) => userName.test(name)) : -1;
  const item = header ? names.findIndex((name, n) => n !== user && itemName.test(name)) : -1;
  const named = user >= 0 && item >= 0;
  return { kind: 'columns', separator, header, columns, user: named ? user : 0, item: named ? item : 1 };
}

/** A line's fields without the blanks and quotes around them. */
export function fieldsOf(line: string, separator: Separator): string[] {
  const fields = separator === ' ' ? line.trim().split(/ +/) : line.split(separator);
  return fields.map(unquoted);
}

export function unquoted(field: string): string {
  const trimmed = field.trim();
  return trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"')
    ? trimmed.slice(1, -1)
    : trimmed;
}

/** Names where an id is expected: words that mean a user and an item, or no number above columns of numbers. */
function isHeader(first: readonly string[], others: readonly string[][]): boolean {
  if (first.some((name) => userName.test(name)) && first.some((name) => itemName.test(name))) return true;
  if (others.length === 0) return false;
  return [0, 1].every(
    (n) => !isNumber(first[n] ?? '') && others.every((row) => row[n] === undefined || isNumber(row[n])),
  );
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+(\.\d+)?$/.test(text);
}

function commonest(lengths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

export function quoted(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

async function firstLines(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { lines } of readLines(path)) {
    for (const line of lines) if (line.trim() !== '') found.push(line);
    if (found.length >= sniffedLines) break;
  }
  return found.slice(0, sniffedLines);
}
