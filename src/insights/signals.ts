/**
 * What customers said and did besides buying: answers, complaints, points, community, messages; and what the CRM said of them.
 */
import type { Lake } from '../history/lake.ts';
import { type Period, sqlDay } from './period.ts';

/**
 * Columns: customerId; memberSince (first points); changes (of the CRM's attributes, each with `changedAt` and
 * `attributes`); of the previous period: ratingBefore and npsBefore (the last answer of each kind), complained, gotInTouch,
 * tookPart, and messages: 0 none, 1 sent, 2 opened, 3 clicked; of the period: ratingIn and npsIn (the last answers).
 */
export function signalsQuery(lake: Pick<Lake, 'from'>, { previousFrom, from, end }: Period): string {
  const since = (type: string, midnight: number) =>
    `(type = '${type}' AND occurredAt >= ${sqlDay(midnight)})`;
  // JSON takes most of the time: each row's is read for the one field that its type has.
  const said = SAID.map(([type, path]) => `WHEN '${type}' THEN json_extract_string(detail, '$.${path}')`);
  const last = (type: string, when: string) =>
    `arg_max(said, occurredAt) FILTER (type = '${type}' AND ${when})::DOUBLE`;
  const some = (type: string) => `coalesce(bool_or(type = '${type}' AND before), false)`;
  return `
    SELECT customerId,
      min(occurredAt) FILTER (type = 'loyaltyPoints') AS memberSince,
      list({changedAt: occurredAt, attributes: said}) FILTER (type = 'customerUpdated') AS changes,
      ${last('rating', 'before')} AS ratingBefore,
      ${last('nps', 'before')} AS npsBefore,
      ${last('rating', 'NOT before')} AS ratingIn,
      ${last('nps', 'NOT before')} AS npsIn,
      ${some('contact')} AS gotInTouch,
      coalesce(bool_or(type = 'contact' AND before AND said = 'opened'), false) AS complained,
      ${some('community')} AS tookPart,
      coalesce(max(CASE said WHEN 'clicked' THEN 3 WHEN 'opened' THEN 2 WHEN 'sent' THEN 1 END)
        FILTER (type = 'marketingContact'), 0) AS messages
    FROM (
      SELECT customerId, type, occurredAt, occurredAt < ${sqlDay(from)} AS before, CASE type ${said.join(' ')} END AS said
      FROM ${lake.from('events')}
      WHERE customerId IS NOT NULL AND occurredAt < ${sqlDay(end)}
        AND (type IN ('loyaltyPoints', 'customerUpdated') OR ${since('rating', previousFrom)} OR ${since('nps', previousFrom)}
          OR occurredAt < ${sqlDay(from)} AND (${['contact', 'community', 'marketingContact'].map((type) => since(type, previousFrom)).join(' OR ')})))
    GROUP BY customerId`;
}

/** What of each type's detail is read. */
const SAID = [
  ['rating', 'rating'],
  ['nps', 'score'],
  ['contact', 'complaint'],
  ['marketingContact', 'outcome'],
  ['customerUpdated', 'attributes'],
] as const;
