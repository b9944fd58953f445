/**
 * The closed loop: each week a policy proposes an offer, or none, for every customer; budgets are shared out by its own
 * ranking; what is made has its effects; the policy learns. Consent, rules, contact policy and budgets hold for all policies
 * (the engine keeps all but budgets by its own code), and are counted again after each has decided, apart from what kept them.
 */
import { DecisionPolicy } from '../../../domain/decision-policy.ts';
import { DISCOUNTS } from '../../../domain/offer.ts';
import { dayMs, hourMs } from '../../../domain/time.ts';
import { type CustomerRecord, featureVector } from '../../../features/record.ts';
import type { Contact, ContactHistory } from '../../../offers/contact-history.ts';
import {
  type ExpectedBasket,
  expectedBasket,
  expectedOfferValueMinor,
} from '../../../simulation/expected-profit.ts';
import type { Journey } from '../../../simulation/journey.ts';
import { makeOffer } from '../../../simulation/logged-decisions.ts';
import type { SimulatedOffer } from '../../../simulation/offer-effects.ts';
import { advance } from '../../../simulation/simulate-customer.ts';
import { type Breach, createAudit } from './audit.ts';
import { type ClosedShop, customerAtStart, learnOf, takeEvents } from './closed-shop.ts';
import { type CustomerTrace, type DecidedLog, type LoggedRow, noOffer } from './decided-log.ts';
import { createRules } from './rules.ts';

const { contact } = DecisionPolicy.parse({});

/** Of one message, minor units. */
export const contactCostMinor = 2;

/** Those without offers that count as well. */
export const YEAR_AFTER_WEEKS = 52;

/** A customer about whom a policy is asked. `journey` is the truth: for the oracle alone. */
export type Asked = {
  customer: number;
  now: number;
  /** Of the weeks in which policies decide, how many are to come, this one among them. */
  weeksLeft: number;
  record: CustomerRecord;
  features: Float32Array;
  /** Offers that the customer may have now. */
  candidates: readonly SimulatedOffer[];
  /** Offers that compete, consent and rules not asked: for who keeps them itself. */
  unruled: readonly SimulatedOffer[];
  /** What was made to the customer lately, as the ledger would have it. */
  contacts: ContactHistory;
  journey: Journey;
};

/** `score`: budgets go to the highest first. */
export type Proposal = { offer: SimulatedOffer | undefined; propensity: number; score: number };

export type LoopPolicy = {
  name: string;
  /** The proposals of all customers at once, in their order. */
  propose(asked: readonly Asked[]): Proposal[];
  /** Called before the first week with the history, and after each with everything there is to learn from. */
  learn?(log: DecidedLog, now: number): Promise<void>;
};

export type LoopResult = {
  /** Long-run profit by customer, minor units: margins of the weeks and of the year after, less what offers cost. */
  profitMinor: Float64Array;
  /**
   * By customer: what each contact was expected to change about that, by the truth at the moment when it was made, summed. A
   * gain over none without the chance of single orders; what a contact makes of later ones is in it where those are made.
   */
  expectedMinor: Float64Array;
  contacts: number;
  /** What contacts broke: consent, the contact policy, an offer's own rules or a budget. `violations` in all. */
  violations: number;
  breaches: Partial<Record<Breach, number>>;
  /** What was decided in the loop. */
  log: LoggedRow[];
};

/** `budgets: false`: an offer may be made as often as a policy likes. */
export async function runLoop(
  closed: ClosedShop,
  policy: LoopPolicy,
  { budgets: limited = true }: { budgets?: boolean } = {},
): Promise<LoopResult> {
  const { shop, startAt, weeks, endAt, indices, marginMinor, history } = closed;
  const customers = indices.map((_, customer) => customerAtStart(closed, customer));
  const before = customers.map(({ journey }) => journey.ledger.marginMinor);
  const costs = new Float64Array(customers.length);
  const expectedMinor = new Float64Array(customers.length);
  const baskets = new Map<Journey, ExpectedBasket>();
  const traces: CustomerTrace[] = history.traces.map(({ events, orders, redeemed }) => ({
    events: [...events],
    orders: [...orders],
    redeemed: new Set(redeemed),
  }));
  const log: DecidedLog = { rows: [...history.rows], traces };
  const made: LoggedRow[] = [];
  const rules = createRules(shop.offers, customers.length);
  const contacts = customers.map((): Contact[] => []);
  const audit = createAudit(contact, 'email', (offerId) => {
    const share = limited ? WEEKLY_SHARES[offerId] : undefined;
    return share === undefined ? Number.POSITIVE_INFINITY : Math.ceil(share * customers.length);
  });
  for (const [customer, events] of closed.recent.entries())
    for (const event of events) {
      rules.heard(customer, event);
      audit.heard(customer, event);
    }
  for (const { decisionId, customer, action, at } of history.rows) {
    const offer = shop.offers[action];
    if (offer === undefined) continue;
    rules.made(customer, offer, at);
    contacts[customer]?.push(contactOf(offer, decisionId, at));
  }
  await policy.learn?.(log, startAt);

  for (let week = 0; week < weeks; week++) {
    const now = startAt + week * 7 * dayMs + 8 * hourMs;
    const asked: Asked[] = [];
    for (const [customer, { journey, record }] of customers.entries()) {
      advance(journey, now);
      for (const event of takeEvents(journey)) {
        learnOf(record, traces[customer] as CustomerTrace, event, marginMinor);
        rules.heard(customer, event);
        audit.heard(customer, event);
      }
      const features = featureVector(record, now);
      const candidates = rules.candidates(customer, record, features, now);
      asked.push({
        customer,
        now,
        weeksLeft: weeks - week,
        record,
        features,
        candidates,
        unruled: rules.unruled(customer, now),
        contacts: contacts[customer] ?? [],
        journey,
      });
    }
    const proposals = policy.propose(asked);
    const budgets = limited ? weeklyBudgets(shop.offers, customers.length) : new Map<number, number>();
    for (const at of inOrderOfScore(proposals)) {
      const { offer, propensity } = proposals[at] as Proposal;
      const { customer, journey, features, candidates } = asked[at] as Asked;
      const decisionId = `loop-${week}-${customer}`;
      if (offer !== undefined) {
        const left = budgets.get(offer.number);
        // What a budget refuses was not drawn: it is no decision to learn from.
        if (left !== undefined && left <= 0) continue;
        if (left !== undefined) budgets.set(offer.number, left - 1);
        const { traits, departure, discountUntil } = journey;
        const addressed = {
          customer,
          subjectId: `c${indices[customer]}`,
          consents: traits.consent.email,
          timeZone: (asked[at] as Asked).record.attributes.timeZone,
          openComplaints: departure.openComplaints,
          discountUntil,
        };
        audit.made(offer.offer, addressed, now, week);
        rules.made(customer, offer, now);
        contacts[customer]?.push(contactOf(offer, decisionId, now));
        const basket = baskets.get(journey) ?? expectedBasket(journey);
        baskets.set(journey, basket);
        const when = { at: now, weeks: weeks - week + YEAR_AFTER_WEEKS, contactCostMinor };
        expectedMinor[customer]! += expectedOfferValueMinor(journey, basket, offer, when);
        makeOffer(journey, now, offer, decisionId);
        costs[customer]! += contactCostMinor + costWhenMade(offer);
      } else if (candidates.length === 0) continue;
      const action = offer?.number ?? noOffer;
      const row = { decisionId, customer, at: now, action, propensity, features };
      log.rows.push(row);
      made.push(row);
    }
    if (week + 1 < weeks) await policy.learn?.(log, now + 7 * dayMs);
  }
  for (const { journey } of customers) {
    advance(journey, endAt);
    journey.writer.take();
  }
  const profitMinor = Float64Array.from(
    customers,
    ({ journey }, customer) => journey.ledger.marginMinor - before[customer]! - costs[customer]!,
  );
  const breaches = audit.breaches();
  const violations = Object.values(breaches).reduce((sum, count) => sum + count, 0);
  return { profitMinor, expectedMinor, contacts: audit.contacts, violations, breaches, log: made };
}

function contactOf({ offer }: SimulatedOffer, decisionId: string, at: number): Contact {
  const redeemableUntil = at + offer.redeemWithinDays * dayMs;
  return {
    occasionId: decisionId,
    decisionId,
    offerId: offer.offerId,
    channel: 'email',
    at,
    discount: DISCOUNTS.has(offer.benefit.kind),
    redeemableUntil,
    state: 'confirmed',
    stateAt: at,
    expiresAt: redeemableUntil,
  };
}

function costWhenMade({ offer }: SimulatedOffer): number {
  return offer.benefit.kind === 'serviceContact' ? offer.benefit.costMinor : 0;
}

/** Times an offer may be made a week, as a share of the customers; the others have no bound. */
const WEEKLY_SHARES: Readonly<Record<string, number>> = {
  'win-back-15': 0.1,
  'big-basket-10-euro': 0.1,
  'fashion-week': 0.1,
  'make-it-right': 0.02,
};

function weeklyBudgets(offers: readonly SimulatedOffer[], customers: number): Map<number, number> {
  const budgets = new Map<number, number>();
  for (const { number, offer } of offers) {
    const share = WEEKLY_SHARES[offer.offerId];
    if (share !== undefined) budgets.set(number, Math.ceil(share * customers));
  }
  return budgets;
}

function inOrderOfScore(proposals: readonly Proposal[]): number[] {
  return [...proposals.keys()].sort((a, b) => proposals[b]!.score - proposals[a]!.score || a - b);
}
