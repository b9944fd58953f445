/** Many customers with the simplest of histories, whose groups are known. */
import { type Lake, writePart } from '../../../src/history/lake.ts';

/**
 * `count` customers (c0 …) who bought on 22 May 2026 for 10.00; of those of a group, `shares` buy once more on 15 June.
 * `groupOf` as in `Split`; `kept` is SQL that says who stands in the lake at all.
 */
export async function writeBuyers(
  lake: Lake,
  groupOf: string,
  count: number,
  shares: Record<number, number>,
  kept = 'true',
): Promise<void> {
  const cases = Object.entries(shares).map(([group, share]) => `WHEN ${group} THEN ${share}`);
  const columns = `NULL AS sessionId, 'web' AS channel, NULL AS orderId, 'tea' AS itemId, NULL AS category,
    1 AS quantity, 1000 AS unitPriceMinor, 0 AS discountMinor, NULL AS detail, 0 AS line`;
  await writePart(
    lake,
    'events',
    'buyers',
    `WITH customers AS (SELECT *, ${groupOf} AS groupNumber FROM (SELECT 'c' || i AS customerId, i FROM range(${count}) r(i)))
     SELECT 'before' || i AS eventId, 'purchase' AS type, customerId, TIMESTAMP '2026-05-22' AS occurredAt, ${columns}
       FROM customers WHERE ${kept}
     UNION ALL
     SELECT 'since' || i, 'purchase', customerId, TIMESTAMP '2026-06-15', ${columns}
       FROM customers WHERE (i * 7919 % 1000) / 1000.0 < CASE groupNumber ${cases.join(' ')} END AND ${kept}`,
  );
}
