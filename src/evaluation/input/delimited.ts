/** Text files of columns, with a header or none, whatever stands between the columns. */
import { UsageError } from '../../domain/errors.ts';
import { readLines } from './read-text.ts';

/** A blank stands for any number of blanks and tabs. */
export type Delimiter = ',' | ';' | '\t' | '|' | ' ';
const DELIMITERS: readonly Delimiter[] = ['\t', ',', ';', '|', ' '];

export type DelimitedFormat = {
  path: string;
  delimiter: Delimiter;
  /** undefined: the file begins with its first row. */
  names: readonly string[] | undefined;
  width: number;
  /** The first rows, to tell columns by what is in them. */
  sample: readonly string[][];
};

const sampledLines = 200;

/** UsageError where the file is empty or cannot be read. */
export async function delimitedFormat(path: string): Promise<DelimitedFormat> {
  const lines = await firstLines(path);
  const [first] = lines;
  if (first === undefined) throw new UsageError(`${path} is empty.`);
  const delimiter = DELIMITERS.find((one) => lines.every((line) => splitFields(line, one).length > 1)) ?? ',';
  const rows = lines.map((line) => splitFields(line, delimiter));
  const [head = [], ...others] = rows;
  // Customers, dates and amounts have figures in every row; names of columns do not begin with one.
  const isHeader = !head.some((field) => /^[+-]?\.?\d/.test(field));
  return {
    path,
    delimiter,
    names: isHeader ? head : undefined,
    width: head.length,
    sample: isHeader ? others : rows,
  };
}

/** The rows in pieces, without the header and without empty lines; `line` counts from 1. */
export async function* readRows({
  path,
  delimiter,
  names,
}: DelimitedFormat): AsyncGenerator<{ fields: string[]; line: number }[]> {
  let headerToCome = names !== undefined;
  for await (const { lines, first } of readLines(path)) {
    const rows: { fields: string[]; line: number }[] = [];
    for (const [i, text] of lines.entries()) {
      if (text.trim() === '') continue;
      if (headerToCome) headerToCome = false;
      else rows.push({ fields: splitFields(text, delimiter), line: first + i });
    }
    yield rows;
  }
}

/** A line's fields without the blanks and quotes around them; a doubled quote within quotes is one. */
export function splitFields(line: string, delimiter: Delimiter): string[] {
  if (delimiter === ' ')
    return line
      .trim()
      .split(/[ \t]+/)
      .map(unquoted);
  if (!line.includes('"')) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= line.length; at++) {
    const char = line[at];
    if (char === '"') quoted = !quoted;
    else if (at === line.length || (char === delimiter && !quoted)) {
      fields.push(unquoted(line.slice(start, at).trim()));
      start = at + 1;
    }
  }
  return fields;
}

/**
 * The column (from 0) that a person names: by its name in the header, whatever its case, or by its number from 1.
 * UsageError where there is none such.
 */
export function namedColumn({ path, names, width }: DelimitedFormat, wanted: string): number {
  const exact = names?.indexOf(wanted) ?? -1;
  if (exact >= 0) return exact;
  const folded = names?.findIndex((name) => name.toLowerCase() === wanted.toLowerCase()) ?? -1;
  if (folded >= 0) return folded;
  const number = Number(wanted);
  if (Number.isInteger(number) && number >= 1 && number <= width) return number - 1;
  throw new UsageError(`${path} has no column "${wanted}". ${columnsOf({ names, width })}`);
}

/** A sentence for people. */
export function columnsOf({ names, width }: Pick<DelimitedFormat, 'names' | 'width'>): string {
  return names === undefined
    ? `It has no header; its columns are 1 to ${width}.`
    : `Its columns are ${names.join(', ')}.`;
}

function unquoted(field: string): string {
  return field.length >= 2 && field.startsWith('"') && field.endsWith('"')
    ? field.slice(1, -1).replaceAll('""', '"')
    : field;
}

async function firstLines(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { lines } of readLines(path)) {
    for (const line of lines) if (line.trim() !== '') found.push(line);
    if (found.length >= sampledLines) break;
  }
  return found.slice(0, sampledLines);
}
