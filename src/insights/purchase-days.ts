/** What every figure starts from: one row a customer and day on which something was bought or sent back. */
import { CHANNELS } from '../domain/channel.ts';
import type { Lake } from '../history/lake.ts';
import { type Period, sqlDay } from './period.ts';

const names = CHANNELS.map((channel) => `'${channel}'`).join(', ');

/**
 * Columns: customerId, day, bought, channel (of the day's first purchase; null: nothing was bought), netMinor (paid less what
 * came back that day). Guests are left out. Orders of one day are one purchase, as in the models of a customer base.
 */
export function purchaseDaysQuery(lake: Pick<Lake, 'from'>, { end }: Pick<Period, 'end'>): string {
  const channelNumbers = CHANNELS.map((channel, number) => `WHEN '${channel}' THEN ${number}`).join(' ');
  return `
    SELECT customerId, day, firstPurchase IS NOT NULL AS bought,
      list_extract([${names}], 1 + firstPurchase % ${CHANNELS.length}) AS channel, netMinor
    FROM (
      SELECT customerId, occurredAt::DATE AS day,
        -- Time and channel in one number: the least of it takes half the time of the channel at the least time, and is
        -- the same every time where two channels share an instant.
        min(epoch_us(occurredAt) * ${CHANNELS.length} + CASE channel ${channelNumbers} ELSE 0 END)
          FILTER (type = 'purchase') AS firstPurchase,
        sum((quantity * coalesce(unitPriceMinor, 0) - coalesce(discountMinor, 0))::DOUBLE
          * CASE type WHEN 'purchase' THEN 1 ELSE -1 END) AS netMinor
      FROM ${lake.from('events')}
      WHERE type IN ('purchase', 'return') AND customerId IS NOT NULL AND occurredAt < ${sqlDay(end)}
      GROUP BY customerId, day)`;
}
