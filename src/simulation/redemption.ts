/** What an offer costs when it is redeemed: a discount within the order's lines, or something besides. */
import { DISCOUNTS } from '../domain/offer.ts';
import { type Economics, offerCost } from '../offers/cost.ts';
import type { OrderLine } from './event-writer.ts';
import type { Coupon, Journey } from './journey.ts';
import type { SimulatedOffer } from './offer-effects.ts';

/** Of points: an order earns one for each whole unit of the currency. */
export const ECONOMICS: Economics = { pointValueMinor: 1, pointsPerCurrencyUnit: 1, minorPerUnit: 100 };

/** Whether the coupon counts for a basket put together now. */
export function isRedeemable(
  journey: Journey,
  { simulated, until }: Coupon,
  lines: readonly OrderLine[],
  at: number,
): boolean {
  const { offer, categories, items } = simulated;
  if (at > until || worthOf(lines) < (offer.minBasketMinor ?? 0)) return false;
  if (items.length > 0) return items.every((item) => lines.some((line) => line.item === item));
  return categories.length === 0 || linesOf(journey, simulated, lines).length > 0;
}

/** What the benefit costs on these lines, minor units; a discount is written into them. */
export function redeem(journey: Journey, { simulated }: Coupon, lines: readonly OrderLine[]): number {
  const { benefit } = simulated.offer;
  const about = linesOf(journey, simulated, lines);
  const value = worthOf(about);
  const cost = Math.round(offerCost(benefit, value, worthOf(lines), ECONOMICS).whenAccepted);
  if (!DISCOUNTS.has(benefit.kind)) return cost;
  for (const line of about) {
    const worth = line.quantity * line.unitPriceMinor - line.discountMinor;
    line.discountMinor += Math.min(worth, Math.round((cost * worth) / value));
  }
  return cost;
}

function linesOf(
  { shop }: Journey,
  { categories, items }: SimulatedOffer,
  lines: readonly OrderLine[],
): OrderLine[] {
  if (items.length > 0) return lines.filter(({ item }) => items.includes(item));
  return lines.filter(
    ({ item }) => categories.length === 0 || categories.includes(shop.catalogue.items[item]!.category),
  );
}

function worthOf(lines: readonly OrderLine[]): number {
  let value = 0;
  for (const line of lines) value += line.quantity * line.unitPriceMinor - line.discountMinor;
  return value;
}
