/** What was reported of a decision, beside it in Redis: at once, where the lake has it seconds later. */
import { z } from 'zod';
import { OfferOutcome } from '../domain/offer.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import { redisScript } from '../infra/redis-script.ts';

const ReportedOutcome = z.object({
  eventId: z.string(),
  offerId: z.string(),
  outcome: OfferOutcome,
  /** Milliseconds since 1970. */
  at: z.number(),
  /** Value of the order that it led to, and what a redemption has cost, as far as that was told. */
  valueMinor: z.number().optional(),
  costMinor: z.number().optional(),
});
type ReportedOutcome = z.output<typeof ReportedOutcome>;

type OutcomeLogDeps = { redis: Redis; keys: Keys };

/** Of a decision: somebody who reports under ever new event ids is not to fill Redis; the lake has them all. */
const outcomesMax = 200;

/** KEYS: the hash. ARGV: most fields, expiry in seconds, field, value. */
const noteScript = redisScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[3]) == 1 or redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
`);

/** Notes an outcome, unless one of its event id has been; it is kept for so many seconds at least. */
export async function noteOutcome(
  decisionId: string,
  outcome: ReportedOutcome,
  seconds: number,
  { redis, keys }: OutcomeLogDeps,
): Promise<void> {
  const args = [outcomesMax, seconds, outcome.eventId, JSON.stringify(outcome)];
  await noteScript(redis, [keys.decisionOutcomes(decisionId)], args);
}

/** KEYS: the hash. ARGV: expiry in seconds, field, purchase. */
const claimScript = redisScript(`
redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[3] and 1 or 0
`);

/** One of several purchases that redeem the same offer of a decision has it: the first. Answers whether it is this one; that is known for so many seconds. */
export async function claimRedemption(
  decisionId: string,
  offerId: string,
  purchase: string,
  seconds: number,
  { redis, keys }: OutcomeLogDeps,
): Promise<boolean> {
  // As JSON, like what stands beside it, and no outcome.
  const args = [seconds, `redeemed by: ${offerId}`, JSON.stringify(purchase)];
  return Number(await claimScript(redis, [keys.decisionOutcomes(decisionId)], args)) === 1;
}

export async function readOutcome(
  decisionId: string,
  eventId: string,
  { redis, keys }: OutcomeLogDeps,
): Promise<ReportedOutcome | undefined> {
  const value = await redis.hget(keys.decisionOutcomes(decisionId), eventId);
  return value === null ? undefined : ReportedOutcome.safeParse(JSON.parse(value)).data;
}

/** Oldest first. */
export async function readOutcomes(
  decisionId: string,
  { redis, keys }: OutcomeLogDeps,
): Promise<ReportedOutcome[]> {
  const values = await redis.hvals(keys.decisionOutcomes(decisionId));
  return sortOutcomes(values.flatMap((value) => ReportedOutcome.safeParse(JSON.parse(value)).data ?? []));
}

export function sortOutcomes<O extends { at: number; eventId: string }>(outcomes: O[]): O[] {
  return outcomes.sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
}
