/** What is assumed of an offer's effect until the offer model has learnt it. */
import { persuadedShareOf } from '../algorithms/offer-model/assumed-effects.ts';
import type { Offer } from '../domain/offer.ts';
import { baseAcceptPropensity, liftPropensity, type OfferCounts } from './accept-propensity.ts';
import { affinityLift } from './affinity.ts';
import type { CustomerFacts, OfferEffect } from './customer-facts.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';

/** Share of those who accept an offer that is to keep them, and would have left, who stay: an assumption. */
const KEPT_SHARE = 0.5;

/** P(leaving) of who has a complaint open or has rated low, where no churn model tells: an assumption. */
export const AGGRIEVED_CHURN_RISK = 0.5;

/** The assumptions are as uncertain as they are large. */
const RELATIVE_DEVIATION = 1;

export type PriorEffect = OfferEffect & { baseAcceptPropensity: number; affinityLift: number };

export function priorEffect(
  offer: Offer,
  subject: OfferSubject,
  facts: CustomerFacts,
  counts: OfferCounts,
  shop: ShopStatistics,
  aggrieved = false,
): PriorEffect {
  const base = baseAcceptPropensity(offer.benefit.kind, counts);
  const lift = affinityLift(subject, facts, shop);
  const acceptPropensity = liftPropensity(base, lift);
  const keeps = offer.retention || offer.benefit.kind === 'serviceContact';
  const uplift = acceptPropensity * persuadedShareOf(offer.benefit.kind);
  const assumedRisk = aggrieved && offer.benefit.kind === 'serviceContact' ? AGGRIEVED_CHURN_RISK : 0;
  const churnReduction = keeps ? acceptPropensity * KEPT_SHARE * (facts.churnRisk ?? assumedRisk) : 0;
  return {
    baseAcceptPropensity: base,
    affinityLift: lift,
    acceptPropensity,
    uplift,
    churnReduction,
    upliftDeviation: RELATIVE_DEVIATION * uplift,
    churnReductionDeviation: RELATIVE_DEVIATION * churnReduction,
  };
}
