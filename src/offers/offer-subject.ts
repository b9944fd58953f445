/** What an offer is about, in the catalogue of today. */
import type { Item } from '../domain/item.ts';
import type { Offer } from '../domain/offer.ts';
import { isBuyable, marginRateOf, type ShopStatistics } from './shop-statistics.ts';

export type OfferSubject = {
  /** The items that can be bought, at most `MAX_ITEMS` of them but for a bundle; empty = not about items. */
  items: readonly Item[];
  /** Categories that it names, and those of its items; empty = the whole shop. */
  categories: ReadonlySet<string>;
  /** Mean price of the items, that of all together where they are a bundle; undefined = not about items, or no price is known. */
  unitPriceMinor: number | undefined;
  marginRate: number;
};

/** Enough to estimate a mean from; keeps an offer about a thousand items from costing a thousand look-ups a request. */
const MAX_ITEMS = 50;

export function offerSubject(
  offer: Offer,
  items: ReadonlyMap<string, Item>,
  shop: ShopStatistics,
): OfferSubject {
  const buyable: Item[] = [];
  for (const itemId of offer.itemIds) {
    const item = items.get(itemId);
    if (item !== undefined && isBuyable(item)) buyable.push(item);
    if (buyable.length === MAX_ITEMS && offer.benefit.kind !== 'bundle') break;
  }
  const categories = new Set(offer.categories);
  for (const item of buyable) categories.add(item.category);
  const prices = buyable.flatMap((item) => (item.priceMinor === undefined ? [] : [item.priceMinor]));
  const rates = buyable.flatMap((item) => marginRateOf(item) ?? []);
  if (rates.length === 0)
    for (const category of categories) rates.push(shop.categoryMarginRates.get(category) ?? shop.marginRate);
  return {
    items: buyable,
    categories,
    unitPriceMinor: offer.benefit.kind === 'bundle' ? sum(prices) : mean(prices),
    marginRate: mean(rates) ?? shop.marginRate,
  };
}

function sum(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number | undefined {
  const total = sum(values);
  return total === undefined ? undefined : total / values.length;
}
