/**
 * The decision that stands for a customer, channel, campaign and place: whoever asks gets the same one until its window
 * ends, whichever process answers. E-mail tools ask again when they retry, preview or render a second time. What the customer
 * says meanwhile counts at once: then the decision gives way to another.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DecidedOffer,
  type Decision,
  type ExclusionReason,
  standingMs,
  WITHDRAWAL_REASONS,
  WithdrawalReason,
} from '../domain/decision.ts';
import { AppError } from '../domain/errors.ts';
import type { Offer } from '../domain/offer.ts';
import type { CustomerRecord } from '../features/record.ts';
import { redisScript } from '../infra/redis-script.ts';
import type { Contact } from '../offers/contact-history.ts';
import type { CompiledOffer } from '../offers/eligibility.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import { compiledOffer } from './compiled-offers.ts';
import { customerFacts, withdrawalFacts } from './customer-facts.ts';
import {
  type DecideDeps,
  type DecideRequest,
  decide,
  noContext,
  type ReadForDecision,
  readForDecision,
  type WriteDecided,
} from './decide.ts';
import { newDecisionId } from './decision-id.ts';
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
import { decisionTtlSeconds } from './kept-seconds.ts';
import { letStand, type Stood } from './let-stand.ts';
import { type Lock, loggedHead, markLogged, parseStanding, type Standing } from './standing-text.ts';
import { subjectIdOf } from './subject.ts';
import { modelsFor } from './trial-models.ts';

/** After this long, a decision that is not marked as logged belongs to a process that has died. */
const loggingMs = 5000;

/** One that decides takes milliseconds; after this long it has died. */
const decidingMs = 5000;
/** How long the others wait for it, and how often they look. */
const waitMs = 1000;
const pollMs = 20;

/** An attempt that died is undone by the next for the same key, as long as a decision is known. */
const attemptMs = decisionTtlSeconds * 1000;

/**
 * KEYS: the lock, what stands, the attempt at it. ARGV: the id of the decision to be made, which holds the lock; the lock's lifetime in
 * milliseconds; SHA-1 of the text that stands as far as is known ('' = nothing); the attempt's lifetime in milliseconds. Answers {0} where another
 * holds the lock, else {1, what stands, an attempt that has died}; the new attempt is put down where nothing stands but what is known, and none has
 * died.
 */
const begin = redisScript(`
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return {0} end
local current, died = redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])
if not died and (current and redis.sha1hex(current) or '') == ARGV[3] then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[4])
end
return {1, current, died}
`);

/** KEYS: a lock. ARGV: by whom it is held. */
const unlock = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`);

export type StandingRequest = Omit<DecideRequest, 'placements'> & { placement: string };

export type StandingDeps = DecisionLogDeps & DecideDeps & Pick<DecidingDeps, 'catalogueStore'>;

/** What has ended an offer of a decision that stands. */
type Withdrawn = { offer: DecidedOffer; reasonCode: WithdrawalReason };

/** What stands, beside the customer's record, as one look into Redis found them. */
export type StandingRead = {
  key: string;
  /** null: nothing stands. */
  text: Buffer | null;
  /** Of the record (`record-codec.ts`); undefined: there is none. */
  stamp: Buffer | undefined;
  record: () => CustomerRecord | undefined;
};

/**
 * The standing decision, shortened to `limit`; made, logged and left to stand where there is none. One with an offer that the
 * customer no longer wants, has redeemed, or is not to be sold, or that has been deleted, is withdrawn and decided anew.
 * Rejects when Redis is away.
 */
export async function standingDecision(request: StandingRequest, deps: StandingDeps): Promise<Decision> {
  return await decisionStanding(await readStanding(request, deps), request, deps);
}

/** Rejects when Redis is away. */
export function readStanding(
  request: Pick<StandingRequest, 'subject' | 'channel' | 'campaign' | 'placement'>,
  { keys, records }: Pick<StandingDeps, 'keys' | 'records'>,
): Promise<StandingRead> {
  const subjectId = subjectIdOf(request.subject);
  const key = standingKey(request, { keys });
  return records
    .readBeside(subjectId, key)
    .then(({ stamp, record, beside }) => ({ key, text: beside, stamp, record }));
}

/**
 * What tells whether a decision that was read before still stands, and the customer's record is the same: the text's first
 * bytes, which name its shape, whether it is logged, and the decision. What stands logged under an id is not written again.
 */
export type StandingMark = { head: Buffer; stamp: Buffer | undefined };

/** undefined: what was read is not this decision, logged. */
export function standingMark(
  { text, stamp }: StandingRead,
  { decisionId }: Decision,
): StandingMark | undefined {
  const head = text === null || decisionId === null ? undefined : loggedHead(text, decisionId);
  if (head === undefined) return undefined;
  // Copies: what was read is a part of all that came with it.
  return { head: Buffer.from(head), stamp: stamp && Buffer.from(stamp) };
}

/** `standingDecision` of what has been read. */
export async function decisionStanding(
  { key, text, record }: Pick<StandingRead, 'key' | 'text' | 'record'>,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const market = await deps.market.read();
  const before = parseStanding(text);
  const decideAnew = async (ended?: Ended) =>
    shortened(await decideOnce({ key, text, ended }, request, deps), request.limit);
  if (before === undefined) return await decideAnew();
  if (!before.logged && deps.now() - Date.parse(before.decision.decidedAt) > loggingMs)
    await logStanding(key, before.decision, deps);
  const withdrawn = await withdrawnOf(before.decision, request, record(), market, deps);
  if (withdrawn.length === 0) return shortened(before.decision, request.limit);
  return await decideAnew({ decision: before.decision, withdrawn });
}

/** What stands under the key as far as is known, and what has ended of it. */
type Place = { key: string; text: Buffer | null; ended: Ended | undefined };

type Ended = { decision: LoggedDecision; withdrawn: readonly Withdrawn[] };

/** One of those who ask at once decides, and so reserves; the others wait for what it lets stand. */
async function decideOnce(
  { key, text, ended }: Place,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const { redis, keys } = deps;
  const startedAt = performance.now();
  while (performance.now() - startedAt < waitMs) {
    const decisionId = newDecisionId(deps.now());
    const lock = { key: keys.standingLock(key), token: decisionId };
    // By the same round trip, for whoever decides needs it.
    const read = readForDecision(request, deps);
    read.catch(() => {});
    const [taken, current = null, died = null] = (await begin(
      redis,
      [lock.key, key, keys.standingAttempt(key)],
      [decisionId, decidingMs, digestOf(text), attemptMs],
    )) as [0 | 1, (Buffer | null)?, (Buffer | null)?];
    if (taken === 1) {
      const found = { key, text: current, ended };
      const isPutDown = died === null && digestOf(current) === digestOf(text);
      let isUnlocked = false;
      try {
        // Between looking and locking, another may have been at it. What cannot be read is of another version's shape: it makes room.
        const before = parseStanding(current);
        if (before !== undefined && !isSame(before, ended)) return before.decision;
        if (died !== null) await undoAttempt(died.toString(), request, deps);
        // Before anything is reserved under it.
        if (!isPutDown) await redis.set(keys.standingAttempt(key), decisionId, 'PX', attemptMs);
        const early = died === null ? read : undefined;
        const decided = await decideAndLetStand(found, { decisionId, lock, early }, request, deps);
        isUnlocked = decided.isUnlocked;
        return decided.decision;
      } finally {
        if (!isUnlocked) await unlock(redis, [lock.key], [lock.token]);
      }
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

async function decideAndLetStand(
  { key, text, ended }: Place,
  {
    decisionId,
    lock,
    early,
  }: { decisionId: string; lock: Lock; early: Promise<ReadForDecision> | undefined },
  request: StandingRequest,
  deps: StandingDeps,
): Promise<{ decision: Decision; isUnlocked: boolean }> {
  // Sent before anything is reserved, so that it is done before that; who waits for both waits once.
  const withdrawing = ended === undefined ? Promise.resolve() : giveBack(ended, deps);
  withdrawing.catch(() => {});
  let made: { own: LoggedDecision; stood: Stood } | undefined;
  const write: WriteDecided = async (decided, contacts, now) => {
    made = undefined;
    await withdrawing;
    const named = loggedForm(decided);
    // Made without the catalogue: not to be repeated once that is there.
    if (named === undefined)
      return contacts === undefined || (await deps.contacts.writeMany([contacts], now))[0] === true;
    const ends = windowEnd(named, deps);
    const whole: LoggedDecision = {
      ...named,
      standsUntil: new Date(ends).toISOString(),
      ...(ended && { replaces: replacedBy(ended) }),
    };
    // Through the schema, so that the first answer equals the later ones to the byte.
    const own = LoggedDecision.parse(briefForm(whole));
    const changed = contacts && deps.contacts.prepare(contacts, now);
    const replaced = digestOf(text);
    const stood = await letStand({ key, replaced, own, whole, ends, contacts: changed, lock }, deps);
    made = { own, stood };
    return stood !== 'contactsChanged';
  };
  const asked = { ...request, placements: [request.placement] };
  const { decision, release } = await decide(asked, deps, decisionId, {
    write,
    ...(early && { read: early }),
    ...(ended && { isOver: isWithdrawn(ended) }),
  });
  if (made === undefined) return { decision, isUnlocked: false };
  const { own, stood } = made;
  if (stood === 'stands') return { decision: own, isUnlocked: true };
  await release();
  if (stood === 'overtaken' || stood === 'contactsChanged') {
    // This took longer than the lock lasts.
    const winner = parseStanding(await deps.redis.getBuffer(key));
    return { decision: winner?.decision ?? { ...own, decisionId: null }, isUnlocked: false };
  }
  // What is given back need not be undone.
  await unlock(deps.redis, [deps.keys.standingAttempt(key)], [decisionId]);
  throw stood.refused;
}

function isSame({ decision }: Standing, ended: Ended | undefined): boolean {
  return decision.decisionId === ended?.decision.decisionId;
}

function replacedBy({ decision: { decisionId }, withdrawn }: Ended): Decision['replaces'] {
  const reasons = new Set(withdrawn.map(({ reasonCode }) => reasonCode));
  const reasonCode = WITHDRAWAL_REASONS.find((reason) => reasons.has(reason)) ?? [...reasons][0];
  return reasonCode && { decisionId, offerIds: withdrawn.map(({ offer }) => offer.offerId), reasonCode };
}

function digestOf(text: Buffer | null): string {
  return text === null ? '' : createHash('sha1').update(text).digest('hex');
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
  await forget(request, (contact) => contact.decisionId === decisionId, deps);
}

/**
 * Gives back what was reserved for the offers that have ended (ledger/replay-ledgers.ts does the same); what she had been given before, by
 * another decision, she keeps.
 */
async function giveBack({ decision, withdrawn }: Ended, { budgets, now }: StandingDeps): Promise<void> {
  await Promise.all(
    withdrawn
      .filter(({ offer }) => offer.heldSince === undefined)
      .map(({ offer }) => budgets.release(offer.offerId, decision.decisionId, now())),
  );
}

/** What nobody has told to have reached the customer counts as never sent. */
function isWithdrawn({ decision: { decisionId }, withdrawn }: Ended): (contact: Contact) => boolean {
  const ended = new Set<string>(withdrawn.map(({ offer }) => offer.offerId));
  return (contact) =>
    contact.decisionId === decisionId && ended.has(contact.offerId) && contact.state === 'reserved';
}

async function forget(
  { subject }: StandingRequest,
  isOver: (contact: Contact) => boolean,
  { contacts, now }: StandingDeps,
): Promise<void> {
  await contacts.update(
    subjectIdOf(subject),
    (history) => (history.some(isOver) ? history.filter((contact) => !isOver(contact)) : history),
    now(),
  );
}

/** One that a process has left unlogged, or not marked as logged: as that would have logged it. */
async function logStanding(key: string, decision: LoggedDecision, deps: StandingDeps): Promise<void> {
  const { decisionId } = decision;
  const whole = parseDecision(await deps.redis.get(deps.keys.standingWhole(key)));
  await logDecision(whole?.decisionId === decisionId ? whole : withoutReasons(decision), deps);
  await markLogged(deps.redis, { key, whole: deps.keys.standingWhole(key) }, decisionId);
}

/** Until when the decision may be repeated: milliseconds since 1970. */
export function windowEnd(
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

/** A fallback is content for everybody: only its own rules end it. */
async function withdrawnOf(
  { placements: [place], channel, decidedAt }: LoggedDecision,
  request: StandingRequest,
  record: CustomerRecord | undefined,
  { contactPolicy: usual, experiments, items }: OfferMarket,
  deps: StandingDeps,
): Promise<Withdrawn[]> {
  if (place === undefined || place.offers.length === 0) return [];
  const now = deps.now();
  const subjectId = subjectIdOf(request.subject);
  const settings = experiments.settingsFor(subjectId, now);
  const { contactPolicy = usual } = settings;
  const facts = withdrawalFacts(record, now);
  const rule = place.fallback
    ? undefined
    : contactPolicy.withdrawalRule(facts, channel, Date.parse(decidedAt), now);
  const situation = { ...situationOfStanding, channel, placements: [place.placement], now };
  const changedRule = (compiled: CompiledOffer) => {
    if (place.fallback) return undefined;
    const known = customerFacts(subjectId, record, modelsFor(deps.models, settings), items, noContext, now);
    return compiled.exclusionOfCustomer(known, situation, () => undefined);
  };
  const reasons = await Promise.all(
    place.offers.map(async (offer) => {
      const ended = await whyEnded(offer, deps, (current) => {
        const compiled = compiledOffer(current);
        const isAsItWas = compiled.version === offer.offerVersion;
        return compiled.exclusionOfOffer(situation) ?? (isAsItWas ? undefined : changedRule(compiled));
      });
      return ended ?? rule?.(offer);
    }),
  );
  return place.offers.flatMap((offer, at) => {
    const reasonCode = reasons[at];
    return reasonCode === undefined ? [] : [{ offer, reasonCode }];
  });
}

/** What is out of stock by now was on offer; what is in the basket, nobody says. */
const situationOfStanding = { basketMinor: undefined, isBuyable: () => true };

/**
 * Why the offer as it is now is no longer to be made. This process's copy may be behind the one that decided: only Redis can say that
 * an offer is gone, or no longer what it was.
 */
async function whyEnded(
  { offerId }: DecidedOffer,
  { catalogue, catalogueStore }: StandingDeps,
  why: (offer: Offer) => ExclusionReason | undefined,
): Promise<WithdrawalReason | undefined> {
  const known = catalogue.offers.get(offerId);
  if (known !== undefined && why(known) === undefined) return undefined;
  const current = await catalogueStore.getOffer(offerId);
  return current === undefined ? 'deleted' : WithdrawalReason.safeParse(why(current)).data;
}

function shortened(decision: Decision, limit: number): Decision {
  return {
    ...decision,
    placements: decision.placements.map((place) => ({ ...place, offers: place.offers.slice(0, limit) })),
  };
}

/** The key under which a decision stands. */
export function standingKey(
  { subject, ...place }: Pick<StandingRequest, 'subject' | 'channel' | 'campaign' | 'placement'>,
  { keys }: Pick<StandingDeps, 'keys'>,
): string {
  return keys.standingDecision(subjectIdOf(subject), slotOf(place));
}

type StandingPlace = Pick<StandingRequest, 'channel' | 'campaign' | 'placement'>;

/** The last one: a list, or an e-mail send, asks for the same for every customer. */
let lastSlot: (StandingPlace & { slot: string }) | undefined;

/** Names the channel, campaign and place; hashed, because the shop chooses the texts. */
function slotOf({ channel, campaign, placement }: StandingPlace): string {
  if (lastSlot?.channel !== channel || lastSlot.campaign !== campaign || lastSlot.placement !== placement) {
    const text = JSON.stringify([channel, campaign ?? null, placement]);
    const slot = createHash('sha256').update(text).digest('base64url').slice(0, 22);
    lastSlot = { channel, campaign, placement, slot };
  }
  return lastSlot.slot;
}
