/** What was reported of a decision, beside it in Redis: at once, where the lake has it seconds later. */
import { z } from 'zod';
import { OfferOutcome } from '../domain/offer.ts';
import type { Keys } from '../infra/keys.ts';
import { namedScript } from '../infra/named-script.ts';
import type { Redis } from '../infra/redis.ts';

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

const noteScript = namedScript(
  { keys: ['outcomes'], args: ['most', 'ttlSeconds', 'eventId', 'json'] },
  `
if redis.call('HEXISTS', outcomes, eventId) == 1 or redis.call('HLEN', outcomes) >= tonumber(most) then return 0 end
redis.call('HSET', outcomes, eventId, json)
if redis.call('TTL', outcomes) < tonumber(ttlSeconds) then redis.call('EXPIRE', outcomes, ttlSeconds) end
return 1
`,
);

/** Notes an outcome, unless one of its event id has been; it is kept for so many seconds at least. */
export async function noteOutcome(
  decisionId: string,
  outcome: ReportedOutcome,
  seconds: number,
  { redis, keys }: OutcomeLogDeps,
): Promise<void> {
  await noteScript(redis, {
    outcomes: keys.decisionOutcomes(decisionId),
    most: outcomesMax,
    ttlSeconds: seconds,
    eventId: outcome.eventId,
    json: JSON.stringify(outcome),
  });
}

const claimScript = namedScript(
  { keys: ['outcomes'], args: ['ttlSeconds', 'field', 'purchase'] },
  `
redis.call('HSETNX', outcomes, field, purchase)
if redis.call('TTL', outcomes) < tonumber(ttlSeconds) then redis.call('EXPIRE', outcomes, ttlSeconds) end
return redis.call('HGET', outcomes, field) == purchase and 1 or 0
`,
);

/**
 * One of several purchases that redeem the same offer of a decision has it: the first. Answers whether it is this one; that is
 * known for so many seconds.
 */
export async function claimRedemption(
  decisionId: string,
  offerId: string,
  purchase: string,
  seconds: number,
  { redis, keys }: OutcomeLogDeps,
): Promise<boolean> {
  const claimed = await claimScript(redis, {
    outcomes: keys.decisionOutcomes(decisionId),
    ttlSeconds: seconds,
    field: `redeemed by: ${offerId}`,
    // As JSON, like what stands beside it, and no outcome.
    purchase: JSON.stringify(purchase),
  });
  return Number(claimed) === 1;
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
