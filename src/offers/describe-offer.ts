/** What of an offer the learned offer model goes by. */
import type { OfferDescriptor } from '../algorithms/offer-model/offer-descriptor.ts';
import type { Item } from '../domain/item.ts';
import type { Benefit, Offer } from '../domain/offer.ts';

/** Most categories that an offer's effects are told apart by. */
const categoriesMax = 20;

/** `usualOrderMinor`: what a sum off is measured by. Stock does not matter: an offer is the same while something is sold out. */
export function describeOffer(
  { offerId, benefit, retention, categories, itemIds }: Offer,
  items: ReadonlyMap<string, Item>,
  usualOrderMinor: number,
): OfferDescriptor {
  const about = new Set(categories);
  for (const itemId of itemIds) {
    const category = items.get(itemId)?.category ?? '';
    if (category !== '') about.add(category);
  }
  return {
    offerId,
    kind: benefit.kind,
    depth: depthOf(benefit, usualOrderMinor),
    retention,
    categories: [...about].sort().slice(0, categoriesMax),
  };
}

/** What it gives beside a usual order. Points count as minor units, whatever they redeem for: only offers of a kind are compared. */
export function depthOf(benefit: Benefit, usualOrderMinor: number): number {
  const beside = (minor: number) => (usualOrderMinor > 0 ? minor / usualOrderMinor : 0);
  switch (benefit.kind) {
    case 'percentOff':
    case 'bundle':
      return benefit.percent / 100;
    case 'amountOff':
      return beside(benefit.amountMinor);
    case 'loyaltyPoints':
      return beside(benefit.points);
    case 'pointsMultiplier':
      return (benefit.factor - 1) / 10;
    case 'content':
      return 0;
    default:
      return beside(benefit.costMinor);
  }
}
