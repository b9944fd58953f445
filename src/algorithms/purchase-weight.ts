import { dayMs } from './buy-again.ts';

/** How a customer's purchases of an item become the weight of one interaction. */
export type PurchaseWeighting = {
  /** A last purchase this many days ago weighs half. */
  halfLifeDays: number;
  /** What is left, at the least, of the weight of an old purchase: taste outlasts the shopping list. */
  floor: number;
};

/**
 * Confidence − 1 of an item bought in `purchaseCount` orders, last at `lastAt`: (1 + ln count), as Hu, Koren and
 * Volinsky 2008 eq. 6 has for skewed counts, times floor + (1 − floor)·2^(−age / half-life).
 */
export function purchaseWeight(
  weighting: PurchaseWeighting,
  purchaseCount: number,
  lastAt: number,
  now: number,
): number {
  const ageDays = Math.max(0, now - lastAt) / dayMs;
  const decay = weighting.floor + (1 - weighting.floor) * 2 ** (-ageDays / weighting.halfLifeDays);
  return (1 + Math.log(Math.max(1, purchaseCount))) * decay;
}
