/** Tier and segment that the CRM gave each customer last before the instant that counts for her. */
import type { Lake } from '../history/lake.ts';
import { type Period, sqlDay } from './period.ts';

/** Columns: customerId, tier, segment; null = was never told. */
export function standingQuery(
  lake: Pick<Lake, 'from'>,
  buyers: string,
  { end }: Pick<Period, 'end'>,
): string {
  return `
    SELECT customerId,
      arg_max(tier, occurredAt) FILTER (tier IS NOT NULL) AS tier,
      arg_max(segment, occurredAt) FILTER (segment IS NOT NULL) AS segment
    FROM (
      SELECT customerId, occurredAt,
        json_extract_string(detail, '$.attributes.loyaltyTier') AS tier,
        json_extract_string(detail, '$.attributes.segment') AS segment
      FROM ${lake.from('events')}
      WHERE type = 'customerUpdated' AND customerId IS NOT NULL AND occurredAt < ${sqlDay(end)})
    JOIN ${buyers} USING (customerId)
    WHERE occurredAt < knownUntil
    GROUP BY customerId`;
}
