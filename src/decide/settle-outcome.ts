/**
 * An outcome in the ledgers: a redemption confirms the offer's budget at what it has cost, a dismissal gives it back, and the
 * customer's contact is no longer only reserved. Safe to repeat.
 */
import type { SessionId } from '../domain/ids.ts';
import { type Offer, type OfferOutcome, PAID_WHEN_MADE } from '../domain/offer.ts';
import { customerOfSession } from '../features/guest-events.ts';
import { guestSubject } from '../features/subject.ts';
import type { Contact, ContactHistory, ContactState } from '../offers/contact-history.ts';
import type { OfferMarket } from '../offers/offer-market.ts';
import { redemptionCost } from '../offers/redemption-cost.ts';
import type { DecisionOutline, OutlinedOffer } from './decision-outline.ts';
import type { DecidingDeps } from './deps.ts';
import type { ReadContacts } from './ledger/contact-ledger.ts';
import { holderIn } from './ledger/fold-contacts.ts';
import type { Confirmed } from './ledger/offer-budget.ts';
import { readVersion } from './offer-versions.ts';
import { repeatedId } from './redeeming-purchase.ts';
import { toldUntil } from './told-until.ts';

export type SettledOutcome = {
  outcome: OfferOutcome;
  /** When it happened, milliseconds since 1970. */
  at: number;
  /** Value of the order that it led to, and what the redemption has cost; undefined = not told. */
  valueMinor?: number | undefined;
  costMinor?: number | undefined;
};

type SettleDeps = Pick<DecidingDeps, 'redis' | 'keys' | 'catalogue' | 'budgets' | 'contacts' | 'now'>;

const STATES: Readonly<Record<OfferOutcome, ContactState>> = {
  viewed: 'confirmed',
  clicked: 'confirmed',
  redeemed: 'redeemed',
  dismissed: 'dismissed',
};

/** Later answers count: who dismissed an offer may still redeem it, but a view does not undo a redemption. */
export const CONTACT_RANK: Readonly<Record<ContactState, number>> = {
  reserved: 0,
  confirmed: 1,
  dismissed: 2,
  redeemed: 3,
};

/** Whose contacts a decision's are, and what they were when they were read. */
export type SubjectContacts = {
  subjectId: string;
  read: ReadContacts;
  /**
   * Of a guest who has logged in, read before the customer's: there is what the log-in has not taken over yet, or came later by
   * who did not know of it.
   */
  guest?: SubjectContacts;
};

type ContactDeps = Pick<SettleDeps, 'redis' | 'keys' | 'contacts'>;

/**
 * Of whom it was made for, to be read in advance; undefined: nobody knows for whom it was. A guest's decision is the customer's whom the
 * guest has turned out to be.
 */
export function contactsOf(
  { customerId, sessionId }: DecisionOutline,
  deps: ContactDeps,
): Promise<SubjectContacts> | undefined {
  if (customerId !== undefined) return readOf(customerId, deps);
  return sessionId === undefined ? undefined : guestContacts(sessionId, deps);
}

async function guestContacts(sessionId: SessionId, deps: ContactDeps): Promise<SubjectContacts> {
  // In this order: what a log-in has taken over by the first, the second knows of.
  const [guest, customerId] = await Promise.all([
    readOf(guestSubject(sessionId), deps),
    customerOfSession(sessionId, deps),
  ]);
  return customerId === undefined ? guest : { ...(await readOf(customerId, deps)), guest };
}

async function readOf(subjectId: string, { contacts }: ContactDeps): Promise<SubjectContacts> {
  return { subjectId, read: await contacts.read(subjectId) };
}

/** Answers what became of the budget; undefined: the outcome has nothing to do with it. `early`: `contactsOf` the decision. */
export async function settleOutcome(
  decision: DecisionOutline,
  made: OutlinedOffer,
  settled: SettledOutcome,
  market: Pick<OfferMarket, 'economics'>,
  deps: SettleDeps,
  early = contactsOf(decision, deps),
): Promise<Confirmed | 'released' | undefined> {
  const of = await early;
  const holder = holderIn(of?.read.history ?? [], decision, made);
  let last = holder;
  const change = (history: ContactHistory) => {
    last = holderIn(history, decision, made);
    const ids = new Set([last, decision.decisionId]);
    return changed(history, (contact) =>
      contact.offerId === made.offerId && ids.has(contact.decisionId) ? answered(contact, settled) : contact,
    );
  };
  // Neither waits for the other, since each may be repeated by itself.
  const [budget] = await Promise.all([
    settleBudget(decision, made, holder, settled, market, deps),
    of && changeContacts(decision, of, change, deps),
  ]);
  if (last !== holder) await followFold(made, { holder, last }, budget, deps);
  return budget;
}

/** A log-in has folded the offer into another since the contacts were read: what was done to its budget is the other's. */
async function followFold(
  { offerId }: OutlinedOffer,
  { holder, last }: { holder: string; last: string },
  budget: Confirmed | 'released' | undefined,
  { budgets, now }: SettleDeps,
): Promise<void> {
  if (budget === 'released') await budgets.release(offerId, last, now());
  else if (budget !== undefined) await budgets.move(offerId, holder, last, now());
}

/**
 * A guest may log in at any moment: what changes as the guest's is changed there first and then as the customer's, as the log-in
 * takes it over before it deletes it. So it is met on one side or the other.
 */
async function changeContacts(
  { customerId, sessionId }: DecisionOutline,
  { guest, ...of }: SubjectContacts,
  change: (history: ContactHistory) => ContactHistory,
  deps: ContactDeps & Pick<SettleDeps, 'now'>,
): Promise<void> {
  const update = (subjectId: string, early?: ReadContacts) =>
    deps.contacts.update(subjectId, change, deps.now(), early && Promise.resolve(early));
  const asGuest = customerId === undefined ? (guest ?? of) : undefined;
  const isGuests = asGuest !== undefined && change(asGuest.read.history) !== asGuest.read.history;
  if (!isGuests || sessionId === undefined) return await update(of.subjectId, of.read);
  await update(asGuest.subjectId, asGuest.read);
  const owner = guest === undefined ? await customerOfSession(sessionId, deps) : of.subjectId;
  if (owner !== undefined) await update(owner);
}

/**
 * What an offer cost that was redeemed already, in another purchase (`purchase` names it, see redeeming-purchase.ts; `holder` whose reservation it is, see `holderIn`): the budget has paid for it once, so that it
 * is counted apart. Safe to repeat.
 */
export async function settleRepeated(
  decision: DecisionOutline,
  made: OutlinedOffer,
  {
    holder,
    purchase,
    valueMinor,
    costMinor,
  }: Pick<SettledOutcome, 'valueMinor' | 'costMinor'> & { holder: string; purchase: string },
  { economics }: Pick<OfferMarket, 'economics'>,
  deps: SettleDeps,
): Promise<Confirmed | undefined> {
  const offer = await offerOf(made, deps);
  if (offer?.budget === undefined) return undefined;
  const decidedAt = Date.parse(decision.decidedAt);
  const redeemed = {
    id: repeatedId(holder, purchase),
    costMinor: costMinor ?? redemptionCost(made, valueMinor, economics),
    decidedAt,
    knownUntil: toldUntil(made, decidedAt),
    isBeyond: true,
  };
  return await deps.budgets.confirm(offer, redeemed, deps.now());
}

async function settleBudget(
  decision: DecisionOutline,
  made: OutlinedOffer,
  holder: string,
  { outcome, valueMinor, costMinor }: SettledOutcome,
  { economics }: Pick<OfferMarket, 'economics'>,
  deps: SettleDeps,
): Promise<Confirmed | 'released' | undefined> {
  const offer = await offerOf(made, deps);
  if (offer?.budget === undefined) return undefined;
  const now = deps.now();
  const decidedAt = Date.parse(decision.decidedAt);
  const knownUntil = toldUntil(made, decidedAt);
  // Whether it has been counted is no longer known. Nothing of it is reserved either.
  if (now >= knownUntil) return undefined;
  if (outcome === 'redeemed' || PAID_WHEN_MADE.has(made.benefit.kind)) {
    const cost = costMinor ?? redemptionCost(made, valueMinor, economics);
    return await deps.budgets.confirm(offer, { id: holder, costMinor: cost, decidedAt, knownUntil }, now);
  }
  if (outcome !== 'dismissed') return undefined;
  await deps.budgets.release(offer.offerId, holder, now);
  return 'released';
}

/** With the budget of today, or the one of the decision where the offer has been deleted. */
async function offerOf(
  { offerId, offerVersion }: OutlinedOffer,
  deps: SettleDeps,
): Promise<Offer | undefined> {
  return deps.catalogue.offers.get(offerId) ?? (await readVersion(offerId, offerVersion, deps))?.offer;
}

/** The contact after the outcome. */
export function answered(contact: Contact, { outcome, at }: Pick<SettledOutcome, 'outcome' | 'at'>): Contact {
  const state = STATES[outcome];
  return CONTACT_RANK[state] > CONTACT_RANK[contact.state] ? { ...contact, state, stateAt: at } : contact;
}

/** The same list where nothing in it has changed: then there is nothing to write. */
function changed(history: readonly Contact[], change: (contact: Contact) => Contact): readonly Contact[] {
  const next = history.map(change);
  return next.some((contact, i) => contact !== history[i]) ? next : history;
}
