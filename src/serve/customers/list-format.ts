/** A list of customers as text: NDJSON, an object a line, or CSV (RFC 4180) with a line of names. */
import { csvCell } from '../../infra/csv.ts';
import { NDJSON_TYPE } from '../route.ts';

export const LIST_FORMATS = { ndjson: NDJSON_TYPE, csv: 'text/csv' } as const;
export type ListFormat = keyof typeof LIST_FORMATS;

export type Cell = string | number | boolean | null | readonly string[];

/** What the request asks for, or else what its `Accept` prefers; NDJSON where that says nothing. */
export function formatOf(asked: ListFormat | undefined, accept: string | undefined): ListFormat {
  if (asked !== undefined) return asked;
  const wanted = (accept ?? '').toLowerCase();
  const [csv, ndjson] = [preference(wanted, 'text/csv'), preference(wanted, NDJSON_TYPE)];
  return csv > ndjson ? 'csv' : 'ndjson';
}

/** The q of a media type in an `Accept` header; 0 where it is not named. */
function preference(accept: string, type: string): number {
  for (const part of accept.split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim());
    if (name !== type) continue;
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    return q === undefined ? 1 : Number(q.slice(2)) || 0;
  }
  return 0;
}

export function headOf(format: ListFormat, columns: readonly string[]): string {
  return format === 'csv' ? `${columns.join(',')}\r\n` : '';
}

export function lineOf(
  format: ListFormat,
  columns: readonly string[],
  row: Readonly<Record<string, Cell>>,
): string {
  if (format === 'ndjson') return `${JSON.stringify(row)}\n`;
  return `${columns.map((column) => csvCell(textOf(row[column] ?? null), typeof row[column] === 'string')).join(',')}\r\n`;
}

/** Several values of a cell are separated by blanks; what is unknown is empty. */
function textOf(value: Cell): string {
  if (value === null) return '';
  return Array.isArray(value) ? value.join(' ') : String(value);
}
