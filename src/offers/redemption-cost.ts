/** What a redemption has cost the shop. */
import type { DecidedOffer, ValueTerms } from '../domain/decision.ts';
import { type Economics, offerCost } from './cost.ts';

/**
 * By the benefit, on an order of this value; where that is not known, what the decision expected. Whole minor units. A
 * discount on some items of the order is reckoned on all of it, and so is an upper bound: who knows better tells.
 */
export function redemptionCost(
  {
    benefit,
    terms,
  }: Pick<DecidedOffer, 'benefit'> & {
    terms?: Pick<ValueTerms, 'costWhenAcceptedMinor' | 'costWhenMadeMinor'> | undefined;
  },
  orderMinor: number | undefined,
  economics: Economics,
): number {
  if (orderMinor === undefined && terms !== undefined)
    return Math.round(terms.costWhenAcceptedMinor + terms.costWhenMadeMinor);
  const { whenAccepted, whenMade } = offerCost(benefit, orderMinor ?? 0, orderMinor ?? 0, economics);
  return Math.round(whenAccepted + whenMade);
}
