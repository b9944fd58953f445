/**
 * The decision that stands for a customer, channel, campaign and place: whoever asks gets the same one until its window
 * ends, whichever process answers. E-mail tools ask again when they retry, preview or render a second time.
 */

import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Decision } from '../domain/decision.ts';
import { AppError } from '../domain/errors.ts';
import { dayMs } from '../domain/time.ts';
import type { CustomerRecord } from '../features/record.ts';
import { redisScript } from '../infra/redis-script.ts';
import type { OfferMarket } from '../offers/choose-offers.ts';
import { mayAddress } from '../offers/may-address.ts';
import { type DecideDeps, type DecideRequest, decide, fallbackFor } from './decide.ts';
import { type DecisionLogDeps, LoggedDecision, logDecision, loggedForm, madeOffers } from './decision-log.ts';
import type { DecidingDeps } from './deps.ts';
import { subjectIdOf } from './subject.ts';

/** The window: a day, or less where an offer ends sooner. */
export const standingMs = dayMs;

/** After this long, a decision that is not marked as logged belongs to a process that has died. */
const loggingMs = 5000;

/** One that decides takes milliseconds; after this long it has died. */
const decidingMs = 5000;
/** How long the others wait for it, and how often they look. */
const waitMs = 1000;
const pollMs = 20;

/** KEYS: a lock. ARGV: by whom it is held. */
const unlock = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

const Standing = z.object({ decision: LoggedDecision, logged: z.boolean() });
type Standing = z.output<typeof Standing>;

export type StandingRequest = Omit<DecideRequest, 'placements'> & { placement: string };

export type StandingDeps = DecisionLogDeps & DecideDeps & Pick<DecidingDeps, 'catalogueStore'>;

/**
 * The standing decision, shortened to `limit`; made, logged and left to stand where there is none. What the customer
 * no longer consents to and offers that have been deleted are not repeated: a fallback stands in, with a null
 * `decisionId`. Rejects when Redis is away.
 */
export async function standingDecision(request: StandingRequest, deps: StandingDeps): Promise<Decision> {
  const subjectId = subjectIdOf(request.subject);
  const key = deps.keys.standingDecision(subjectId, slotOf(request));
  const [text, record, market] = await Promise.all([
    deps.redis.get(key),
    deps.records.read(subjectId),
    deps.market.read(),
  ]);
  const before = parseStanding(text);
  if (before === undefined) {
    // What cannot be read is of another version's shape: it makes room.
    return shortened(await decideOnce(key, request, text !== null, deps), request.limit);
  }
  if (!before.logged && deps.now() - Date.parse(before.decision.decidedAt) > loggingMs)
    await logStanding(key, before.decision, deps);
  const valid = await withoutWithdrawn(before.decision, request, record, market, deps);
  return shortened(valid, request.limit);
}

/** One of those who ask at once decides, and so reserves; the others wait for what it lets stand. */
async function decideOnce(
  key: string,
  request: StandingRequest,
  overwrite: boolean,
  deps: StandingDeps,
): Promise<Decision> {
  const lock = `${key}:deciding`;
  const token = randomUUID();
  const startedAt = performance.now();
  let unreadable = overwrite;
  while (performance.now() - startedAt < waitMs) {
    if ((await deps.redis.set(lock, token, 'PX', decidingMs, 'NX')) !== null)
      try {
        return await decideAndLetStand(key, request, unreadable, deps);
      } finally {
        await unlock(deps.redis, [lock], [token]);
      }
    await sleep(pollMs);
    const text = await deps.redis.get(key);
    const standing = parseStanding(text);
    if (standing !== undefined) return standing.decision;
    unreadable = text !== null;
  }
  throw new AppError('STORE_UNAVAILABLE', {
    public: 'The decision is being made elsewhere.',
    internal: `another process has been deciding for more than ${waitMs} ms`,
    retryAfterSeconds: 1,
  });
}

async function decideAndLetStand(
  key: string,
  request: StandingRequest,
  overwrite: boolean,
  deps: StandingDeps,
): Promise<Decision> {
  // Between looking and locking, another may have been at it.
  const before = overwrite ? undefined : parseStanding(await deps.redis.get(key));
  if (before !== undefined) return before.decision;
  const { decision, release } = await decide({ ...request, placements: [request.placement] }, deps);
  const named = loggedForm(decision);
  // Made without the catalogue: not to be repeated once that is there.
  if (named === undefined) return decision;
  const ends = windowEnd(named, deps);
  // Through the schema, so that the first answer equals the later ones to the byte.
  const own = LoggedDecision.parse({ ...named, standsUntil: new Date(ends).toISOString() });
  const text = standingText({ decision: own, logged: false });
  const ttlMs = Math.max(1, ends - deps.now());
  const won = overwrite
    ? await deps.redis.set(key, text, 'PX', ttlMs)
    : await deps.redis.set(key, text, 'PX', ttlMs, 'NX');
  if (won === null) {
    // This took longer than the lock lasts.
    await release();
    const winner = parseStanding(await deps.redis.get(key));
    return winner?.decision ?? { ...own, decisionId: null };
  }
  await logStanding(key, own, deps);
  return own;
}

async function logStanding(key: string, decision: LoggedDecision, deps: StandingDeps): Promise<void> {
  await logDecision(decision, deps);
  await deps.redis.set(key, standingText({ decision, logged: true }), 'KEEPTTL', 'XX');
}

/** Until when the decision may be repeated: milliseconds since 1970. */
function windowEnd(decision: Decision, { catalogue, now }: Pick<StandingDeps, 'catalogue' | 'now'>): number {
  const ends = madeOffers(decision).map((offerId) =>
    Date.parse(catalogue.offers.get(offerId)?.validTo ?? ''),
  );
  return Math.min(now() + standingMs, ...ends.filter((end) => !Number.isNaN(end)));
}

async function withoutWithdrawn(
  decision: LoggedDecision,
  request: StandingRequest,
  record: CustomerRecord | undefined,
  market: OfferMarket,
  deps: StandingDeps,
): Promise<Decision> {
  const place = decision.placements[0];
  if (place === undefined || place.offers.length === 0) return decision;
  const forbidden = !place.fallback && !mayAddress(record?.attributes ?? {}, request.channel);
  const known = await Promise.all(place.offers.map(({ offerId }) => isKnown(offerId, deps)));
  const offers = forbidden ? [] : place.offers.filter((_, at) => known[at]);
  if (offers.length === place.offers.length) return decision;
  if (offers.length > 0) return { ...decision, placements: [{ ...place, offers }] };
  const asked = { channel: request.channel, placements: [request.placement], context: request.context };
  return { ...decision, decisionId: null, placements: fallbackFor(asked, market, deps.now()) };
}

/** This process's copy may be behind the one that decided: only Redis can say that an offer is gone. */
async function isKnown(offerId: string, { catalogue, catalogueStore }: StandingDeps): Promise<boolean> {
  return catalogue.offers.has(offerId) || (await catalogueStore.getOffer(offerId)) !== undefined;
}

function shortened(decision: Decision, limit: number): Decision {
  return {
    ...decision,
    placements: decision.placements.map((place) => ({ ...place, offers: place.offers.slice(0, limit) })),
  };
}

/** Where a decision that has been logged stands, and until when: milliseconds since 1970. */
export function standingPlace(
  request: Pick<StandingRequest, 'subject' | 'channel' | 'campaign' | 'placement'>,
  decision: LoggedDecision,
  deps: Pick<StandingDeps, 'keys' | 'catalogue' | 'now'>,
): { key: string; until: number } {
  const key = deps.keys.standingDecision(subjectIdOf(request.subject), slotOf(request));
  return { key, until: windowEnd(decision, deps) };
}

/** What is written there, out of the JSON of the decision. */
export function loggedStandingText(json: string): string {
  return `{"decision":${json},"logged":true}`;
}

/** Names the channel, campaign and place; hashed, because the shop chooses the texts. */
function slotOf({
  channel,
  campaign,
  placement,
}: Pick<StandingRequest, 'channel' | 'campaign' | 'placement'>): string {
  const text = JSON.stringify([channel, campaign ?? null, placement]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function standingText(standing: Standing): string {
  return JSON.stringify(standing);
}

function parseStanding(text: string | null): Standing | undefined {
  if (text === null) return undefined;
  const parsed = Standing.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}
