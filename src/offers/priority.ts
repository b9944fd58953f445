/**
 * What making an offer to a customer is worth, in minor units, next to saying nothing (0). Pega's P × C × V × L
 * (propensity, context, value, lever) with the propensity and its context written as one lifted probability:
 *
 *   priority      = (acceptPropensity × (gain − costWhenAccepted) − costWhenMade) × lever
 *   gain          = marginRate × order × (ordersNow + KEPT_ORDERS × churnRisk where the offer is to keep the customer)
 *
 * A lever reorders what is worth making; it is positive, so it never turns a loss into a gain.
 */
import type { OfferReason, PriorityTerms } from '../domain/decision.ts';
import type { Benefit, Offer } from '../domain/offer.ts';
import {
  baseAcceptPropensity,
  liftPropensity,
  type OfferCounts,
  PRIOR_ACCEPTANCE,
} from './accept-propensity.ts';
import { affinityLift } from './affinity.ts';
import type { CustomerFacts } from './customer-facts.ts';
import type { OfferSubject } from './offer-subject.ts';
import type { ShopStatistics } from './shop-statistics.ts';

/** Further orders that a customer who is kept is counted with: an assumption. */
const KEPT_ORDERS = 3;

/** A term counts as a reason from this factor on. */
const NOTABLE = 1.25;

export type Priority = { priority: number; terms: PriorityTerms; reasons: OfferReason[] };

/** `basketMinor`, the value of what is in the basket now, stands for the average order where it is given. */
export function offerPriority(
  offer: Offer,
  subject: OfferSubject,
  facts: CustomerFacts,
  shop: ShopStatistics,
  counts: OfferCounts,
  basketMinor?: number,
): Priority {
  const base = baseAcceptPropensity(offer.benefit.kind, counts);
  const lift = affinityLift(subject, facts, shop);
  const acceptPropensity = liftPropensity(base, lift);

  const usualMinor = basketMinor ?? facts.averageOrderMinor ?? shop.medianPriceMinor;
  const orderMinor = Math.max(usualMinor, subject.unitPriceMinor ?? 0);
  const keeps = offer.retention || offer.benefit.kind === 'serviceContact';
  // A call brings no order by itself; whatever else is accepted comes with one.
  const ordersNow = offer.benefit.kind === 'serviceContact' ? 0 : 1;
  const ordersKept = keeps ? KEPT_ORDERS * (facts.churnRisk ?? 0) : 0;
  const gainMinor = subject.marginRate * orderMinor * (ordersNow + ordersKept);
  const cost = costOf(offer.benefit, subject.unitPriceMinor ?? orderMinor);

  const priority = (acceptPropensity * (gainMinor - cost.whenAccepted) - cost.whenMade) * offer.priorityLever;
  const reasons: OfferReason[] = [];
  if (base >= NOTABLE * PRIOR_ACCEPTANCE[offer.benefit.kind]) reasons.push('often-redeemed');
  if (lift >= NOTABLE) reasons.push('fits-taste');
  if (ordersKept > 0 && ordersNow + ordersKept >= NOTABLE * ordersNow) reasons.push('may-leave');
  if (offer.priorityLever >= NOTABLE) reasons.push('lever');
  if (reasons.length === 0) reasons.push('worth-more-than-nothing');
  return {
    priority,
    reasons,
    terms: {
      made: counts.made,
      redeemed: counts.redeemed,
      baseAcceptPropensity: base,
      affinityLift: lift,
      acceptPropensity,
      orderMinor,
      marginRate: subject.marginRate,
      churnRisk: facts.churnRisk ?? null,
      gainMinor,
      costWhenAcceptedMinor: cost.whenAccepted,
      costWhenMadeMinor: cost.whenMade,
      priorityLever: offer.priorityLever,
    },
  };
}

/**
 * What the benefit costs the shop. `discountedMinor` is the value that a discount is taken from: the items that the
 * offer is about, else the whole order (for an offer about a category that is an upper bound).
 */
function costOf(benefit: Benefit, discountedMinor: number): { whenAccepted: number; whenMade: number } {
  switch (benefit.kind) {
    case 'percentOff':
      return { whenAccepted: (benefit.percent / 100) * discountedMinor, whenMade: 0 };
    case 'amountOff':
      return { whenAccepted: Math.min(benefit.amountMinor, discountedMinor), whenMade: 0 };
    case 'freeDelivery':
    case 'loyaltyPoints':
      return { whenAccepted: benefit.costMinor, whenMade: 0 };
    case 'serviceContact':
      return { whenAccepted: 0, whenMade: benefit.costMinor };
    case 'content':
      return { whenAccepted: 0, whenMade: 0 };
  }
}
