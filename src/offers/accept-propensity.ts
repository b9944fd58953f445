/** How likely a customer is to accept an offer. */
import { ACCEPTANCE_ASSUMED, ACCEPTANCE_DECISIONS } from '../algorithms/offer-model/assumed-effects.ts';
import type { BenefitKind } from '../domain/offer.ts';

/** Times an offer was made and was redeemed. */
export type OfferCounts = { made: number; redeemed: number };

/** Posterior mean of a Beta(α, β) prior with α + β = `ACCEPTANCE_DECISIONS`: (redeemed + α) / (made + α + β). */
export function baseAcceptPropensity(kind: BenefitKind, { made, redeemed }: OfferCounts): number {
  // Counters are kept in Redis and may have been lost at different times.
  const counted = Math.min(redeemed, made);
  return (counted + ACCEPTANCE_ASSUMED[kind] * ACCEPTANCE_DECISIONS) / (made + ACCEPTANCE_DECISIONS);
}

/** Standard deviation of that Beta, around a propensity that may have been lifted. */
export function acceptDeviation(propensity: number, { made }: OfferCounts): number {
  return Math.sqrt((propensity * (1 - propensity)) / (made + ACCEPTANCE_DECISIONS + 1));
}

/** Multiplies the odds, so that the result stays a probability: p' = o·lift / (1 + o·lift) with o = p / (1 − p). */
export function liftPropensity(propensity: number, lift: number): number {
  const odds = (propensity / (1 - propensity)) * lift;
  // Each step rounds one way for all, so that the order holds to the last bit, which odds / (1 + odds) turns round near 1.
  return 1 / (1 + 1 / odds);
}
