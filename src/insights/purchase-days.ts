/** What every figure starts from: one row a customer and day on which something was bought or sent back. */
import type { Lake } from '../history/lake.ts';
import { type Period, sqlDay } from './period.ts';

/**
 * Columns: customerId, day, bought, channel (of the day's first purchase), netMinor (paid less what came back that day).
 * Guests are left out. Orders of one day are one purchase, as in the models of a customer base.
 */
export function purchaseDaysQuery(lake: Pick<Lake, 'from'>, { end }: Pick<Period, 'end'>): string {
  return `
    SELECT customerId, occurredAt::DATE AS day,
      bool_or(type = 'purchase') AS bought,
      arg_min(channel, occurredAt) FILTER (type = 'purchase') AS channel,
      sum((quantity * coalesce(unitPriceMinor, 0) - coalesce(discountMinor, 0))::DOUBLE
        * CASE type WHEN 'purchase' THEN 1 ELSE -1 END) AS netMinor
    FROM ${lake.from('events')}
    WHERE type IN ('purchase', 'return') AND customerId IS NOT NULL AND occurredAt < ${sqlDay(end)}
    GROUP BY customerId, day`;
}
