/** Until when an offer that was made may be redeemed. */
import type { BenefitKind, Offer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

export const NOTHING_TO_REDEEM: ReadonlySet<BenefitKind> = new Set(['content', 'serviceContact']);

/** Milliseconds since 1970: its own days after it was made, at most until it ends. undefined = nothing to redeem. */
export function redeemableUntil(
  { benefit, redeemWithinDays, validTo }: Pick<Offer, 'benefit' | 'redeemWithinDays' | 'validTo'>,
  madeAt: number,
): number | undefined {
  if (NOTHING_TO_REDEEM.has(benefit.kind)) return undefined;
  const own = madeAt + redeemWithinDays * dayMs;
  return validTo === undefined ? own : Math.min(own, Date.parse(validTo));
}
