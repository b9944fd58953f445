/**
 * What making an offer to a customer is worth, in minor units, next to saying nothing (0):
 *
 *   value = lever × ( uplift × margin + churnReduction × remainingLifetimeValue
 *                     − acceptPropensity × costWhenAccepted − costWhenMade − contactCost )
 *
 * The effects come from the learned offer model; until it knows an offer, from what is assumed of its kind of benefit. Neither knows of
 * a minimum basket: acceptance and uplift are times the share of her orders that reaches it (min-basket-reach.ts). A
 * lever reorders what is worth making; it is not negative, so it never turns a loss into a gain. One above 1 leaves a loss as
 * it is: who raises an offer does not mean to lower it.
 */

import { deviationOfSum } from '../algorithms/normal-distribution.ts';
import { ACCEPTANCE_ASSUMED } from '../algorithms/offer-model/assumed-effects.ts';
import type { OfferEffect } from '../algorithms/offer-model/offer-model.ts';
import type { Channel } from '../domain/channel.ts';
import type { OfferReason, ValueTerms } from '../domain/decision.ts';
import type { ValueWeights } from '../domain/decision-policy.ts';
import type { Offer } from '../domain/offer.ts';
import type { OfferCounts } from './accept-propensity.ts';
import { type Economics, type OfferCost, offerCost } from './cost.ts';
import type { CustomerFacts } from './customer-facts.ts';
import { minBasketReach } from './min-basket-reach.ts';
import type { OfferSubject } from './offer-subject.ts';
import { type PriorAcceptance, priorAcceptance, priorEffect } from './prior-effect.ts';
import type { ShopStatistics } from './shop-statistics.ts';

/** Further orders that a customer who is kept is counted with while no customer value model is there: an assumption. */
export const KEPT_ORDERS = 3;

const inFull: ValueWeights = { marginWeight: 1, lifetimeValueWeight: 1 };

/** A term counts as a reason from this factor on. */
const NOTABLE = 1.25;

export type OfferValue = { expectedValue: number; terms: ValueTerms; reasons: OfferReason[] };

/** What the value of every offer is reckoned with. */
export type ValueContext = {
  /** Of the decision. */
  channel: Channel;
  shop: ShopStatistics;
  economics: Economics;
  /** Of one contact on the channel of the decision; 0 where the customer has come to the shop. */
  contactCostMinor: number;
  /** The value of the basket of now, which stands for the average order where it is known. */
  basketMinor: number | undefined;
  /** By default all that an offer brings counts in full. */
  weights?: ValueWeights;
};

export type ReckonedValue = {
  expectedValue: number;
  standardDeviationMinor: number;
  acceptPropensity: number;
};

/** What a value comes from. */
type ValueParts = {
  uplift: number;
  reach: number;
  churnReduction: number;
  prior: PriorAcceptance;
  learned: OfferEffect | undefined;
  orderMinor: number;
  marginRate: number;
  marginMinor: number;
  remainingMinor: number | null;
  cost: OfferCost;
  lever: number;
  purchases: number;
  keeps: number;
};

/**
 * `extraLever` is that of an experiment. `parts`: is told what the value comes from; of fifty offers that compete one is made, and those of
 * the others are not asked for.
 */
export function reckonValue(
  offer: Offer,
  subject: OfferSubject,
  facts: CustomerFacts,
  counts: OfferCounts,
  { channel, shop, economics, contactCostMinor, basketMinor, weights = inFull }: ValueContext,
  extraLever = 1,
  parts?: ValueParts,
): ReckonedValue {
  const prior = priorAcceptance(offer, subject, facts, counts, shop);
  const learned = facts.effectOf(offer, channel);
  const effect = learned ?? priorEffect(offer, channel, facts, counts, prior);
  const { churnReduction, churnReductionDeviation } = effect;

  const usualMinor = basketMinor ?? facts.averageOrderMinor ?? shop.medianPriceMinor;
  const aboutMinor = Math.max(usualMinor, subject.unitPriceMinor ?? 0);
  const orderMinor = Math.max(aboutMinor, offer.minBasketMinor ?? 0);
  const reach = minBasketReach(offer.minBasketMinor, aboutMinor);
  const acceptPropensity = reach * effect.acceptPropensity;
  const uplift = reach * effect.uplift;
  const upliftDeviation = reach * effect.upliftDeviation;
  const marginRate = offer.marginRate ?? subject.marginRate;
  const marginMinor = marginRate * orderMinor * weights.marginWeight;
  // Not asked for where it counts nothing: it takes longer to work out than all the rest.
  const remainingMinor =
    churnReduction === 0 && churnReductionDeviation === 0
      ? null
      : (facts.remainingLifetimeValueMinor ?? KEPT_ORDERS * marginRate * usualMinor) *
        weights.lifetimeValueWeight;
  const cost = offerCost(offer.benefit, subject.unitPriceMinor ?? orderMinor, orderMinor, economics);

  const lever = offer.priorityLever * extraLever;
  const purchases = uplift * marginMinor;
  const keeps = churnReduction * (remainingMinor ?? 0);
  const costs = acceptPropensity * cost.whenAccepted + cost.whenMade + contactCostMinor;
  const plain = purchases + keeps - costs;
  const raised = plain > 0 ? lever : Math.min(lever, 1);
  const reckoned = raised * plain;
  const standardDeviationMinor =
    raised * deviationOfSum(upliftDeviation * marginMinor, churnReductionDeviation * (remainingMinor ?? 0));
  // What speaks for it is known to be wrong: to try it costs something, and is rarely drawn.
  const expectedValue = learned?.withheld === true ? Math.min(reckoned, -standardDeviationMinor) : reckoned;
  if (parts !== undefined)
    Object.assign(parts, {
      uplift,
      reach,
      churnReduction,
      prior,
      learned,
      orderMinor,
      marginRate,
      marginMinor,
      remainingMinor,
      cost,
      lever,
      purchases,
      keeps,
    } satisfies ValueParts);
  return { expectedValue, standardDeviationMinor, acceptPropensity };
}

/** `reckonValue` with its terms and reasons. */
export function offerValue(
  offer: Offer,
  subject: OfferSubject,
  facts: CustomerFacts,
  counts: OfferCounts,
  context: ValueContext,
  extraLever = 1,
): OfferValue {
  const parts = {} as ValueParts;
  const reckoned = reckonValue(offer, subject, facts, counts, context, extraLever, parts);
  const { expectedValue, acceptPropensity, standardDeviationMinor } = reckoned;
  const { uplift, reach, churnReduction, prior, learned, cost, lever, purchases, keeps } = parts;

  const reasons: OfferReason[] = [];
  if (prior.baseAcceptPropensity >= NOTABLE * ACCEPTANCE_ASSUMED[offer.benefit.kind])
    reasons.push('often-redeemed');
  if (learned === undefined && prior.affinityLift >= NOTABLE) reasons.push('fits-taste');
  // Where nobody has told the risk, what keeping is worth is a guess of the shop's, and no word about this customer.
  if (facts.churnRisk !== undefined && keeps > 0 && keeps >= (NOTABLE - 1) * purchases)
    reasons.push('may-leave');
  if (learned !== undefined && uplift > 0 && uplift >= (NOTABLE - 1) * acceptPropensity)
    reasons.push('persuades');
  if (lever >= NOTABLE) reasons.push('lever');
  if (reasons.length === 0 && expectedValue > 0) reasons.push('worth-more-than-nothing');
  return {
    expectedValue,
    reasons,
    terms: {
      source: learned === undefined ? 'prior' : 'model',
      acceptPropensity,
      uplift,
      ...(reach < 1 && { minBasketReach: reach }),
      orderMinor: parts.orderMinor,
      marginRate: parts.marginRate,
      marginMinor: parts.marginMinor,
      churnRisk: facts.churnRisk ?? null,
      churnReduction,
      remainingLifetimeValueMinor: parts.remainingMinor,
      costWhenAcceptedMinor: cost.whenAccepted,
      costWhenMadeMinor: cost.whenMade,
      contactCostMinor: context.contactCostMinor,
      priorityLever: lever,
      standardDeviationMinor,
      ...(learned?.withheld === true && { withheld: true as const }),
      made: counts.made,
      redeemed: counts.redeemed,
      affinityLift: prior.affinityLift,
    },
  };
}
