/** Days, counted from 1 January 1970. */
import { dayMs } from '../../domain/time.ts';

const written = /^(\d{4})(?:(\d\d)(\d\d)|([-/.])(\d{1,2})\4(\d{1,2}))(?:[T ].*)?$/;

/** The day of `19970131`, `1997-01-31` or `1997/1/31`, with or without a time after it; NaN where the text is none. */
export function dayOf(text: string): number {
  const match = written.exec(text);
  if (match === null) return Number.NaN;
  const year = Number(match[1]);
  const month = Number(match[2] ?? match[5]);
  const dayOfMonth = Number(match[3] ?? match[6]);
  const date = new Date(Date.UTC(year, month - 1, dayOfMonth));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === dayOfMonth;
  return exists ? date.getTime() / dayMs : Number.NaN;
}

/** As `1997-01-31`. */
export function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
