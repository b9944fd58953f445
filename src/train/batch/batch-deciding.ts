/** What a thread of a batch does with some of its customers: the very decisions that one asked for by itself would be. */
import { type OpenDecision, openDecision, valueOffers } from '../../decide/decide.ts';
import { type LoggedDecision, withoutReasons } from '../../decide/decision-log.ts';
import { firmChoice, type Reserving, reserveChoices } from '../../decide/reserve.ts';
import { parseStanding } from '../../decide/standing-text.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { exploringOf, type OfferMarket } from '../../offers/offer-market.ts';
import {
  type BatchCustomer,
  type BatchDecidingDeps,
  type BatchOf,
  createBatchCustomers,
  type Withheld,
} from './batch-customers.ts';
import type { Wanted } from './candidates-file.ts';
import { createListExploring } from './list-exploring.ts';
import {
  createListedStanding,
  type Decided,
  type DecidedCustomer,
  type MadeDecision,
} from './listed-standing.ts';

/** What of the offers whose budgets do not suffice for all each of some customers is to have. */
export type Shares = {
  /** All offers, by position, and those whose budgets have been shared out. */
  offerIds: readonly string[];
  shortIds: readonly string[];
  /** For each customer `limit` positions + 1; 0 = no further one. */
  limit: number;
  own: Uint16Array;
};

export function createBatchDeciding(batch: BatchOf, deps: BatchDecidingDeps) {
  const exploringFor = createListExploring(deps.market, deps.now);
  const customersOf = createBatchCustomers(batch, deps);
  const { read, asked, withoutOwn, idFor } = customersOf;
  const { standing, letStand } = createListedStanding(batch, customersOf, deps);

  return {
    /** Of each customer the candidates worth most, best first, by position among `offerIds`; empty for those who are passed over. */
    async value(
      customerIds: readonly CustomerId[],
      offerIds: readonly string[],
      candidatesMax: number,
    ): Promise<Wanted[][]> {
      const positions = new Map(offerIds.map((offerId, at) => [offerId, at]));
      const [customers, market] = await Promise.all([read(customerIds), deps.market.read()]);
      const now = deps.now();
      const wanted = new Map<string, Wanted[]>();
      for (const customer of customers) {
        // What stands is what she gets: a share of hers would be lost to the others.
        const about = customer.text === null ? asked(customer, market, now) : undefined;
        if (about === undefined) continue;
        const list = notHeld(valueOffers(...about), batch.about.limit)
          .slice(0, candidatesMax)
          .flatMap(({ compiled, expectedValue }): Wanted[] => {
            const offer = positions.get(compiled.offer.offerId);
            // In money, however her variant ranks: by acceptance she would bid hundredths where others bid hundreds.
            return offer === undefined ? [] : [{ offer, value: expectedValue }];
          });
        wanted.set(customer.customerId, list);
      }
      return customerIds.map((customerId) => wanted.get(customerId) ?? []);
    },

    /**
     * Decides, reserves, lets the decisions stand; what stands already is the list's decision too. `shares`: by customer, where
     * budgets are shared out. `customersLeft`: of the whole list, these among them.
     */
    async decide(
      customerIds: readonly CustomerId[],
      chunk: string,
      shares: Shares | undefined,
      customersLeft = customerIds.length,
    ): Promise<DecidedCustomer[]> {
      const [customers, market] = await Promise.all([read(customerIds), deps.market.read()]);
      const before = await decidedBefore(customers);
      const open = customers.filter(({ customerId, text }) => text === null && !before.has(customerId));
      const now = await decideAll(open, market, shares && withheldBy(customerIds, shares), customersLeft);
      const decided = await Promise.all(
        customers.map(async (customer): Promise<Decided | undefined> => {
          const { customerId, text } = customer;
          const own = before.get(customerId);
          if (own !== undefined) return { customer, decision: withoutReasons(own), by: 'this, before' };
          const made = now.get(customerId);
          if (text === null) return made && { customer, ...made, by: 'this' };
          const decision = await standing(customer, market);
          return decision && { customer, decision, by: 'another' };
        }),
      );
      return letStand(
        decided.filter((one) => one !== undefined),
        chunk,
        market,
      );
    },
  };

  /** Those whom an attempt before this one has come to, as far as it came. */
  async function decidedBefore(
    customers: readonly BatchCustomer[],
  ): Promise<Map<CustomerId, LoggedDecision>> {
    const decided = new Map<CustomerId, LoggedDecision>();
    for (const { customerId, contacts, text } of customers) {
      if (contacts.history.length === 0 && text === null) continue;
      const decisionId = idFor(customerId);
      const decision = parseStanding(text)?.decision;
      if (decision?.decisionId === decisionId) decided.set(customerId, decision);
      // Another that stands may hold what it has reserved.
      if (text !== null) continue;
      for (const { offerId } of contacts.history.filter((contact) => contact.decisionId === decisionId))
        await deps.budgets.release(offerId, decisionId, deps.now());
    }
    return decided;
  }

  /** Again where somebody else has offered a customer something meanwhile. */
  async function decideAll(
    customers: readonly BatchCustomer[],
    market: OfferMarket,
    withheld: Withheld | undefined,
    customersLeft: number,
  ): Promise<Map<CustomerId, MadeDecision>> {
    const decided = new Map<CustomerId, MadeDecision>();
    const bound = exploringOf(market);
    let waiting = customers;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === attemptsMax)
        throw new Error(`a customer's contacts were changed by others in each of ${attemptsMax} attempts`);
      const now = deps.now();
      const opened = waiting.flatMap((customer): Opened[] => {
        const about = asked(customer, market, now, withheld);
        if (about === undefined) return [];
        const exploring = exploringFor(bound, customer.customerId, customersLeft);
        return [opening(customer, openDecision(...about, exploring))];
      });
      const reserved = await reserveChoices(
        opened.map(({ customer: { customerId, contacts }, choice, decisionId }) => {
          const history = withoutOwn(contacts.history, customerId);
          return { choice, decisionId, contacts: { history, version: contacts.version } };
        }),
        market,
        deps,
      );
      const again: BatchCustomer[] = [];
      for (const [at, one] of opened.entries()) {
        const { customer, decisionId } = one;
        if (!reserved[at]) again.push(customer);
        else decided.set(customer.customerId, 'made' in one ? one.made : finished(one.open, decisionId));
      }
      const contacts = await deps.contacts.readMany(again.map(({ customerId }) => customerId));
      waiting = again.map((customer, at) => ({ ...customer, contacts: contacts[at] ?? customer.contacts }));
    }
    return decided;
  }

  /** Told at once where no budget can change it any more, so that a few lines are kept of the customer and not the record. */
  function opening(customer: BatchCustomer, open: OpenDecision): Opened {
    const decisionId = idFor(customer.customerId);
    const firm = firmChoice(open.choice);
    if (firm === undefined) return { customer, decisionId, choice: open.choice, open };
    return { customer, decisionId, choice: firm, made: finished(open, decisionId) };
  }
}

function finished(open: OpenDecision, decisionId: string): MadeDecision {
  const { decision, reasons } = open.finishFramed();
  return { decision: Object.assign(decision, { decisionId }), reasons };
}

type Opened = {
  customer: BatchCustomer;
  decisionId: string;
  choice: Reserving['choice'];
} & ({ made: MadeDecision } | { open: OpenDecision });

/**
 * What of her offers, best first, a customer needs a share for: what she holds is reserved already, and what is worth less than as many of those
 * as she may have, she does not get.
 */
function notHeld<T extends { held: unknown }>(candidates: readonly T[], limit: number): T[] {
  const needed: T[] = [];
  let held = 0;
  for (const candidate of candidates) {
    if (candidate.held === undefined) needed.push(candidate);
    else if (++held >= limit) break;
  }
  return needed;
}

const attemptsMax = 10;

/**
 * Of the offers that do not suffice for all, a customer's share alone is there for her. As shares follow from what offers are worth to
 * everybody, and from no draw, they are a condition of the draw like any other rule: what is drawn has a propensity that is right.
 */
function withheldBy(
  customerIds: readonly CustomerId[],
  { offerIds, shortIds, limit, own }: Shares,
): Withheld {
  const short = new Set(shortIds);
  const places = new Map(customerIds.map((customerId, at) => [customerId, at * limit]));
  return (customerId) => {
    const from = places.get(customerId) ?? 0;
    const hers = Array.from(own.subarray(from, from + limit), (position) => offerIds[position - 1]);
    return (offerId) => short.has(offerId) && !hers.includes(offerId);
  };
}
