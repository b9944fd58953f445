/** What an offer costs the shop. */
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { Benefit } from '../domain/offer.ts';

export type Economics = {
  /** What a point is worth when it is redeemed, minor units. */
  pointValueMinor: number;
  /** Points that an order earns for each whole unit of the currency, and how many minor units that unit has. */
  pointsPerCurrencyUnit: number;
  minorPerUnit: number;
};

export function economicsOf({ economics }: Pick<DecisionPolicy, 'economics'>, currency: string): Economics {
  return { ...economics, minorPerUnit: minorPerUnit(currency) };
}

export type OfferCost = { whenAccepted: number; whenMade: number };

/**
 * Expected cost in minor units. `discountedMinor` is the value that a discount is taken from: the items that the offer is
 * about, else the whole order (for an offer about a category that is an upper bound). `orderMinor` is the whole order.
 */
export function offerCost(
  benefit: Benefit,
  discountedMinor: number,
  orderMinor: number,
  economics: Economics,
): OfferCost {
  const accepted = (whenAccepted: number) => ({ whenAccepted, whenMade: 0 });
  switch (benefit.kind) {
    case 'percentOff':
    case 'bundle':
      return accepted(Math.min((benefit.percent / 100) * discountedMinor, benefit.maxMinor ?? Infinity));
    case 'amountOff':
      return accepted(Math.min(benefit.amountMinor, discountedMinor));
    case 'loyaltyPoints':
      return accepted(benefit.points * economics.pointValueMinor);
    case 'pointsMultiplier': {
      const earned = (orderMinor / economics.minorPerUnit) * economics.pointsPerCurrencyUnit;
      const points = Math.min((benefit.factor - 1) * earned, benefit.maxPoints ?? Infinity);
      return accepted(points * economics.pointValueMinor);
    }
    case 'freeDelivery':
    case 'gift':
    case 'tierTrial':
    case 'earlyAccess':
    case 'communityInvitation':
      return accepted(benefit.costMinor);
    case 'serviceContact':
      return { whenAccepted: 0, whenMade: benefit.costMinor };
    case 'content':
      return accepted(0);
  }
}

/** The most that an offer can cost once it has been made; undefined: there is no bound. */
export function largestCostMinor(benefit: Benefit, { pointValueMinor }: Economics): number | undefined {
  switch (benefit.kind) {
    case 'percentOff':
    case 'bundle':
      return benefit.maxMinor;
    case 'amountOff':
      return benefit.amountMinor;
    case 'loyaltyPoints':
      return Math.ceil(benefit.points * pointValueMinor);
    case 'pointsMultiplier':
      return benefit.maxPoints === undefined ? undefined : Math.ceil(benefit.maxPoints * pointValueMinor);
    case 'content':
      return 0;
    default:
      return benefit.costMinor;
  }
}

/** Minor units of a whole one: 100 cents, but a single yen. */
function minorPerUnit(currency: string): number {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return 10 ** maximumFractionDigits;
}
