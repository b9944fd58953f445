/**
 * What the ledgers would hold of one customer, worked out from the log of decisions and outcomes alone: for a Redis that was lost.
 * The same steps as deciding (reserve.ts), settling (settle-outcome.ts) and withdrawing (withdrawn-offers.ts) take, in the order in
 * which they were told, by the budgets that offers had then. Pure.
 */
import type { Channel } from '../../domain/channel.ts';
import type { DecidedOffer } from '../../domain/decision.ts';
import { PAID_WHEN_MADE } from '../../domain/offer.ts';
import { type Contact, type ContactHistory, isStanding } from '../../offers/contact-history.ts';
import type { CompiledContactPolicy } from '../../offers/contact-policy.ts';
import type { Economics } from '../../offers/cost.ts';
import { redemptionCost } from '../../offers/redemption-cost.ts';
import { reservedCostMinor } from '../../offers/reserved-cost.ts';
import { occasionOf } from '../occasion.ts';
import { lastDecisionWith, purchaseId, repeatedId } from '../redeeming-purchase.ts';
import { answered, type SettledOutcome } from '../settle-outcome.ts';
import { toldUntil } from '../told-until.ts';
import { contactFor } from './contact-for.ts';
import { foldContacts, holderIn } from './fold-contacts.ts';
import type { OfferTimeline } from './offer-timeline.ts';
import {
  type BudgetThen,
  type ReplayedBudgets,
  type ReplayedReservation,
  replayedBudgets,
} from './replayed-budgets.ts';
import { type SentMessage, sentContact } from './sent-contact.ts';

type Made = Pick<DecidedOffer, 'offerId' | 'benefit' | 'redeemableUntil' | 'heldSince'> & {
  terms?: { costWhenAcceptedMinor: number; costWhenMadeMinor: number } | undefined;
};

/** Of one customer, in the order in which they were told. `at`: when it happened; `toldAt`: when it was told; milliseconds since 1970. */
export type LedgerEntry =
  | {
      kind: 'decision';
      at: number;
      decisionId: string;
      channel: Channel;
      campaign: string | undefined;
      made: readonly Made[];
      /** The decision that it took the place of, and which offers of that were withdrawn. */
      replaces: { decisionId: string; offerIds: readonly string[] } | undefined;
    }
  | ({ kind: 'outcome'; decisionId: string; offerId: string; toldAt: number } & SettledOutcome)
  | ({ kind: 'sent' } & SentMessage)
  /** A guest's session has become this customer's, whose log has its decisions. */
  | { kind: 'merge'; at: number }
  | {
      kind: 'purchase';
      at: number;
      toldAt: number;
      eventId: string;
      orderId: string | undefined;
      valueMinor: number;
      redeemed: readonly {
        offerId: string;
        decisionId?: string | undefined;
        costMinor?: number | undefined;
      }[];
    };

type Entry<K extends LedgerEntry['kind']> = Extract<LedgerEntry, { kind: K }>;

export type ReplayDeps = {
  offers: Pick<OfferTimeline, 'latest' | 'at'>;
  contactPolicy: Pick<CompiledContactPolicy, 'limitsOn'>;
  economics: Economics;
  now: number;
};

export function replayLedgers(
  entries: readonly LedgerEntry[],
  deps: ReplayDeps,
): { contacts: ContactHistory; reservations: ReplayedReservation[] } {
  const ledgers: Ledgers = {
    contacts: [],
    budgets: replayedBudgets(),
    decisions: new Map(),
    early: new Map(),
    claims: new Map(),
    hasMerged: false,
  };
  for (const entry of entries) {
    switch (entry.kind) {
      case 'decision':
        decide(entry, ledgers, deps);
        break;
      case 'outcome':
        settle(entry, ledgers, deps);
        break;
      case 'purchase':
        redeem(entry, ledgers, deps);
        break;
      case 'sent':
        send(entry, ledgers, deps);
        break;
      case 'merge':
        ledgers.hasMerged = true;
        fold(entry.at, ledgers);
        break;
    }
  }
  return { contacts: ledgers.contacts, reservations: ledgers.budgets.inForceAt(deps.now) };
}

/** The customer's, as far as the log has been replayed. */
type Ledgers = {
  contacts: readonly Contact[];
  budgets: ReplayedBudgets;
  decisions: Map<string, Entry<'decision'>>;
  /** By the decision: what was told of it before it, by another clock. */
  early: Map<string, Entry<'outcome'>[]>;
  /** The purchase that has each offer, the first; by the offer and whose reservation it is. */
  claims: Map<string, string>;
  /** What had been decided for a guest is the customer's by now. */
  hasMerged: boolean;
};

/** As the ledger does with each change: what has lapsed goes. */
function changeContacts(ledgers: Ledgers, to: readonly Contact[], at: number): void {
  const { contacts } = ledgers;
  const isChanged = to.length !== contacts.length || to.some((contact, i) => contact !== contacts[i]);
  if (isChanged) ledgers.contacts = to.filter((contact) => isStanding(contact, at));
}

function decide(decision: Entry<'decision'>, ledgers: Ledgers, deps: ReplayDeps): void {
  const { decisionId, replaces, channel, campaign, at, made } = decision;
  if (replaces !== undefined) withdraw(replaces, at, ledgers);
  ledgers.decisions.set(decisionId, decision);
  const occasionId = occasionOf(channel, campaign, ledgers.contacts, at);
  for (const offer of made) reserve(offer, decision, ledgers, deps);
  const contacts = made.flatMap((offer) => contactsOfMade(offer, decision, occasionId, deps));
  changeContacts(ledgers, [...ledgers.contacts, ...contacts], at);
  // Once the log-in is known, nobody is given twice what she has; the log may have it before the decision that did not know of it.
  if (ledgers.hasMerged) fold(at, ledgers);
  for (const outcome of ledgers.early.get(decisionId) ?? [])
    settle({ ...outcome, toldAt: Math.max(outcome.toldAt, at) }, ledgers, deps);
}

function withdraw(
  { decisionId, offerIds }: NonNullable<Entry<'decision'>['replaces']>,
  at: number,
  ledgers: Ledgers,
): void {
  const ended = new Set(offerIds);
  const drops = (contact: Contact) =>
    contact.decisionId === decisionId && ended.has(contact.offerId) && contact.state === 'reserved';
  const kept = ledgers.contacts.filter((contact) => !drops(contact));
  changeContacts(ledgers, kept, at);
  for (const offerId of offerIds) ledgers.budgets.free({ offerId, id: decisionId, at });
}

function reserve(made: Made, decision: Entry<'decision'>, { budgets }: Ledgers, deps: ReplayDeps): void {
  const then = budgetOf(made.offerId, decision.at, decision.at, deps);
  if (then === undefined) return;
  budgets.reserve(then, {
    offerId: made.offerId,
    id: made.heldSince ?? decision.decisionId,
    at: decision.at,
    costMinor: reservedCostMinor(made.benefit, deps.economics),
    redeemableUntil: redeemableUntilOf(made),
  });
}

function contactsOfMade(
  made: Made,
  { decisionId, channel, at }: Entry<'decision'>,
  occasionId: string | undefined,
  { offers, contactPolicy }: ReplayDeps,
): Contact[] {
  const { offerId, benefit } = made;
  const redeemableUntil = made.heldSince === undefined ? redeemableUntilOf(made) : undefined;
  return contactFor(
    { offerId, benefit, caps: offers.latest(offerId)?.caps ?? [] },
    { decisionId, occasionId, channel, at, redeemableUntil },
    contactPolicy,
  );
}

function settle(outcome: Entry<'outcome'>, ledgers: Ledgers, deps: ReplayDeps): void {
  const { toldAt, offerId } = outcome;
  const decision = ledgers.decisions.get(outcome.decisionId);
  if (decision === undefined) {
    const early = ledgers.early.get(outcome.decisionId) ?? [];
    ledgers.early.set(outcome.decisionId, [...early, outcome]);
    return;
  }
  const made = decision.made.find((one) => one.offerId === offerId);
  if (made === undefined) return;
  const until = toldUntil(made, decision.at);
  // It was refused.
  if (outcome.outcome === 'redeemed' && toldAt >= until) return;
  const holder = holderIn(ledgers.contacts, decision, made);
  const isMeant = (contact: Contact) =>
    contact.offerId === offerId && [holder, decision.decisionId].includes(contact.decisionId);
  const contacts = ledgers.contacts.map((contact) =>
    isMeant(contact) ? answered(contact, outcome) : contact,
  );
  changeContacts(ledgers, contacts, toldAt);
  const then = budgetOf(offerId, toldAt, decision.at, deps);
  if (then === undefined || toldAt >= until) return;
  if (outcome.outcome === 'redeemed' || PAID_WHEN_MADE.has(made.benefit.kind)) {
    const toldMinor = costOf(made, outcome.costMinor, outcome.valueMinor, deps);
    const settled = { offerId, id: holder, at: toldAt, toldMinor, decidedAt: decision.at, until };
    ledgers.budgets.confirm(then, settled);
  } else if (outcome.outcome === 'dismissed') ledgers.budgets.free({ offerId, id: holder, at: toldAt });
}

/** What redeems an offer first is told of as an outcome, too: here only what a second purchase has cost is counted. */
function redeem(purchase: Entry<'purchase'>, ledgers: Ledgers, deps: ReplayDeps): void {
  const { decisions, contacts, claims, budgets } = ledgers;
  const { at, toldAt, valueMinor } = purchase;
  const name = purchaseId(purchase.orderId, purchase.eventId);
  for (const { offerId, decisionId, costMinor } of purchase.redeemed) {
    const decision = decisions.get(decisionId ?? lastDecisionWith(offerId, contacts, at) ?? '');
    const made = decision?.made.find((one) => one.offerId === offerId);
    if (decision === undefined || made === undefined) continue;
    const until = toldUntil(made, decision.at);
    if (toldAt >= until) continue;
    const holder = holderIn(contacts, decision, made);
    const place = `${offerId} ${holder}`;
    const claim = claims.get(place);
    if (claim === undefined) claims.set(place, name);
    const then = budgetOf(offerId, toldAt, decision.at, deps);
    if (claim === undefined || claim === name || then === undefined) continue;
    budgets.confirmBeyond(then, {
      offerId,
      id: repeatedId(holder, name),
      at: toldAt,
      toldMinor: costOf(made, costMinor, Math.max(0, valueMinor), deps),
      decidedAt: decision.at,
      until,
    });
  }
}

function send(message: Entry<'sent'>, ledgers: Ledgers, { contactPolicy, now }: ReplayDeps): void {
  const contact = sentContact(message, ledgers.contacts, contactPolicy, now);
  if (contact !== undefined) changeContacts(ledgers, [...ledgers.contacts, contact], message.at);
}

/** As at a log-in: of what she was given twice, one is given back. */
function fold(at: number, ledgers: Ledgers): void {
  const { contacts, folded } = foldContacts(ledgers.contacts, at);
  changeContacts(ledgers, contacts, at);
  for (const { offerId, decisionId: id } of folded) ledgers.budgets.free({ offerId, id, at });
}

/** Of an offer that was deleted by then, as it stood when it was decided. undefined: without a budget. */
function budgetOf(
  offerId: string,
  at: number,
  decidedAt: number,
  { offers }: Pick<ReplayDeps, 'offers'>,
): BudgetThen | undefined {
  const { budget, ...offer } = offers.at(offerId, at) ?? offers.at(offerId, decidedAt) ?? {};
  return budget && { ...(offer as BudgetThen), budget };
}

function costOf(
  made: Made,
  costMinor: number | undefined,
  valueMinor: number | undefined,
  { economics }: Pick<ReplayDeps, 'economics'>,
): number {
  return costMinor ?? redemptionCost(made as DecidedOffer, valueMinor, economics);
}

function redeemableUntilOf({ redeemableUntil }: Made): number | undefined {
  return redeemableUntil === undefined ? undefined : Date.parse(redeemableUntil);
}
