/** How likely a customer is to accept an offer. */
import type { BenefitKind } from '../domain/offer.ts';

/**
 * Share of decisions that end in a redemption, before anything is known of an offer: assumptions, by kind of benefit,
 * that weigh as much as `PRIOR_DECISIONS` decisions and give way to what is counted.
 */
export const PRIOR_ACCEPTANCE: Readonly<Record<BenefitKind, number>> = {
  percentOff: 0.05,
  amountOff: 0.05,
  freeDelivery: 0.06,
  bundle: 0.03,
  gift: 0.05,
  loyaltyPoints: 0.04,
  pointsMultiplier: 0.05,
  tierTrial: 0.08,
  earlyAccess: 0.03,
  serviceContact: 0.15,
  communityInvitation: 0.03,
  content: 0.01,
};
const PRIOR_DECISIONS = 50;

/** Times an offer was made and was redeemed. */
export type OfferCounts = { made: number; redeemed: number };

/** Posterior mean of a Beta(α, β) prior with α + β = `PRIOR_DECISIONS`: (redeemed + α) / (made + α + β). */
export function baseAcceptPropensity(kind: BenefitKind, { made, redeemed }: OfferCounts): number {
  // Counters are kept in Redis and may have been lost at different times.
  const counted = Math.min(redeemed, made);
  return (counted + PRIOR_ACCEPTANCE[kind] * PRIOR_DECISIONS) / (made + PRIOR_DECISIONS);
}

/** Multiplies the odds, so that the result stays a probability: p' = o·lift / (1 + o·lift) with o = p / (1 − p). */
export function liftPropensity(propensity: number, lift: number): number {
  const odds = (propensity / (1 - propensity)) * lift;
  return Number.isFinite(odds) ? odds / (1 + odds) : 1;
}
