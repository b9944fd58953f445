/**
 * Names for how lately, how often and for how much a customer had bought when the period began: fifths of recency, frequency
 * and money among those who had bought by then (Hughes 1994, Strategic Database Marketing). Equal customers get equal
 * fifths, the lower one: who bought once is in the first of frequency, however many they are.
 */

/** Columns: customerId, rfm. */
export function rfmQuery(buyers: string): string {
  const fifth = (order: string) => `least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY ${order})))`;
  return `
    SELECT customerId,
      CASE
        WHEN recency >= 4 AND worth >= 4 THEN 'champions'
        WHEN recency >= 3 AND worth >= 3 THEN 'loyal'
        WHEN recency >= 4 THEN 'promising'
        WHEN recency = 3 THEN 'needs attention'
        WHEN worth >= 3 THEN 'at risk'
        ELSE 'hibernating' END AS rfm
    FROM (
      SELECT customerId, ${fifth('lastBefore')} AS recency,
        (${fifth('daysBefore')} + ${fifth('netBefore')}) / 2 AS worth
      FROM ${buyers} WHERE daysBefore > 0)`;
}
