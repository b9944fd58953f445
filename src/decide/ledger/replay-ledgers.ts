/**
 * What the ledgers would hold of one customer, worked out from the log of decisions and outcomes alone: for a Redis that was lost.
 * The same steps as deciding (reserve.ts), settling (settle-outcome.ts) and withdrawing (standing-decision.ts) take, in the order in
 * which they happened. Pure.
 */
import type { Channel } from '../../domain/channel.ts';
import type { DecidedOffer } from '../../domain/decision.ts';
import { type Offer, PAID_WHEN_MADE } from '../../domain/offer.ts';
import { budgetPeriod, validityOf } from '../../offers/budget-period.ts';
import { type Contact, type ContactHistory, isStanding } from '../../offers/contact-history.ts';
import type { CompiledContactPolicy } from '../../offers/contact-policy.ts';
import type { Economics } from '../../offers/cost.ts';
import { redemptionCost } from '../../offers/redemption-cost.ts';
import { reservedCostMinor } from '../../offers/reserved-cost.ts';
import { occasionOf } from '../occasion.ts';
import { lastDecisionWith, purchaseId, repeatedId } from '../redeeming-purchase.ts';
import { answered, type SettledOutcome } from '../settle-outcome.ts';
import { outUntil, toldUntil } from '../told-until.ts';
import { contactFor, reportingMs } from './contact-for.ts';
import { budgetCost, periodKeptMs } from './offer-budget.ts';
import { type SentMessage, sentContact } from './sent-contact.ts';

type Made = Pick<DecidedOffer, 'offerId' | 'benefit' | 'redeemableUntil' | 'heldSince'> & {
  terms?: { costWhenAcceptedMinor: number; costWhenMadeMinor: number } | undefined;
};

/** Of one customer, in the order of time. `at` in milliseconds since 1970. */
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
  | ({ kind: 'outcome'; decisionId: string; offerId: string } & SettledOutcome)
  | ({ kind: 'sent' } & SentMessage)
  | {
      kind: 'purchase';
      at: number;
      eventId: string;
      orderId: string | undefined;
      valueMinor: number;
      redeemed: readonly {
        offerId: string;
        decisionId?: string | undefined;
        costMinor?: number | undefined;
      }[];
    };

/**
 * What one offer's budget has of a decision. reserved: `costMinor` is out until `until`, and then paid where `isPaidWhenMade`. confirmed: `costMinor` of the `toldMinor` that
 * it has cost were reserved, and until `until` a repeat is known. late: the same, told of when nothing was reserved any more; whether there
 * is budget left for it, the budget knows. beyond: of a second purchase, which takes none.
 */
export type ReplayedReservation = {
  offerId: string;
  id: string;
  /** Name of the period. */
  period: string;
  state: 'reserved' | 'confirmed' | 'late' | 'beyond';
  isPaidWhenMade?: boolean;
  costMinor: number;
  toldMinor: number;
  at: number;
  until: number;
};

export type ReplayDeps = {
  /** As it is now: with the budget of today, as for settling. undefined: deleted. */
  offerOf: (offerId: string) => Offer | undefined;
  contactPolicy: Pick<CompiledContactPolicy, 'limitsOn'>;
  economics: Economics;
  now: number;
};

export function replayLedgers(
  entries: readonly LedgerEntry[],
  { offerOf, contactPolicy, economics, now }: ReplayDeps,
): { contacts: ContactHistory; reservations: ReplayedReservation[] } {
  let contacts: Contact[] = [];
  const reservations = new Map<string, ReplayedReservation>();
  const decisions = new Map<string, Extract<LedgerEntry, { kind: 'decision' }>>();
  /** The purchase that has each offer, the first. */
  const claims = new Map<string, string>();
  /** As the ledger does with each change: what has lapsed goes. */
  const change = (to: Contact[], at: number) => {
    const isChanged = to.length !== contacts.length || to.some((contact, i) => contact !== contacts[i]);
    if (isChanged) contacts = to.filter((contact) => isStanding(contact, at));
  };
  const keyOf = (offerId: string, id: string) => `${offerId} ${id}`;
  /** What is in force at the instant. */
  const inForce = (key: string, at: number) => {
    const reservation = reservations.get(key);
    if (reservation?.state !== 'reserved' || reservation.until > at) return reservation;
    return reservation.isPaidWhenMade ? paid(reservation) : undefined;
  };
  const free = (offerId: string, id: string, at: number) => {
    const key = keyOf(offerId, id);
    if (inForce(key, at)?.state === 'reserved') reservations.delete(key);
  };

  function make(made: Made, decision: Decision, occasionId: string | undefined): Contact[] {
    const { decisionId, channel, at } = decision;
    const offer = offerOf(made.offerId);
    const until = made.redeemableUntil === undefined ? undefined : Date.parse(made.redeemableUntil);
    if (offer?.budget !== undefined) reserve(offer, offer.budget, made, decision, until);
    const isNew = made.heldSince === undefined;
    return contactFor(
      { offerId: made.offerId, benefit: made.benefit, caps: offer?.caps ?? [] },
      { decisionId, occasionId, channel, at, redeemableUntil: isNew ? until : undefined },
      contactPolicy,
    );
  }

  function reserve(
    offer: Offer,
    budget: NonNullable<Offer['budget']>,
    made: Made,
    { decisionId, at }: Decision,
    until: number | undefined,
  ): void {
    const id = made.heldSince ?? decisionId;
    const key = keyOf(made.offerId, id);
    const costMinor = reservedCostMinor(made.benefit, economics);
    const before = inForce(key, at);
    if (before !== undefined) {
      // Made again, and dearer: it was made because there was budget for the rest.
      if (before.state === 'reserved' && costMinor > before.costMinor)
        reservations.set(key, { ...before, costMinor });
      return;
    }
    reservations.set(key, {
      offerId: made.offerId,
      id,
      period: budgetPeriod(budget, validityOf(offer), at).name,
      state: 'reserved',
      ...(PAID_WHEN_MADE.has(made.benefit.kind) && { isPaidWhenMade: true }),
      costMinor,
      toldMinor: 0,
      at,
      until: (until ?? outUntil(offer, at)) + reportingMs,
    });
  }

  function withdraw({ decisionId, offerIds }: NonNullable<Decision['replaces']>, at: number): void {
    const ended = new Set(offerIds);
    const isOver = (contact: Contact) =>
      contact.decisionId === decisionId && ended.has(contact.offerId) && contact.state === 'reserved';
    change(
      contacts.filter((contact) => !isOver(contact)),
      at,
    );
    for (const offerId of offerIds) free(offerId, decisionId, at);
  }

  function settle(outcome: Outcome): void {
    const decision = decisions.get(outcome.decisionId);
    const made = decision?.made.find(({ offerId }) => offerId === outcome.offerId);
    if (decision === undefined || made === undefined) return;
    const holder = made.heldSince ?? decision.decisionId;
    const isMeant = ({ offerId, decisionId }: Contact) =>
      offerId === made.offerId && [holder, decision.decisionId].includes(decisionId);
    change(
      contacts.map((contact) => (isMeant(contact) ? answered(contact, outcome) : contact)),
      outcome.at,
    );
    const offer = offerOf(made.offerId);
    if (offer?.budget === undefined) return;
    if (outcome.outcome === 'redeemed' || PAID_WHEN_MADE.has(made.benefit.kind)) {
      const told = outcome.costMinor ?? redemptionCost(made as DecidedOffer, outcome.valueMinor, economics);
      confirm(offer, made, holder, budgetCost(told), decision.at, outcome.at);
    } else if (outcome.outcome === 'dismissed') free(made.offerId, holder, outcome.at);
  }

  function confirm(
    offer: Offer,
    made: Made,
    id: string,
    toldMinor: number,
    decidedAt: number,
    at: number,
  ): void {
    const { offerId } = made;
    const until = toldUntil(made, decidedAt);
    if (at >= until) return;
    const key = keyOf(offerId, id);
    const before = inForce(key, at);
    if (before === undefined) {
      const { budget = { period: 'total' as const, pacing: 'none' as const } } = offer;
      const period = budgetPeriod(budget, validityOf(offer), decidedAt).name;
      reservations.set(key, {
        offerId,
        id,
        period,
        state: 'late',
        costMinor: toldMinor,
        toldMinor,
        at,
        until,
      });
    } else if (before.state === 'reserved')
      reservations.set(key, {
        ...before,
        state: 'confirmed',
        costMinor: Math.min(toldMinor, before.costMinor),
        toldMinor,
        at,
        until,
      });
  }

  /** What redeems an offer first is told of as an outcome, too. */
  function redeem({ at, eventId, orderId, valueMinor, redeemed }: Purchase): void {
    const purchase = purchaseId(orderId, eventId);
    for (const { offerId, decisionId, costMinor } of redeemed) {
      const decision = decisions.get(decisionId ?? lastDecisionWith(offerId, contacts, at) ?? '');
      const made = decision?.made.find((one) => one.offerId === offerId);
      if (decision === undefined || made === undefined || at >= toldUntil(made, decision.at)) continue;
      const holder = made.heldSince ?? decision.decisionId;
      const claim = claims.get(keyOf(offerId, holder));
      if (claim === undefined) claims.set(keyOf(offerId, holder), purchase);
      const budget = offerOf(offerId)?.budget;
      if (claim === undefined || claim === purchase || budget === undefined) continue;
      const id = repeatedId(holder, purchase);
      if (reservations.has(keyOf(offerId, id))) continue;
      const told = costMinor ?? redemptionCost(made as DecidedOffer, Math.max(0, valueMinor), economics);
      const cost = budgetCost(told);
      reservations.set(keyOf(offerId, id), {
        offerId,
        id,
        period: budgetPeriod(budget, validityOf(offerOf(offerId) ?? {}), decision.at).name,
        state: 'beyond',
        costMinor: cost,
        toldMinor: cost,
        at,
        until: toldUntil(made, decision.at),
      });
    }
  }

  for (const entry of entries) {
    if (entry.kind === 'outcome') {
      settle(entry);
      continue;
    }
    if (entry.kind === 'purchase') {
      redeem(entry);
      continue;
    }
    if (entry.kind === 'sent') {
      const contact = sentContact(entry, contacts, contactPolicy, now);
      if (contact !== undefined) change([...contacts, contact], entry.at);
      continue;
    }
    const { decisionId, replaces, channel, campaign, at } = entry;
    if (replaces !== undefined) withdraw(replaces, at);
    decisions.set(decisionId, entry);
    const occasionId = occasionOf(channel, campaign, contacts, at);
    change([...contacts, ...entry.made.flatMap((made) => make(made, entry, occasionId))], at);
  }
  return {
    contacts,
    reservations: [...reservations.keys()].flatMap((key) => inForce(key, now) ?? []),
  };
}

/** As the ledger has it once the time in which it could be told of is over. */
function paid(reservation: ReplayedReservation): ReplayedReservation {
  const { costMinor, until } = reservation;
  return { ...reservation, state: 'confirmed', toldMinor: costMinor, until: until + periodKeptMs };
}

type Decision = Extract<LedgerEntry, { kind: 'decision' }>;
type Outcome = Extract<LedgerEntry, { kind: 'outcome' }>;
type Purchase = Extract<LedgerEntry, { kind: 'purchase' }>;
