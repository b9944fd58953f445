import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import {
  lastRatedBelow,
  type RatingLow,
  ratingLowsMax,
  updateRatingLows,
} from '../../src/features/rating-lows.ts';
import { startMs } from '../support/events.ts';

function rated(rating: number, days: number): ShopEvent {
  const at = startMs + days * dayMs;
  return { type: 'rating', rating, eventId: `${days}`, channel: 'web', occurredAt: at } as ShopEvent;
}

function lowsOf(...events: ShopEvent[]): RatingLow[] {
  const lows: RatingLow[] = [];
  for (const event of events) updateRatingLows(lows, event);
  return lows;
}

test('a good rating does not hide the bad one before it; a bad one hides what was no worse', () => {
  const lows = lowsOf(rated(2, 1), rated(1, 2), rated(4, 3), rated(5, 4));
  expect(lows.map(({ rating }) => rating)).toEqual([1, 4, 5]);
  expect(lastRatedBelow(lows, 3)).toBe(startMs + 2 * dayMs);
  expect(lastRatedBelow(lows, 4.5)).toBe(startMs + 3 * dayMs);
  expect(lastRatedBelow(lows, 1)).toBeUndefined();
});

test('of several ratings of one instant, as a form sends them, the lowest counts', () => {
  for (const ratings of [
    [1, 5],
    [5, 1],
  ])
    expect(lastRatedBelow(lowsOf(...ratings.map((rating) => rated(rating, 1))), 3)).toBe(startMs + dayMs);
});

test('in whatever order ratings come, any bound finds the last one below it', () => {
  const rating = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(1.5, 2.5, 3.5));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(rating, fc.integer({ min: 0, max: 40 })), { maxLength: 40 }),
      rating,
      (all, bound) => {
        const lows = lowsOf(...all.map(([stars, day]) => rated(stars, day)));
        const below = all.filter(([stars]) => stars < bound).map(([, day]) => startMs + day * dayMs);
        expect(lastRatedBelow(lows, bound)).toBe(below.length === 0 ? undefined : Math.max(...below));
      },
    ),
  );
});

test('however finely somebody rates, the lows are bounded and the newest stay', () => {
  const lows = lowsOf(...Array.from({ length: 40 }, (_, i) => rated(1 + i / 10, i)));
  expect(lows).toHaveLength(ratingLowsMax);
  expect(lows.at(-1)?.rating).toBe(1 + 39 / 10);
});
