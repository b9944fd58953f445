/** The offers' budgets and the customers' contacts made anew out of the lake, for a Redis that was lost. */

import { type ContactLedger, contactWindowMs } from '../decide/ledger/contact-ledger.ts';
import { createOfferTimeline, type OfferTimeline } from '../decide/ledger/offer-timeline.ts';
import { type LedgerEntry, replayLedgers } from '../decide/ledger/replay-ledgers.ts';
import { type BudgetRestoring, restoreBudget } from '../decide/ledger/restore-budget.ts';
import { sentId } from '../decide/ledger/sent-contact.ts';
import { CONTACT_RANK } from '../decide/settle-outcome.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import type { SpentBudget } from '../domain/erasure.ts';
import { offerChanges } from '../history/catalogue.ts';
import type { Lake } from '../history/lake.ts';
import { readOfferLog, type SubjectOfferLog } from '../history/offer-log.ts';
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';
import type { Contact, ContactHistory } from '../offers/contact-history.ts';
import { compileContactPolicy } from '../offers/contact-policy.ts';
import { economicsOf } from '../offers/cost.ts';
import { cappedByVariants } from '../offers/experiments.ts';

export type RebuildLedgersDeps = {
  lake: Lake;
  redis: Redis;
  keys: Keys;
  contacts: ContactLedger;
  policy: DecisionPolicy;
  currency: string;
  now: number;
  /** By customers who have been erased, of whom the lake tells no more. */
  spent?: readonly SpentBudget[];
};

export type RebuiltLedgers = {
  /** Read of the lake. */
  decisions: number;
  outcomes: number;
  /** That other tools have sent within the longest window of a cap. */
  messages: number;
  /** That name offers which they redeem. */
  purchases: number;
  /** Guests for whom something had been decided, and who have logged in. */
  merges: number;
  /** Customers, and guests, whose contacts were put back. */
  customers: number;
  /** Offers that have or had a budget, and what is out or known to be redeemed of all of them. */
  budgets: number;
  reservations: number;
};

const customersAtOnce = 100;

const counted = {
  decision: 'decisions',
  outcome: 'outcomes',
  sent: 'messages',
  purchase: 'purchases',
  merge: 'merges',
} as const;

/** Decisions go on meanwhile. Safe to repeat, and to break off: then budgets are as they were before. */
export async function rebuildLedgers(deps: RebuildLedgersDeps): Promise<RebuiltLedgers> {
  const { lake, redis, keys, policy, currency, now } = deps;
  const offers = await timelineOf(lake);
  const budgets = new Map<string, BudgetRestoring>();
  for (const offer of offers.everBudgeted())
    budgets.set(offer.offerId, await restoreBudget(offer, { redis, keys, now }));
  const replayDeps = {
    offers,
    contactPolicy: compileContactPolicy(policy.contact, cappedByVariants(policy)),
    economics: economicsOf(policy, currency),
    now,
  };
  const report: RebuiltLedgers = {
    decisions: 0,
    outcomes: 0,
    messages: 0,
    purchases: 0,
    merges: 0,
    customers: 0,
    budgets: budgets.size,
    reservations: 0,
  };

  async function rebuild({ subjectId, entries }: SubjectOfferLog): Promise<void> {
    const { contacts, reservations } = replayLedgers(entries satisfies LedgerEntry[], replayDeps);
    for (const reservation of reservations) await budgets.get(reservation.offerId)?.add(reservation);
    if (contacts.length === 0) return;
    report.customers++;
    const told = new Set(
      entries.flatMap((entry) =>
        entry.kind === 'decision' ? [entry.decisionId] : entry.kind === 'sent' ? [sentId(entry.eventId)] : [],
      ),
    );
    await deps.contacts.update(subjectId, (live) => merged(contacts, live, told), now);
  }

  let waiting: SubjectOfferLog[] = [];
  const work = async () => {
    await Promise.all(waiting.map(rebuild));
    waiting = [];
  };
  for await (const log of readOfferLog(lake, now - contactWindowMs)) {
    for (const { kind } of log.entries) report[counted[kind]]++;
    waiting.push(log);
    if (waiting.length >= customersAtOnce) await work();
  }
  await work();
  for (const [n, { offerId, period, state, costMinor }] of (deps.spent ?? []).entries()) {
    const reservation = { id: `erased-${n}`, offerId, period, costMinor, toldMinor: costMinor };
    const known = state === 'late' ? 'beyond' : state;
    await budgets.get(offerId)?.add({ ...reservation, state: known, at: now, until: now });
  }
  for (const budget of budgets.values()) report.reservations += await budget.finish();
  return report;
}

async function timelineOf(lake: Lake): Promise<OfferTimeline> {
  const timeline = createOfferTimeline();
  for await (const changes of offerChanges(lake)) for (const change of changes) timeline.add(change);
  return timeline;
}

/** What the lake does not tell of yet stays; of what both know, the later state counts. */
function merged(
  replayed: ContactHistory,
  live: ContactHistory,
  told: ReadonlySet<string>,
): readonly Contact[] {
  const isSame = (one: Contact) => (other: Contact) =>
    one.decisionId === other.decisionId && one.offerId === other.offerId;
  const known = replayed.map((contact) => {
    const other = live.find(isSame(contact));
    return other !== undefined && CONTACT_RANK[other.state] > CONTACT_RANK[contact.state] ? other : contact;
  });
  const newer = live.filter(({ decisionId }) => !told.has(decisionId));
  return [...known, ...newer].sort((a, b) => a.at - b.at);
}
