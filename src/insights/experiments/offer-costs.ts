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
 * on a channel where the shop goes to the customer, once a decision; what an offer costs when it is made, once however often it
 * is shown while it is held; and, if it is redeemed, what that was told to have cost (`costMinor` of the outcome, or of the
 * purchase that redeems), else what it was reckoned to. Discounts are left out: the lines of the purchase tell what was paid.
 */
export function offerCostsQuery(lake: Pick<Lake, 'from'>, from: number, end: number): string {
  const discounts = [...DISCOUNTS].map((kind) => `'${kind}'`).join(', ');
  return `
    WITH made AS (
      -- The log may hold a decision twice.
      SELECT decisionId, any_value(customerId) AS customerId, offer.offerId AS offerId,
        any_value(coalesce(offer.terms.contactCostMinor, 0)) AS contact,
        any_value(offer.benefit.kind) IN (${discounts}) AS isDiscount,
        any_value(offer.heldSince) IS NULL AS isFirst,
        any_value(coalesce(offer.terms.costWhenMadeMinor, 0)) AS whenMade,
        any_value(coalesce(offer.terms.costWhenAcceptedMinor, 0)) AS whenAccepted
      FROM (
        SELECT decisionId, customerId,
          unnest(flatten(list_transform(json_transform(json, '${READ}').placements, lambda place: place.offers))) AS offer
        FROM ${lake.from('decisions')}
        WHERE customerId IS NOT NULL AND decidedAt >= ${sqlInstant(from)} AND decidedAt < ${sqlInstant(end)})
      GROUP BY decisionId, offer.offerId),
    told AS (
      SELECT occurredAt, detail
      FROM ${lake.from('events')}
      WHERE occurredAt >= ${sqlInstant(from)} AND occurredAt < ${sqlInstant(end)}
        AND (type = 'offerOutcome' AND json_extract_string(detail, '$.outcome') = 'redeemed'
          OR type = 'purchase' AND contains(CAST(detail AS VARCHAR), '"redeemed"'))),
    redeemed AS (
      -- Told again, it is the same one; what was told first counts, as it does in the budget.
      SELECT json_extract_string(one, '$.decisionId') AS decisionId, json_extract_string(one, '$.offerId') AS offerId,
        arg_min(CAST(json_extract(one, '$.costMinor') AS DOUBLE), occurredAt) AS costMinor
      FROM (
        SELECT occurredAt, unnest(CASE WHEN json_exists(detail, '$.redeemed') THEN json_extract(detail, '$.redeemed[*]')
          ELSE [CAST(detail AS JSON)] END) AS one
        FROM told)
      GROUP BY ALL),
    charged AS (
      SELECT made.decisionId, customerId, contact,
        CASE WHEN isFirst THEN whenMade ELSE 0 END
          + CASE WHEN redeemed.offerId IS NULL OR isDiscount THEN 0
            -- What was told is all of it, with what was charged when the offer was made.
            ELSE coalesce(redeemed.costMinor - whenMade, whenAccepted) END AS cost
      FROM made LEFT JOIN redeemed ON redeemed.decisionId = made.decisionId AND redeemed.offerId = made.offerId)
    SELECT customerId, sum(costMinor) AS costMinor
    FROM (SELECT any_value(customerId) AS customerId, max(contact) + sum(cost) AS costMinor FROM charged GROUP BY decisionId)
    GROUP BY customerId HAVING costMinor <> 0`;
}
