/** How often each offer was made and redeemed, of those that nobody can redeem any more: read by every decision, so kept for a few seconds. */
import { dayMs } from '../domain/time.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import type { OfferCounts } from '../offers/accept-propensity.ts';
import { settleCounts } from './count-offers.ts';

export type CountsOf = (offerId: string) => OfferCounts;

export type OfferCounter = {
  /** At most `maxAgeMs` old. Rejects when Redis is away. */
  read: () => Promise<CountsOf>;
  /** What was read last; nothing counted before that. */
  known: () => CountsOf;
};

/** Counts move a propensity by fractions of a per cent: a few seconds' delay changes no decision. */
const maxAgeMs = 5000;

export function createOfferCounter(redis: Redis, keys: Keys, now: () => number): OfferCounter {
  let known: CountsOf = () => ({ made: 0, redeemed: 0 });
  let readAt = -Infinity;
  let reading: Promise<CountsOf> | undefined;
  let settledOn: number | undefined;

  /** Once a day, by whichever process comes first. */
  async function settle(at: number): Promise<void> {
    const today = Math.floor(at / dayMs);
    if (settledOn === today) return;
    await settleCounts(redis, keys, at);
    settledOn = today;
  }

  async function refresh(): Promise<CountsOf> {
    const startedAt = now();
    // A Redis that is full can still be read: counts of yesterday are better than none, and the next reading tries again.
    await settle(startedAt).catch(() => {});
    const [made, redeemed] = await Promise.all([
      redis.hgetall(keys.offersMade),
      redis.hgetall(keys.offersRedeemed),
    ]);
    const read = new Map<string, OfferCounts>();
    known = (offerId) => {
      let counts = read.get(offerId);
      if (counts === undefined) {
        counts = { made: countIn(made, offerId), redeemed: countIn(redeemed, offerId) };
        read.set(offerId, counts);
      }
      return counts;
    };
    readAt = startedAt;
    return known;
  }

  return {
    known: () => known,
    read: () => {
      if (now() - readAt < maxAgeMs) return Promise.resolve(known);
      reading ??= refresh().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}

function countIn(counts: Readonly<Record<string, string>>, offerId: string): number {
  const count = Number(Object.hasOwn(counts, offerId) ? counts[offerId] : 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
