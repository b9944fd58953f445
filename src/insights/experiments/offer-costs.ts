/** What offers cost the shop, customer by customer, beyond what shows in the prices paid. */
import { DISCOUNTS } from '../../domain/offer.ts';
import type { Lake } from '../../history/lake.ts';
import { sqlInstant } from './sql-instant.ts';

/** What is read of a decision, in one pass over its JSON. */
const READ = JSON.stringify({
  placements: [
    {
      offers: [
        {
          offerId: 'VARCHAR',
          benefit: { kind: 'VARCHAR' },
          heldSince: 'VARCHAR',
          terms: { contactCostMinor: 'DOUBLE', costWhenMadeMinor: 'DOUBLE', costWhenAcceptedMinor: 'DOUBLE' },
        },
      ],
    },
  ],
});

/**
 * Columns: customerId, costMinor. Of the decisions since `from` (all in milliseconds since 1970) and before `end`: a contact
 * on a channel where the shop goes to the customer, once a decision; what an offer costs when it is made, once however often it is
 * shown while it is held; and what it was reckoned to cost when it is redeemed, if it was. Discounts are left out: the lines of the purchase tell what was paid.
 */
export function offerCostsQuery(lake: Pick<Lake, 'from'>, from: number, end: number): string {
  const discounts = [...DISCOUNTS].map((kind) => `'${kind}'`).join(', ');
  return `
    WITH made AS (
      -- The log may hold a decision twice.
      SELECT decisionId, any_value(customerId) AS customerId, offer.offerId AS offerId,
        any_value(coalesce(offer.terms.contactCostMinor, 0)) AS contact,
        any_value(CASE WHEN offer.heldSince IS NULL THEN coalesce(offer.terms.costWhenMadeMinor, 0) ELSE 0 END) AS whenMade,
        any_value(CASE WHEN offer.benefit.kind IN (${discounts}) THEN 0
          ELSE coalesce(offer.terms.costWhenAcceptedMinor, 0) END) AS whenAccepted
      FROM (
        SELECT decisionId, customerId,
          unnest(flatten(list_transform(json_transform(json, '${READ}').placements, lambda place: place.offers))) AS offer
        FROM ${lake.from('decisions')}
        WHERE customerId IS NOT NULL AND decidedAt >= ${sqlInstant(from)} AND decidedAt < ${sqlInstant(end)})
      GROUP BY decisionId, offer.offerId),
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
