/**
 * The decision that stands for a customer, channel, campaign and place: whoever asks gets the same one until its window
 * ends, whichever process answers. E-mail tools ask again when they retry, preview or render a second time. What the customer
 * says meanwhile counts at once: then the decision gives way to another.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Decision, standingMs } from '../domain/decision.ts';
import { AppError } from '../domain/errors.ts';
import { deleteIf } from '../infra/delete-if.ts';
import { once } from '../infra/once.ts';
import {
  type DecideDeps,
  type DecideRequest,
  decide,
  type ReadForDecision,
  type Reserved,
  type WriteDecided,
} from './decide.ts';
import {
  briefForm,
  type DecisionLogDeps,
  LoggedDecision,
  logDecision,
  loggedForm,
  madeOffers,
  parseDecision,
  withoutReasons,
} from './decision-log.ts';
import type { DecidingDeps } from './deps.ts';
import type { PreparedContacts } from './ledger/contact-ledger.ts';
import { letStand, type Stood } from './let-stand.ts';
import { readStanding, type StandingRead } from './read-standing.ts';
import {
  type Beginning,
  createAttempt,
  digestOf,
  NotBegun,
  type StandingAttempt,
} from './standing-attempt.ts';
import { markLogged, parseStanding, type Standing } from './standing-text.ts';
import { subjectIdOf } from './subject.ts';
import { type Ended, giveBack, isWithdrawn, replacedBy, withdrawnOf } from './withdrawn-offers.ts';

/** After this long, a decision that is not marked as logged belongs to a process that has died. */
const loggingMs = 5000;

/** How long the others wait for it, and how often they look. */
const waitMs = 1000;
const pollMs = 20;

export type StandingRequest = Omit<DecideRequest, 'placements'> & { placement: string };

export type StandingDeps = DecisionLogDeps & DecideDeps & Pick<DecidingDeps, 'catalogueStore'>;

/**
 * The standing decision, shortened to `limit`; made, logged and left to stand where there is none. One with an offer that the
 * customer no longer wants, has redeemed, or is not to be sold, or that has been deleted, is withdrawn and decided anew.
 * Rejects when Redis is away.
 */
export async function standingDecision(request: StandingRequest, deps: StandingDeps): Promise<Decision> {
  return await decisionStanding(await readStanding(request, deps), request, deps);
}

/** `standingDecision` of what has been read. Without `contacts`, they are read where it is decided. */
export async function decisionStanding(
  read: Pick<StandingRead, 'key' | 'text' | 'record'> & { contacts?: StandingRead['contacts'] },
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const { key, text, contacts } = read;
  const market = await deps.market.read();
  const record = once(read.record);
  const before = parseStanding(text);
  const decideAnew = async (ended?: Ended) => {
    const known = contacts && { record: record(), contacts: contacts(), market };
    return shortened(await decideOnce({ key, text, ended }, known, request, deps), request.limit);
  };
  if (before === undefined) return await decideAnew();
  if (!before.logged && deps.now() - Date.parse(before.decision.decidedAt) > loggingMs)
    await logStanding(key, before.decision, deps);
  const withdrawn = await withdrawnOf(before.decision, subjectIdOf(request.subject), record(), market, deps);
  if (withdrawn.length === 0) return shortened(before.decision, request.limit);
  return await decideAnew({ decision: before.decision, withdrawn });
}

/** What stands under the key as far as is known, and what has ended of it. */
type Place = { key: string; text: Buffer | null; ended: Ended | undefined };

/**
 * One of those who ask at once decides, and so reserves; the others wait for what it lets stand. `known`: what has been read, by which it
 * is decided where nobody was quicker.
 */
async function decideOnce(
  place: Place,
  known: ReadForDecision | undefined,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const { key, text, ended } = place;
  const startedAt = performance.now();
  for (let isFirst = true; performance.now() - startedAt < waitMs; isFirst = false) {
    const attempt = createAttempt(key, text, deps);
    try {
      // Once: who waits for another only asks for the lock, and decides when it is let go of.
      const decided = isFirst ? await decideAndLetStand(place, attempt, known, request, deps) : undefined;
      if (decided !== undefined) return decided;
      const early = attempt.beginning();
      const beginning = early === 'none' ? await attempt.begin() : early;
      if (beginning !== 'busy') return await decideLocked(place, beginning, attempt, request, deps);
    } finally {
      await attempt.unlock();
    }
    await sleep(pollMs);
    const standing = parseStanding(await deps.redis.getBuffer(key));
    if (standing !== undefined && !isSame(standing, ended)) return standing.decision;
  }
  throw new AppError('STORE_UNAVAILABLE', {
    public: 'The decision is being made elsewhere.',
    internal: `another process has been deciding for more than ${waitMs} ms`,
    retryAfterSeconds: 1,
  });
}

/** With the lock held, and something found that was not known before. */
async function decideLocked(
  { key, text, ended }: Place,
  beginning: Exclude<Beginning, 'busy'>,
  attempt: StandingAttempt,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const { current, died } = beginning === 'begun' ? { current: text, died: null } : beginning;
  // Between looking and locking, another may have been at it. What cannot be read is of another version's shape: it makes room.
  const before = parseStanding(current);
  if (before !== undefined && !isSame(before, ended)) return before.decision;
  if (died !== null) await undoAttempt(died.toString(), request, deps);
  if (beginning !== 'begun') await attempt.putDown();
  const decided = await decideAndLetStand({ key, text: current, ended }, attempt, undefined, request, deps);
  if (decided === undefined) throw new Error('an attempt that had begun began anew');
  return decided;
}

/** What has been decided, as it is to stand, and what came of that. */
type Made = { own: LoggedDecision; stood: Exclude<Stood, 'contactsChanged'> };

/** undefined: another is at it, or something else was found than was known, and nothing is reserved. */
async function decideAndLetStand(
  place: Place,
  attempt: StandingAttempt,
  early: ReadForDecision | undefined,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision | undefined> {
  const { ended } = place;
  // Sent before anything is reserved, so that it is done before that; who waits for both waits once. Where another is quicker, or this
  // process dies, it has been done for a decision that gives way in any case.
  const withdrawing = ended === undefined ? Promise.resolve() : giveBack(ended, deps);
  withdrawing.catch(() => {});
  let made: Made | undefined;
  const write: WriteDecided = async (decided, contacts, now) => {
    made = undefined;
    if (attempt.beginning() === 'begun') await withdrawing;
    const named = loggedForm(decided);
    // Made without the catalogue: not to be repeated once that is there.
    if (named === undefined)
      return contacts === undefined || (await deps.contacts.writeMany([contacts], now))[0] === true;
    const prepared = contacts && deps.contacts.prepare(contacts, now);
    const { own, stood } = await letNamedStand(named, prepared, place, attempt, deps);
    await withdrawing;
    // Then it is decided anew, and nothing is to be answered of this one.
    if (stood === 'contactsChanged') return false;
    made = { own, stood };
    return true;
  };
  const asked = { ...request, placements: [request.placement] };
  let reserved: Reserved;
  try {
    reserved = await decide(asked, { ...deps, budgets: attempt.budgets }, attempt.decisionId, {
      write,
      ...(early && { read: Promise.resolve(early) }),
      ...(ended && { drops: isWithdrawn(ended) }),
    });
  } catch (err) {
    if (err instanceof NotBegun) return undefined;
    throw err;
  }
  return made === undefined
    ? reserved.decision
    : await settleStood(made, reserved.release, place, attempt, deps);
}

/** `contacts`: what the decision changes of the customer's. */
async function letNamedStand(
  named: LoggedDecision,
  contacts: PreparedContacts | undefined,
  { key, text, ended }: Place,
  attempt: StandingAttempt,
  deps: StandingDeps,
): Promise<{ own: LoggedDecision; stood: Stood }> {
  const ends = standsUntilMs(named, deps);
  const whole: LoggedDecision = {
    ...named,
    standsUntil: new Date(ends).toISOString(),
    ...(ended && { replaces: replacedBy(ended) }),
  };
  // Through the schema, so that the first answer equals the later ones to the byte.
  const own = LoggedDecision.parse(briefForm(whole));
  const lock = attempt.beginning() === 'begun' ? attempt.lock : undefined;
  const stood = await letStand({ key, replaced: digestOf(text), own, whole, ends, contacts, lock }, deps);
  return { own, stood };
}

/** What is answered of a decision that stands, or does not. undefined: as of `decideAndLetStand`. */
async function settleStood(
  { own, stood }: Made,
  release: Reserved['release'],
  { key, text, ended }: Place,
  attempt: StandingAttempt,
  deps: StandingDeps,
): Promise<Decision | undefined> {
  if (stood === 'stands') {
    attempt.settled();
    return own;
  }
  // Nothing was reserved.
  if (attempt.beginning() === 'none' && stood === 'overtaken') return undefined;
  await release();
  if (stood === 'overtaken') {
    // This took longer than the lock lasts.
    const winner = parseStanding(await deps.redis.getBuffer(key));
    return winner?.decision ?? { ...own, decisionId: null };
  }
  await attempt.forget();
  // Its offers have been given back, and it would be answered again where what ended it has passed.
  if (ended !== undefined && text !== null) await deleteIf(deps.redis, key, text);
  throw stood.refused;
}

function isSame({ decision }: Standing, ended: Ended | undefined): boolean {
  return decision.decisionId === ended?.decision.decisionId;
}

/**
 * A process has died, or lost Redis, after it had written down this id and before its decision stood: nobody was ever answered.
 * What it reserved would bar the customer from another offer, or hold one that no decision knows.
 */
async function undoAttempt(decisionId: string, request: StandingRequest, deps: StandingDeps): Promise<void> {
  const now = deps.now();
  const { offers } = await deps.market.read();
  for (const { offer } of offers)
    if (offer.budget !== undefined) await deps.budgets.release(offer.offerId, decisionId, now);
  await deps.contacts.drop(subjectIdOf(request.subject), (contact) => contact.decisionId === decisionId, now);
}

/** One that a process has left unlogged, or not marked as logged: as that would have logged it. */
async function logStanding(key: string, decision: LoggedDecision, deps: StandingDeps): Promise<void> {
  const { decisionId } = decision;
  const whole = parseDecision(await deps.redis.get(deps.keys.standingWhole(key)));
  await logDecision(whole?.decisionId === decisionId ? whole : withoutReasons(decision), deps);
  await markLogged(deps.redis, { key, whole: deps.keys.standingWhole(key) }, decisionId);
}

/** Until when the decision may be repeated: milliseconds since 1970. */
export function standsUntilMs(
  decision: Decision,
  { catalogue, now }: Pick<StandingDeps, 'catalogue' | 'now'>,
): number {
  return Math.min(now() + standingMs, firstEnd(decision, catalogue));
}

/** When the first of its offers ends, as the offers are now: milliseconds since 1970; Infinity: none does. */
export function firstEnd(decision: Decision, { offers }: Pick<StandingDeps['catalogue'], 'offers'>): number {
  const ends = madeOffers(decision).map((offerId) => Date.parse(offers.get(offerId)?.validTo ?? ''));
  return Math.min(...ends.filter((end) => !Number.isNaN(end)));
}

function shortened(decision: Decision, limit: number): Decision {
  return {
    ...decision,
    placements: decision.placements.map((place) => ({ ...place, offers: place.offers.slice(0, limit) })),
  };
}
