/**
 * Counts offers made and redeemed, each once, however often it is told. Those of a day are settled together, when nobody can redeem
 * them any more: until then what was made would look refused, and what was redeemed early like more than the share that it is.
 */

import { timeOfDecision } from '../domain/decision-time.ts';
import { dayMs } from '../domain/time.ts';
import { madePlace } from '../infra/decision-places.ts';
import type { Keys } from '../infra/keys.ts';
import { bindInputs, inOrder, namedScript, type ScriptValue } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';

// Markers beside the counters, on their node of a cluster: set and count are one step, so that a repeat after a
// crash neither counts twice nor not at all.
/** `marker`: the decision's, which lives that long. Then fields of `open`. */
const madeInputs = { keys: ['open', 'markers'], args: ['ttlSeconds', 'marker'] } as const;
/** Lua: `countMade(KEYS, ARGV)` of what `prepareMade` makes. */
export const countMadeLua = `
local function countMade(KEYS, ARGV)
  ${bindInputs(madeInputs)}
  if redis.call('SADD', markers, marker) == 0 then return 0 end
  redis.call('EXPIRE', markers, ttlSeconds)
  for i = firstOfRest, #ARGV do redis.call('HINCRBY', open, ARGV[i], 1) end
  return 1
end
`;
const countMadeOnce = redisScript(`${countMadeLua} return countMade(KEYS, ARGV)`);
const countRedeemedOnce = namedScript(
  { keys: ['open', 'marker'], args: ['ttlSeconds', 'field'] },
  `
  if not redis.call('SET', marker, '1', 'NX', 'EX', ttlSeconds) then return 0 end
  redis.call('HINCRBY', open, field, 1)
  return 1
`,
);
// Field by field, each moved once: another process may be at the same ones.
const settleFields = namedScript(
  { keys: ['settled', 'open'], args: [] },
  `
  for i = firstOfRest, #ARGV do
    local count = redis.call('HGET', open, ARGV[i])
    if count then
      redis.call('HINCRBY', settled, string.match(ARGV[i], '^%d+:(.*)$'), count)
      redis.call('HDEL', open, ARGV[i])
    end
  end
`,
);
/** Lua takes some thousands of arguments at once, and others wait meanwhile. */
const settledAtOnce = 1000;

/** An offer without anything to redeem, like a call: whoever takes it up has done so by then, as with most that have. */
const answeredWithinMs = 14 * dayMs;

/** Whoever asks for a decision that stands may log it once more, if whoever made it fell, for the day that it stands. */
const madeTtlSeconds = 2 * 86_400;

export type CountedOffer = { offerId: string; redeemableUntil?: string | undefined };

/** What an offer of a decision is counted by, made and redeemed. `madeAt`: in milliseconds since 1970, where the id does not tell. */
export function countedField(
  { offerId, redeemableUntil }: CountedOffer,
  decisionId: string,
  madeAt: number,
): string {
  const settledAt =
    redeemableUntil === undefined
      ? (timeOfDecision(decisionId) ?? madeAt) + answeredWithinMs
      : Date.parse(redeemableUntil);
  return `${dayNumber(settledAt)}:${offerId}`;
}

function dayNumber(at: number): number {
  return Math.floor(at / dayMs);
}

/** Counts the offers of a decision (`countedField`) as made; told again within two days, or `ttlSeconds`, they count once. */
export async function countMade(
  redis: Redis,
  keys: Keys,
  decisionId: string,
  fields: readonly string[],
  ttlSeconds = madeTtlSeconds,
): Promise<void> {
  if (fields.length === 0) return;
  const counted = prepareMade(keys, decisionId, fields, ttlSeconds);
  await countMadeOnce(redis, counted.keys, counted.args);
}

/** What `countMade` is given. */
export function prepareMade(
  keys: Keys,
  decisionId: string,
  fields: readonly string[],
  ttlSeconds = madeTtlSeconds,
): { keys: string[]; args: ScriptValue[] } {
  const { key, member } = madePlace(decisionId, keys);
  return inOrder(madeInputs, { open: keys.offersMadeOpen, markers: key, ttlSeconds, marker: member }, fields);
}

/**
 * Counts an offer of a decision (`countedField`) as redeemed; told again within `ttlSeconds`, which should be as long as the decision is
 * known, it counts once.
 */
export async function countRedeemed(
  redis: Redis,
  keys: Keys,
  of: { decisionId: string; offerId: string; field: string },
  ttlSeconds: number,
): Promise<void> {
  const marker = keys.offersRedeemedMarker(of.decisionId, of.offerId);
  await countRedeemedOnce(redis, { open: keys.offersRedeemedOpen, marker, ttlSeconds, field: of.field });
}

/** Settles what could be redeemed until the day before `now` (milliseconds since 1970); what is told of it later, the next time. Safe to repeat. */
export async function settleCounts(redis: Redis, keys: Keys, now: number): Promise<void> {
  // Redemptions first: whoever reads in between takes no more for made than can have been answered.
  await settleKind(redis, keys.offersRedeemed, keys.offersRedeemedOpen, now);
  await settleKind(redis, keys.offersMade, keys.offersMadeOpen, now);
}

async function settleKind(redis: Redis, settled: string, open: string, now: number): Promise<void> {
  const today = dayNumber(now);
  const due = (await redis.hkeys(open)).filter((field) => Number.parseInt(field, 10) < today);
  for (let start = 0; start < due.length; start += settledAtOnce)
    await settleFields(redis, { settled, open }, due.slice(start, start + settledAtOnce));
}
