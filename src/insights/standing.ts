/** Tier and segment that the CRM gave each customer last before the instant that counts for her. */

/**
 * `buyers` and `signals` name tables of the queries of these names. Columns: customerId, tier, segment; null = was never told.
 */
export function standingQuery(buyers: string, signals: string): string {
  return `
    SELECT customerId,
      arg_max(tier, changedAt) FILTER (tier IS NOT NULL) AS tier,
      arg_max(segment, changedAt) FILTER (segment IS NOT NULL) AS segment
    FROM (
      SELECT customerId, change.changedAt AS changedAt,
        json_extract_string(change.attributes, '$.loyaltyTier') AS tier,
        json_extract_string(change.attributes, '$.segment') AS segment
      FROM (SELECT customerId, unnest(changes) AS change FROM ${signals}))
    JOIN ${buyers} USING (customerId)
    WHERE changedAt < knownUntil
    GROUP BY customerId`;
}
