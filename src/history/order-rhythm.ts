/**
 * When a customer counts as lost: after no purchase for a horizon that follows from the shop's own rhythm.
 *
 * The horizon is the gap that four fifths of the gaps between a customer's orders do not exceed: long enough that
 * most who are coming back have come, short enough to act on. Gaps are seen only where there was a next order, so the
 * long ones are under-represented; hence a high quantile rather than the mean.
 */
import { dayMs } from '../domain/time.ts';
import type { Lake } from './lake.ts';

const gapQuantile = 0.8;
export const shortestHorizonDays = 14;
export const longestHorizonDays = 180;
/** Learning, calibration and test take three horizons, and the first customers learnt from need a past. */
const horizonsInHistory = 5;

export type OrderRhythm = {
  /** Milliseconds since 1970 of the first purchase, and of the last event of any kind. */
  from: number;
  to: number;
  customers: number;
  /** Quantile of the gaps between orders on different days; null where nobody ordered twice. */
  gapDays: number | null;
};

/**
 * How long the history before `before` (milliseconds since 1970; absent = all) is, and how often its customers order; undefined
 * without purchases.
 */
export async function readOrderRhythm(
  lake: Pick<Lake, 'from' | 'connection'>,
  before?: number,
): Promise<OrderRhythm | undefined> {
  const seen = before === undefined ? 'true' : `"occurredAt" < epoch_ms(${Math.floor(before)}::BIGINT)`;
  const reader = await lake.connection.runAndReadAll(`
    WITH days AS (
      SELECT DISTINCT "customerId", date_trunc('day', "occurredAt") AS day
      FROM ${lake.from('events')}
      WHERE type = 'purchase' AND "customerId" IS NOT NULL AND ${seen}
    ), gaps AS (
      SELECT date_diff('day', lag(day) OVER (PARTITION BY "customerId" ORDER BY day), day) AS gap FROM days
    )
    SELECT
      (SELECT epoch_ms(min("occurredAt")) FROM ${lake.from('events')} WHERE type = 'purchase' AND ${seen})::DOUBLE,
      (SELECT epoch_ms(max("occurredAt")) FROM ${lake.from('events')} WHERE ${seen})::DOUBLE,
      (SELECT count(DISTINCT "customerId") FROM days)::DOUBLE,
      (SELECT quantile_cont(gap, ${gapQuantile}) FROM gaps WHERE gap IS NOT NULL)::DOUBLE`);
  const [from, to, customers, gapDays] = (reader.getRows()[0] ?? []) as (number | null)[];
  if (from == null || to == null || !customers) return undefined;
  return { from, to, customers, gapDays: gapDays ?? null };
}

/**
 * The horizon in whole days: the shop's own gap, at least 14 days, at most 180 and at most a fifth of the history.
 * undefined where the history is too short for the least horizon.
 */
export function horizonDaysOf({ from, to, gapDays }: OrderRhythm): number | undefined {
  const fits = Math.floor((to - from) / dayMs / horizonsInHistory);
  if (fits < shortestHorizonDays) return undefined;
  const gap = Math.ceil(gapDays ?? longestHorizonDays);
  return Math.min(fits, longestHorizonDays, Math.max(shortestHorizonDays, gap));
}
