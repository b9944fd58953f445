/**
 * Until when a redemption may be told of, so that it is counted: so long does every step that counts it once know a repeat. What comes
 * later is refused, since nobody could say whether it has been counted.
 */

import type { Offer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';
import { redeemableUntil } from '../offers/redeemable-until.ts';
import type { OutlinedOffer } from './decision-outline.ts';
import { reportingMs } from './ledger/contact-for.ts';

/** After the last moment at which the offer could be redeemed; where nothing is to be redeemed, after it was made. */
export const toldWithinDays = 60;

/**
 * Milliseconds since 1970, as is `decidedAt`. The same for every decision with an offer that the customer goes on to hold, because that
 * keeps its `redeemableUntil`.
 */
export function toldUntil(
  { redeemableUntil }: Pick<OutlinedOffer, 'redeemableUntil'>,
  decidedAt: number,
): number {
  return (redeemableUntil === undefined ? decidedAt : Date.parse(redeemableUntil)) + toldWithinDays * dayMs;
}

/**
 * Until when an offer that is made may be out: redeemed, or where nothing is to be redeemed used within its own days. With the time to
 * report on it, no longer than it may be told of.
 */
export function outUntil(
  offer: Pick<Offer, 'benefit' | 'redeemWithinDays' | 'validTo'>,
  madeAt: number,
): number {
  const own = redeemableUntil(offer, madeAt);
  return own ?? madeAt + Math.min(offer.redeemWithinDays * dayMs, toldWithinDays * dayMs - reportingMs);
}
