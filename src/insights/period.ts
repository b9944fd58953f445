/** The days that are looked at, and the same number of days before them. All UTC. */
import { z } from 'zod';
import { AppError, type Fault } from '../domain/errors.ts';
import { dayMs } from '../domain/time.ts';

/** `YYYY-MM-DD`, of a year in which the days before and after it can be written likewise. */
export const Day = z.iso
  .date({ error: 'must be a day such as 2026-03-31', abort: true })
  .refine((day) => day >= '1900' && day < '3000', { error: 'must be a day from 1900-01-01 to 2999-12-31' });

export const periodDaysDefault = 90;
export const periodDaysMax = 3660;

/** Midnights, milliseconds since 1970. `previousFrom` ≤ days before < `from` ≤ days looked at < `end`. */
export type Period = { previousFrom: number; from: number; end: number; days: number };

/** What is wrong with two days that are days. */
export function periodFaults({ from, to }: { from?: string | undefined; to?: string | undefined }): Fault[] {
  if (from === undefined || to === undefined) return [];
  const days = daysOf(from, to);
  if (days < 1) return [{ path: 'from', message: `must not come after to, which is ${to}` }];
  if (days > periodDaysMax)
    return [{ path: 'from', message: `must lie at most ${periodDaysMax} days before to; these are ${days}` }];
  return [];
}

/**
 * `to` counts in. Without it the last day, without `from` 90 days. Throws AppError INVALID_REQUEST where the two turn out not to
 * go together.
 */
export function resolvePeriod(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  lastDay: string,
): Period {
  const last = to ?? (from !== undefined && from > lastDay ? from : lastDay);
  const faults = periodFaults({ from, to: last });
  if (faults[0] !== undefined)
    throw new AppError('INVALID_REQUEST', { public: `The first day ${faults[0].message}.`, faults });
  const end = Date.parse(`${last}T00:00:00Z`) + dayMs;
  const begin = from === undefined ? end - periodDaysDefault * dayMs : Date.parse(`${from}T00:00:00Z`);
  const days = (end - begin) / dayMs;
  return { previousFrom: begin - days * dayMs, from: begin, end, days };
}

function daysOf(from: string, to: string): number {
  return (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs + 1;
}

/** A midnight as `YYYY-MM-DD`, also as a SQL literal of a DATE. */
export function dayText(midnight: number): string {
  return new Date(midnight).toISOString().slice(0, 10);
}
export function sqlDay(midnight: number): string {
  return `DATE '${dayText(midnight)}'`;
}
