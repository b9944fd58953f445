/** How often offers were counted as made or redeemed, whether that is settled or not: offer id → times. */
import type { Keys } from '../../src/infra/keys.ts';
import type { Redis } from '../../src/infra/redis.ts';

export function timesMade(redis: Redis, keys: Keys): Promise<Record<string, number>> {
  return summed(redis, keys.offersMade, keys.offersMadeOpen);
}

export function timesRedeemed(redis: Redis, keys: Keys): Promise<Record<string, number>> {
  return summed(redis, keys.offersRedeemed, keys.offersRedeemedOpen);
}

async function summed(redis: Redis, settled: string, open: string): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  const add = (offerId: string, count: string) => {
    times[offerId] = (times[offerId] ?? 0) + Number(count);
  };
  for (const [offerId, count] of Object.entries(await redis.hgetall(settled))) add(offerId, count);
  for (const [field, count] of Object.entries(await redis.hgetall(open)))
    add(field.replace(/^\d+:/, ''), count);
  return times;
}
