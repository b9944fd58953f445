/** Counts offers made and redeemed, each once, however often it is told. */

import { madePlace } from '../infra/decision-places.ts';
import type { Keys } from '../infra/keys.ts';
import { bindInputs, inOrder, namedScript, type ScriptValue } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';

// Markers beside the counters, on their node of a cluster: set and count are one step, so that a repeat after a
// crash neither counts twice nor not at all.
/** `marker`: the decision's, which lives that long. Then ids of offers. */
const madeInputs = { keys: ['counters', 'markers'], args: ['ttlSeconds', 'marker'] } as const;
/** Lua: `countMade(KEYS, ARGV)` of what `prepareMade` makes. */
export const countMadeLua = `
local function countMade(KEYS, ARGV)
  ${bindInputs(madeInputs)}
  if redis.call('SADD', markers, marker) == 0 then return 0 end
  redis.call('EXPIRE', markers, ttlSeconds)
  for i = firstOfRest, #ARGV do redis.call('HINCRBY', counters, ARGV[i], 1) end
  return 1
end
`;
const countMadeOnce = redisScript(`${countMadeLua} return countMade(KEYS, ARGV)`);
const countRedeemedOnce = namedScript(
  { keys: ['counters', 'marker'], args: ['ttlSeconds', 'offerId'] },
  `
  if not redis.call('SET', marker, '1', 'NX', 'EX', ttlSeconds) then return 0 end
  redis.call('HINCRBY', counters, offerId, 1)
  return 1
`,
);

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

/** What `countMade` is given. */
export function prepareMade(
  keys: Keys,
  decisionId: string,
  offerIds: readonly string[],
  ttlSeconds = madeTtlSeconds,
): { keys: string[]; args: ScriptValue[] } {
  const { key, member } = madePlace(decisionId, keys);
  return inOrder(
    madeInputs,
    { counters: keys.offersMade, markers: key, ttlSeconds, marker: member },
    offerIds,
  );
}

/**
 * Counts an offer of a decision as redeemed; told again within `ttlSeconds`, which should be as long as the decision is known,
 * it counts once.
 */
export async function countRedeemed(
  redis: Redis,
  keys: Keys,
  decisionId: string,
  offerId: string,
  ttlSeconds: number,
): Promise<void> {
  const marker = keys.offersRedeemedMarker(decisionId, offerId);
  await countRedeemedOnce(redis, { counters: keys.offersRedeemed, marker, ttlSeconds, offerId });
}
