/**
 * Until when a redemption may be told of, so that it is counted: so long does every step that counts it once know a repeat. What comes
 * later is refused, since nobody could say whether it has been counted.
 */
import { dayMs } from '../domain/time.ts';
import type { OutlinedOffer } from './decision-outline.ts';

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
