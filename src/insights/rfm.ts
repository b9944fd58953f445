/**
 * The RFM segment of each customer when the period began, by the names of the scoring (`algorithms/customer-value`): fifths of
 * recency and of money (net revenue: the lake knows no margins), quarters of frequency among those with more than one purchase.
 * Equal customers get equal parts, the lower one.
 */
import { rfmSegment } from '../algorithms/customer-value/rfm-segment.ts';

/** Columns: customerId, rfm; who first bought in the period is left out. `buyers` names a table of that query. */
export function rfmQuery(buyers: string): string {
  const part = (parts: number, of: string, order: string) =>
    `least(${parts - 1}, floor(${parts} * percent_rank() OVER (${of} ORDER BY ${order})))`;
  return `
    SELECT customerId,
      list_extract([${names().join(', ')}], (1 + recency * 25 + frequency * 5 + money)::BIGINT) AS rfm
    FROM (
      SELECT customerId,
        ${part(5, '', 'lastBefore')} AS recency,
        CASE WHEN daysBefore < 2 THEN 0
          ELSE 1 + ${part(4, 'PARTITION BY daysBefore < 2', 'daysBefore')} END AS frequency,
        ${part(5, '', 'netBefore')} AS money
      FROM ${buyers} WHERE daysBefore > 0)`;
}

/** Of each of the 5 × 5 × 5 scores from 1 to 5, in this order, as SQL. */
function names(): string[] {
  const scores = [1, 2, 3, 4, 5];
  return scores.flatMap((recency) =>
    scores.flatMap((frequency) => scores.map((money) => `'${rfmSegment({ recency, frequency, money })}'`)),
  );
}
