/** What customers said and did besides buying: answers, complaints, points, community, messages. */
import type { Lake } from '../history/lake.ts';
import { type Period, sqlDay } from './period.ts';

/**
 * Columns: customerId; memberSince (first points); of the previous period: ratingBefore and npsBefore (the last answer of
 * each kind), complained, gotInTouch, tookPart, and messages: 0 none, 1 sent, 2 opened, 3 clicked; of the period: ratingIn and
 * npsIn (the last answers).
 */
export function signalsQuery(lake: Pick<Lake, 'from'>, { previousFrom, from, end }: Period): string {
  const inPeriod = `occurredAt >= ${sqlDay(from)}`;
  const justBefore = `occurredAt < ${sqlDay(from)} AND occurredAt >= ${sqlDay(previousFrom)}`;
  const last = (type: string, when: string) =>
    `arg_max(json_extract_string(detail, '$.${type === 'rating' ? 'rating' : 'score'}')::DOUBLE, occurredAt) FILTER (type = '${type}' AND ${when})`;
  return `
    SELECT customerId,
      min(occurredAt) FILTER (type = 'loyaltyPoints') AS memberSince,
      ${last('rating', justBefore)} AS ratingBefore,
      ${last('nps', justBefore)} AS npsBefore,
      ${last('rating', inPeriod)} AS ratingIn,
      ${last('nps', inPeriod)} AS npsIn,
      count(*) FILTER (type = 'contact' AND ${justBefore}) > 0 AS gotInTouch,
      count(*) FILTER (type = 'contact' AND ${justBefore} AND json_extract_string(detail, '$.complaint') = 'opened') > 0 AS complained,
      count(*) FILTER (type = 'community' AND ${justBefore}) > 0 AS tookPart,
      coalesce(max(CASE json_extract_string(detail, '$.outcome') WHEN 'clicked' THEN 3 WHEN 'opened' THEN 2 WHEN 'sent' THEN 1 END)
        FILTER (type = 'marketingContact' AND ${justBefore}), 0) AS messages
    FROM ${lake.from('events')}
    WHERE customerId IS NOT NULL AND occurredAt < ${sqlDay(end)}
      AND (type = 'loyaltyPoints'
        OR type IN ('rating', 'nps', 'contact', 'community', 'marketingContact') AND occurredAt >= ${sqlDay(previousFrom)})
    GROUP BY customerId`;
}
