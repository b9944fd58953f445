/** Whether an outcome belongs to the offer that it is told of: what the service answers and what is learned must see alike. */
import type { DecidedOffer } from '../domain/decision.ts';
import { timeOfDecision } from '../domain/decision-time.ts';
import type { OfferOutcome } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

/** `early`, `late`: redeemed before the offer was made, or when the time for it was over: its purchase is not the offer's. */
export type Attribution = 'attributed' | 'early' | 'late';

/** Clocks differ, and a day is told as its midnight. */
const earlyMaxMs = dayMs;

/**
 * Everything but a redemption belongs to its offer whenever it comes. `decidedAt`, of the decision that showed the offer, and `at`, of the
 * outcome: milliseconds since 1970.
 */
export function attributionOf(
  decidedAt: number,
  { heldSince, redeemableUntil }: Partial<Pick<DecidedOffer, 'heldSince' | 'redeemableUntil'>>,
  outcome: OfferOutcome,
  at: number,
): Attribution {
  if (outcome !== 'redeemed') return 'attributed';
  // What she has had since another decision could be redeemed from then on.
  const madeAt = timeOfDecision(heldSince ?? '') ?? decidedAt;
  if (at < madeAt - earlyMaxMs) return 'early';
  return redeemableUntil === undefined || at < Date.parse(redeemableUntil) ? 'attributed' : 'late';
}
