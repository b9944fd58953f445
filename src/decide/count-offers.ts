/** Counts offers made and redeemed, each once, however often it is told. */

import { madePlace } from '../infra/decision-places.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';

// Markers beside the counters, on their node of a cluster: set and count are one step, so that a repeat after a
// crash neither counts twice nor not at all.
/** Lua: KEYS: the counters, the markers. ARGV: the markers' lifetime in seconds, the decision's marker, ids of offers. */
export const countMadeLua = `
local function countMade(KEYS, ARGV)
  if redis.call('SADD', KEYS[2], ARGV[2]) == 0 then return 0 end
  redis.call('EXPIRE', KEYS[2], ARGV[1])
  for i = 3, #ARGV do redis.call('HINCRBY', KEYS[1], ARGV[i], 1) end
  return 1
end
`;
const countMadeOnce = redisScript(`${countMadeLua} return countMade(KEYS, ARGV)`);
const countRedeemedOnce = redisScript(`
  if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[1]) then return 0 end
  redis.call('HINCRBY', KEYS[1], ARGV[2], 1)
  return 1
`);

/** Whoever asks for a decision that stands may log it once more, if whoever made it fell, for the day that it stands. */
const madeTtlSeconds = 2 * 86_400;

/** Counts the offers of a decision as made; told again within two days, or `ttlSeconds`, they count once. */
export async function countMade(
  redis: Redis,
  keys: Keys,
  decisionId: string,
  offerIds: readonly string[],
  ttlSeconds = madeTtlSeconds,
): Promise<void> {
  if (offerIds.length === 0) return;
  const counted = prepareMade(keys, decisionId, offerIds, ttlSeconds);
  await countMadeOnce(redis, counted.keys, counted.args);
}

/** What `countMadeLua` wants. */
export function prepareMade(
  keys: Keys,
  decisionId: string,
  offerIds: readonly string[],
  ttlSeconds = madeTtlSeconds,
): { keys: [string, string]; args: (string | number)[] } {
  const { key, member } = madePlace(decisionId, keys);
  return { keys: [keys.offersMade, key], args: [ttlSeconds, member, ...offerIds] };
}

/** Counts an offer of a decision as redeemed; told again within `ttlSeconds`, which should be as long as the decision is known, it counts once. */
export async function countRedeemed(
  redis: Redis,
  keys: Keys,
  decisionId: string,
  offerId: string,
  ttlSeconds: number,
): Promise<void> {
  const marker = keys.offersRedeemedMarker(decisionId, offerId);
  await countRedeemedOnce(redis, [keys.offersRedeemed, marker], [ttlSeconds, offerId]);
}
