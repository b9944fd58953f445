/** One row a customer: what she did since an experiment began, and what of it can be told apart from before. */
import { dayMs } from '../../domain/time.ts';
import type { Lake } from '../../history/lake.ts';
import { sqlInstant } from './sql-instant.ts';

/** Who had bought within so many days before the start can be lost. */
const activeDays = 90;

/**
 * Columns: customerId; known (had been seen before the start); days (with the experiment, from its start or the customer's first event if that came later); wasActive
 * (bought within `activeDays` before); bought (since the start); cameBack (bought since the start, after a day of purchase
 * before or since); marginMinor (since the start: paid less cost of what was bought, less what came back and what offers
 * cost); rating and nps (the last answers since the start). `margins` and `costs` name tables of the queries of these names.
 */
export function peopleQuery(
  lake: Pick<Lake, 'from'>,
  margins: string,
  costs: string,
  { from, end, assumedShare }: { from: number; end: number; assumedShare: number },
): string {
  const start = sqlInstant(from);
  const bought = "type = 'purchase' AND since";
  const last = (type: string) => `arg_max(said, occurredAt) FILTER (type = '${type}')`;
  const gross = 'coalesce(unitPriceMinor, 0) * coalesce(quantity, 1)';
  return `
    SELECT customerId,
      greatest(0, epoch_ms(${sqlInstant(end)}) - greatest(${Math.ceil(from)}, epoch_ms(firstSeen))) / ${dayMs}.0 AS days,
      firstSeen < ${start} AS known, wasActive, firstBought IS NOT NULL AS bought,
      firstBought IS NOT NULL AND (boughtBefore OR lastBought::DATE > firstBought::DATE) AS cameBack,
      marginMinor - coalesce(costMinor, 0) AS marginMinor, rating, nps
    FROM (
      SELECT customerId, min(occurredAt) AS firstSeen,
        bool_or(type = 'purchase' AND NOT since) AS boughtBefore,
        bool_or(type = 'purchase' AND NOT since AND occurredAt >= ${sqlInstant(from - activeDays * dayMs)}) AS wasActive,
        min(occurredAt) FILTER (${bought}) AS firstBought,
        max(occurredAt) FILTER (${bought}) AS lastBought,
        coalesce(sum(marginMinor), 0) AS marginMinor,
        ${last('rating')} AS rating,
        ${last('nps')} AS nps
      FROM (
        SELECT customerId, type, occurredAt, occurredAt >= ${start} AS since,
          CASE WHEN since AND type = 'purchase' THEN ${gross} * coalesce(share, ${assumedShare}) - coalesce(discountMinor, 0)
            WHEN since AND type = 'return' THEN coalesce(discountMinor, 0) - ${gross} END AS marginMinor,
          CASE WHEN since AND type = 'rating' THEN json_extract(detail, '$.rating')::DOUBLE
            WHEN since AND type = 'nps' THEN json_extract(detail, '$.score')::DOUBLE END AS said
        FROM ${lake.from('events')} event
          -- Most rows are of before the start, or no purchases: they ask for no margin.
          LEFT JOIN ${margins} ON ${margins}.itemId = CASE WHEN type = 'purchase' AND occurredAt >= ${start} THEN event.itemId END
        WHERE customerId IS NOT NULL AND occurredAt < ${sqlInstant(end)})
      GROUP BY customerId)
      LEFT JOIN ${costs} USING (customerId)`;
}
