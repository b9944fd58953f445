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
import type { ReadContacts } from './ledger/contact-ledger.ts';
import { letStand, type Stood } from './let-stand.ts';
import {
  type Beginning,
  createAttempt,
  digestOf,
  NotBegun,
  type StandingAttempt,
} from './standing-attempt.ts';
import { loggedHead, markLogged, parseStanding, removeStanding, type Standing } from './standing-text.ts';
import { subjectIdOf } from './subject.ts';
import { modelsFor } from './trial-models.ts';

/** After this long, a decision that is not marked as logged belongs to a process that has died. */
const loggingMs = 5000;

/** How long the others wait for it, and how often they look. */
const waitMs = 1000;
const pollMs = 20;

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
  contacts: () => ReadContacts;
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
  { keys, records, contacts }: Pick<StandingDeps, 'keys' | 'records' | 'contacts'>,
): Promise<StandingRead> {
  const subjectId = subjectIdOf(request.subject);
  const key = standingKey(request, { keys });
  return records
    .readWith(subjectId, [key, keys.contacts(subjectId)])
    .then(({ stamp, record, others: [text = null, history = null] }) => ({
      key,
      text,
      stamp,
      record,
      // Where it still stands, nobody asks for them.
      contacts: () => contacts.readFrom(history),
    }));
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

/** `standingDecision` of what has been read. Without `contacts`, they are read where it is decided. */
export async function decisionStanding(
  read: Pick<StandingRead, 'key' | 'text' | 'record'> & { contacts?: StandingRead['contacts'] },
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision> {
  const { key, text, contacts } = read;
  const market = await deps.market.read();
  let decoded: { record: CustomerRecord | undefined } | undefined;
  const record = () => {
    decoded ??= { record: read.record() };
    return decoded.record;
  };
  const before = parseStanding(text);
  const decideAnew = async (ended?: Ended) => {
    const known = contacts && { record: record(), contacts: contacts(), market };
    return shortened(await decideOnce({ key, text, ended }, known, request, deps), request.limit);
  };
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
  for (let early = known; performance.now() - startedAt < waitMs; early = undefined) {
    const attempt = createAttempt(key, text, deps);
    try {
      const decided = await decideAndLetStand(place, attempt, early, request, deps);
      if (decided !== undefined) return decided;
      const beginning = attempt.beginning() ?? (await attempt.begin());
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

/** undefined: another is at it, or something else was found than was known, and nothing is reserved. */
async function decideAndLetStand(
  { key, text, ended }: Place,
  attempt: StandingAttempt,
  early: ReadForDecision | undefined,
  request: StandingRequest,
  deps: StandingDeps,
): Promise<Decision | undefined> {
  // Sent before anything is reserved, so that it is done before that; who waits for both waits once. Where another is quicker, or this
  // process dies, it has been done for a decision that gives way in any case.
  const withdrawing = ended === undefined ? Promise.resolve() : giveBack(ended, deps);
  withdrawing.catch(() => {});
  let made: { own: LoggedDecision; stood: Stood } | undefined;
  const write: WriteDecided = async (decided, contacts, now) => {
    made = undefined;
    const isReserved = attempt.beginning() === 'begun';
    if (isReserved) await withdrawing;
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
    const lock = isReserved ? attempt.lock : undefined;
    const stood = await letStand({ key, replaced, own, whole, ends, contacts: changed, lock }, deps);
    await withdrawing;
    made = { own, stood };
    return stood !== 'contactsChanged';
  };
  const asked = { ...request, placements: [request.placement] };
  let reserved: Awaited<ReturnType<typeof decide>>;
  try {
    reserved = await decide(asked, { ...deps, budgets: attempt.budgets }, attempt.decisionId, {
      write,
      ...(early && { read: Promise.resolve(early) }),
      ...(ended && { isOver: isWithdrawn(ended) }),
    });
  } catch (err) {
    if (err instanceof NotBegun) return undefined;
    throw err;
  }
  const { decision, release } = reserved;
  if (made === undefined) return decision;
  const { own, stood } = made;
  if (stood === 'stands') {
    attempt.isOver();
    return own;
  }
  // Nothing was reserved.
  if (attempt.beginning() === undefined && stood === 'overtaken') return undefined;
  await release();
  if (stood === 'overtaken' || stood === 'contactsChanged') {
    // This took longer than the lock lasts.
    const winner = parseStanding(await deps.redis.getBuffer(key));
    return winner?.decision ?? { ...own, decisionId: null };
  }
  await attempt.forget();
  // Its offers have been given back, and it would be answered again where what ended it has passed.
  if (ended !== undefined && text !== null) await removeStanding(deps.redis, key, text);
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
