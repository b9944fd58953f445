import { dayMs } from '../domain/time.ts';

/** How a customer's purchases of an item become the weight of one interaction. */
export type PurchaseWeighting = {
  /** A last purchase this many days ago weighs half. */
  halfLifeDays: number;
  /** What is left, at the least, of the weight of an old purchase: with nothing left, an old customer's factors would vanish. */
  floor: number;
};

/**
 * Confidence − 1 of an item bought in `purchaseCount` orders, last at `lastAt`: (1 + ln count), as Hu, Koren and
 * Volinsky 2008 eq. 6 has for skewed counts, times floor + (1 − floor)·2^(−age / half-life), with the age at the
 * instant `reference`.
 */
export function purchaseWeight(
  weighting: PurchaseWeighting,
  purchaseCount: number,
  lastAt: number,
  reference: number,
): number {
  return (1 + Math.log(Math.max(1, purchaseCount))) * decayAt(weighting, lastAt, reference);
}

/** What is left, at the instant `reference`, of the weight of something that happened at `lastAt`: 1 down to the floor. */
export function decayAt(weighting: PurchaseWeighting, lastAt: number, reference: number): number {
  const ageDays = Math.max(0, reference - lastAt) / dayMs;
  return weighting.floor + (1 - weighting.floor) * 2 ** (-ageDays / weighting.halfLifeDays);
}
