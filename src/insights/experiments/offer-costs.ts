/** What offers cost the shop, customer by customer, beyond what shows in the prices paid. */
import { DISCOUNTS } from '../../domain/offer.ts';
import type { Lake } from '../../history/lake.ts';
import { sqlInstant } from './sql-instant.ts';

/**
 * Columns: customerId, costMinor. Of the decisions since `from` (all in milliseconds since 1970) and before `end`: a contact
 * on a channel where the shop goes to the customer, once a decision; what an offer costs when it is made; and what it costs
 * when it is redeemed, if it was. Discounts are left out: the lines of the purchase tell what was paid.
 */
export function offerCostsQuery(lake: Pick<Lake, 'from'>, from: number, end: number): string {
  const discounts = [...DISCOUNTS].map((kind) => `'${kind}'`).join(', ');
  const number = (path: string) => `coalesce(json_extract(offer, '${path}')::DOUBLE, 0)`;
  return `
    WITH made AS (
      -- The log may hold a decision twice.
      SELECT decisionId, any_value(customerId) AS customerId, offerId, any_value(contact) AS contact,
        any_value(whenMade) AS whenMade, any_value(whenAccepted) AS whenAccepted
      FROM (
        SELECT decisionId, customerId, json_extract_string(offer, '$.offerId') AS offerId,
          ${number('$.terms.contactCostMinor')} AS contact, ${number('$.terms.costWhenMadeMinor')} AS whenMade,
          CASE WHEN json_extract_string(offer, '$.benefit.kind') IN (${discounts}) THEN 0
            ELSE ${number('$.terms.costWhenAcceptedMinor')} END AS whenAccepted
        FROM (
          SELECT decisionId, customerId, unnest(json_extract(json, '$.placements[*].offers[*]')) AS offer
          FROM ${lake.from('decisions')}
          WHERE customerId IS NOT NULL AND decidedAt >= ${sqlInstant(from)} AND decidedAt < ${sqlInstant(end)}))
      GROUP BY decisionId, offerId),
    redeemed AS (
      SELECT DISTINCT json_extract_string(detail, '$.decisionId') AS decisionId, json_extract_string(detail, '$.offerId') AS offerId
      FROM ${lake.from('events')}
      WHERE type = 'offerOutcome' AND occurredAt >= ${sqlInstant(from)} AND occurredAt < ${sqlInstant(end)}
        AND json_extract_string(detail, '$.outcome') = 'redeemed')
    SELECT customerId, sum(costMinor) AS costMinor
    FROM (
      SELECT made.decisionId, any_value(customerId) AS customerId,
        max(contact) + sum(whenMade) + sum(CASE WHEN redeemed.offerId IS NULL THEN 0 ELSE whenAccepted END) AS costMinor
      FROM made LEFT JOIN redeemed ON redeemed.decisionId = made.decisionId AND redeemed.offerId = made.offerId
      GROUP BY made.decisionId)
    GROUP BY customerId HAVING costMinor > 0`;
}
