/** How much of its budget an offer takes while it is out. */
import type { Benefit } from '../domain/offer.ts';
import { type Economics, largestCostMinor } from './cost.ts';

/** The most that it can cost, whole minor units; nothing where that has no bound: such an offer's budget is of a number alone. */
export function reservedCostMinor(benefit: Benefit, economics: Economics): number {
  return Math.ceil(largestCostMinor(benefit, economics) ?? 0);
}
