/**
 * Who may have which offer by e-mail in the bench, for the policies that have no rules of their own. The engine is asked about
 * everybody and keeps its rules itself.
 */

import { DecisionPolicy } from '../../../domain/decision-policy.ts';
import type { ShopEvent } from '../../../domain/event.ts';
import { DISCOUNTS, isSelling, type OfferAnswer } from '../../../domain/offer.ts';
import { dayMs } from '../../../domain/time.ts';
import type { CustomerRecord } from '../../../features/record.ts';
import { FEATURE_NAMES } from '../../../features/registry.ts';
import { compileRule } from '../../../offers/compile-rule.ts';
import { suppressionAt } from '../../../offers/dismissals.ts';
import { mayAddress } from '../../../offers/may-address.ts';
import type { SimulatedOffer } from '../../../simulation/offer-effects.ts';

export type CustomerRules = {
  candidates(customer: number, record: CustomerRecord, features: Float32Array, now: number): SimulatedOffer[];
  /**
   * All that compete, whatever the customer has said. Without discounts while the time of another runs: made again, an offer that
   * is out is the same one, which the simulation does not know.
   */
  unruled(customer: number, now: number): SimulatedOffer[];
  heard(customer: number, event: ShopEvent): void;
  made(customer: number, offer: SimulatedOffer, now: number): void;
};

const { dismissals, lowRating } = DecisionPolicy.parse({}).contact;
const openComplaintsAt = FEATURE_NAMES.indexOf('openComplaints');

type Standing = { discountUntil: number; lowRatingAt: number; dismissed: OfferAnswer[] };

export function createRules(offers: readonly SimulatedOffer[], customers: number): CustomerRules {
  const standings = Array.from(
    { length: customers },
    (): Standing => ({ discountUntil: -Infinity, lowRatingAt: -Infinity, dismissed: [] }),
  );
  const competing = offers
    .filter(({ offer }) => !offer.fallback && offer.channels.includes('email'))
    .map((simulated) => {
      const { eligibility, benefit, offerId } = simulated.offer;
      return {
        simulated,
        offerId: offerId as string,
        rule: eligibility && compileRule(eligibility, FEATURE_NAMES),
        discount: DISCOUNTS.has(benefit.kind),
        selling: isSelling(simulated.offer),
      };
    });
  return {
    candidates(customer, { attributes }, features, now) {
      if (!mayAddress(attributes, 'email')) return [];
      const { discountUntil, lowRatingAt, dismissed } = standings[customer] as Standing;
      const isSuppressed = suppressionAt(dismissed, dismissals, now);
      const aggrieved = (features[openComplaintsAt] ?? 0) > 0 || now - lowRatingAt < lowRating.days * dayMs;
      const { loyaltyTier = 'none', segment } = attributes;
      const facts = { features, loyaltyTier, segment };
      return competing
        .filter(
          ({ offerId, rule, discount, selling }) =>
            !isSuppressed(offerId) &&
            !(aggrieved && selling) &&
            !(discount && now < discountUntil) &&
            rule?.(facts) === undefined,
        )
        .map(({ simulated }) => simulated);
    },
    unruled(customer, now) {
      const { discountUntil } = standings[customer] as Standing;
      return competing
        .filter(({ discount }) => !(discount && now < discountUntil))
        .map(({ simulated }) => simulated);
    },
    heard(customer, event) {
      const standing = standings[customer] as Standing;
      if (event.type === 'rating' && event.rating < lowRating.below) standing.lowRatingAt = event.occurredAt;
      if (event.type === 'offerOutcome' && event.outcome === 'dismissed')
        standing.dismissed.push({ offerId: event.offerId, outcome: 'dismissed', at: event.occurredAt });
    },
    made(customer, { offer }, now) {
      if (DISCOUNTS.has(offer.benefit.kind))
        (standings[customer] as Standing).discountUntil = now + offer.redeemWithinDays * dayMs;
    },
  };
}
