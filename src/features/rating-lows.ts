/**
 * When a customer last rated below a bound, whatever the bound is: shops set it in a file, and records outlive the file. A
 * rating is kept until a later one is as low or lower, so that a handful stands for all of them.
 */
import type { ShopEvent } from '../domain/event.ts';

/** 1 bad to 5 good; `at` in milliseconds since 1970. */
export type RatingLow = { rating: number; at: number };

/** One for each whole star and then some: beyond, the oldest makes room. */
export const ratingLowsMax = 20;

/** Folds an event into the lows, in place: oldest and lowest first, each one higher than those before it. */
export function updateRatingLows(lows: RatingLow[], event: ShopEvent): void {
  if (event.type !== 'rating') return;
  const { rating, occurredAt: at } = event;
  if (lows.some((low) => low.at >= at && low.rating <= rating)) return;
  const kept = lows.filter((low) => low.at > at || low.rating < rating);
  const later = kept.findIndex((low) => low.at > at);
  kept.splice(later === -1 ? kept.length : later, 0, { rating, at });
  lows.splice(0, lows.length, ...kept.slice(-ratingLowsMax));
}

/** The last time at which the customer rated below `bound`; undefined = never. */
export function lastRatedBelow(lows: readonly RatingLow[], bound: number): number | undefined {
  return lows.findLast((low) => low.rating < bound)?.at;
}
