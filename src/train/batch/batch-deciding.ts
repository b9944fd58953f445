/** What a thread of a batch does with some of its customers: the very decisions that one asked for by itself would be. */
import { hash } from 'node:crypto';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { countMade, decisionTtlSeconds } from '../../decide/count-offers.ts';
import { customerFacts } from '../../decide/customer-facts.ts';
import {
  type DecideRequest,
  noContext,
  type OpenDecision,
  openDecision,
  valueOffers,
} from '../../decide/decide.ts';
import { decisionIdOf } from '../../decide/decision-id.ts';
import { keepOutlines, type LoggedDecision, loggedTexts, madeOffers } from '../../decide/decision-log.ts';
import type { DecidingDeps } from '../../decide/deps.ts';
import type { ReadContacts } from '../../decide/ledger/contact-ledger.ts';
import { packJson } from '../../decide/packed-decision.ts';
import { firmChoice, type Reserving, reserveChoices } from '../../decide/reserve.ts';
import { readStanding, standingPlace } from '../../decide/standing-decision.ts';
import { parseStanding, standingText } from '../../decide/standing-text.ts';
import type { BatchAbout } from '../../domain/batch.ts';
import type { CustomerId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { type KeptText, setMany } from '../../infra/redis-together.ts';
import type { Tombstones } from '../../infra/tombstones.ts';
import { type CompiledRule, compileRule } from '../../offers/compile-rule.ts';
import type { ContactHistory } from '../../offers/contact-history.ts';
import type { OfferMarket } from '../../offers/offer-market.ts';
import type { Wanted } from './candidates-file.ts';

export type BatchOf = {
  batchId: string;
  about: BatchAbout;
  /** Milliseconds since 1970: the decisions' ids begin with it, so that one that is made again has the same. */
  createdAt: number;
};

/** What of the offers whose budgets do not suffice for all each of some customers is to have. */
export type Shares = {
  /** All offers, by position, and those whose budgets have been shared out. */
  offerIds: readonly string[];
  shortIds: readonly string[];
  /** For each customer `limit` positions + 1; 0 = no further one. */
  limit: number;
  own: Uint16Array;
};

/** `json` is the decision as it is logged. `known`: there is a record of the customer. */
export type DecidedCustomer = {
  customerId: CustomerId;
  known: boolean;
  decision: LoggedDecision;
  json: string;
};

type Named = Omit<DecidedCustomer, 'json'>;

/** The record is decoded for as long as its customer is decided on: those of all who wait for Redis would be most of what is in memory. */
type Read = {
  customerId: CustomerId;
  record: () => CustomerRecord | undefined;
  contacts: ReadContacts;
  /** There is a record; absent until it has been decoded. */
  known?: boolean;
};

export type BatchDecidingDeps = DecidingDeps & { tombstones: Pick<Tombstones, 'erasedAt'> };

export function createBatchDeciding(batch: BatchOf, deps: BatchDecidingDeps) {
  const { about } = batch;
  const isWanted = wantedBy(about, deps);
  const placements = [about.placement];
  const placeAbout = { channel: about.channel, campaign: about.campaign, placement: about.placement };
  const decideRequest = (customerId: CustomerId): DecideRequest => ({
    subject: { customerId },
    channel: about.channel,
    placements,
    campaign: about.campaign,
    limit: about.limit,
    context: noContext,
  });

  /** Without those who have been erased since it was asked for, who would begin anew by its decision. */
  async function read(customerIds: readonly CustomerId[]): Promise<Read[]> {
    const [erased, records, contacts] = await Promise.all([
      deps.tombstones.erasedAt(customerIds),
      deps.records.readManyEncoded(customerIds),
      deps.contacts.readMany(customerIds),
    ]);
    return customerIds.flatMap((customerId, at): Read[] => {
      const record = records[at];
      const read = contacts[at];
      if ((erased[at] ?? -1) >= batch.createdAt || record === undefined || read === undefined) return [];
      return [{ customerId, record, contacts: read }];
    });
  }

  /**
   * What `openDecision` and `valueOffers` take; undefined of somebody whom the batch is not about. A decision that is made again after
   * a crash must not stand in its own way.
   */
  function asked(
    customer: Read,
    market: OfferMarket,
    now: number,
    withheld?: Withheld,
  ): Parameters<typeof openDecision> | undefined {
    const { customerId, contacts } = customer;
    const record = customer.record();
    customer.known = record !== undefined;
    if (!isWanted(customerId, record)) return undefined;
    // The same draw whenever it is made again; most of those whom nothing may be offered need none.
    let rng: Rng | undefined;
    const random = () => {
      rng ??= createRng(batch.batchId, customerId);
      return rng.next();
    };
    const request = decideRequest(customerId);
    return [
      withheld === undefined ? request : { ...request, withheld: withheld(customerId) },
      record,
      withoutOwn(contacts.history, customerId),
      market,
      { catalogue: deps.catalogue, models: deps.models, now: () => now, random },
    ];
  }

  function withoutOwn(history: ContactHistory, customerId: CustomerId): ContactHistory {
    if (history.length === 0) return history;
    const decisionId = idFor(customerId);
    return history.filter((contact) => contact.decisionId !== decisionId);
  }

  function idFor(customerId: CustomerId): string {
    const digest = hash('sha256', `${batch.batchId} ${customerId}`, 'hex');
    return decisionIdOf(batch.createdAt, digest);
  }

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
        const about = asked(customer, market, now);
        if (about === undefined) continue;
        const list = valueOffers(...about)
          .slice(0, candidatesMax)
          .flatMap(({ compiled, rank }): Wanted[] => {
            const offer = positions.get(compiled.offer.offerId);
            return offer === undefined ? [] : [{ offer, value: rank }];
          });
        wanted.set(customer.customerId, list);
      }
      return customerIds.map((customerId) => wanted.get(customerId) ?? []);
    },

    /** Decides, reserves, lets the decisions stand. `shares`: by customer, where budgets are shared out. */
    async decide(
      customerIds: readonly CustomerId[],
      chunk: string,
      shares: Shares | undefined,
    ): Promise<DecidedCustomer[]> {
      const [customers, market] = await Promise.all([read(customerIds), deps.market.read()]);
      const before = await decidedBefore(customers);
      const open = customers.filter(({ customerId }) => !before.has(customerId));
      const now = await decideAll(open, market, shares && withheldBy(customerIds, shares));
      const decided = customers.flatMap(({ customerId, known = true }): Named[] => {
        const decision = before.get(customerId) ?? now.get(customerId);
        return decision === undefined ? [] : [{ customerId, known, decision }];
      });
      return letStand(decided, chunk);
    },
  };

  /** Those whom an attempt before this one has come to, as far as it came. */
  async function decidedBefore(customers: readonly Read[]): Promise<Map<CustomerId, LoggedDecision>> {
    const decided = new Map<CustomerId, LoggedDecision>();
    for (const { customerId, contacts } of customers) {
      if (contacts.history.length === 0) continue;
      const decisionId = idFor(customerId);
      const own = contacts.history.filter((contact) => contact.decisionId === decisionId);
      if (own.length === 0) continue;
      const { text } = await readStanding({ subject: { customerId }, ...placeAbout }, deps);
      const decision = parseStanding(text)?.decision;
      if (decision?.decisionId === decisionId) decided.set(customerId, decision);
      else for (const { offerId } of own) await deps.budgets.release(offerId, decisionId, deps.now());
    }
    return decided;
  }

  /** Again where somebody else has offered a customer something meanwhile. */
  async function decideAll(
    customers: readonly Read[],
    market: OfferMarket,
    withheld: Withheld | undefined,
  ): Promise<Map<CustomerId, LoggedDecision>> {
    const decided = new Map<CustomerId, LoggedDecision>();
    let waiting = customers;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === attemptsMax)
        throw new Error(`a customer's contacts were changed by others in each of ${attemptsMax} attempts`);
      const now = deps.now();
      const opened = waiting.flatMap((customer): Opened[] => {
        const about = asked(customer, market, now, withheld);
        return about === undefined ? [] : [opening(customer, openDecision(...about))];
      });
      const reserved = await reserveChoices(
        opened.map(({ customer: { customerId, contacts }, choice, decisionId }) => {
          const history = withoutOwn(contacts.history, customerId);
          return { choice, decisionId, contacts: { history, version: contacts.version } };
        }),
        market,
        deps,
      );
      const again: Read[] = [];
      for (const [at, one] of opened.entries()) {
        const { customer, decisionId } = one;
        if (!reserved[at]) again.push(customer);
        else
          decided.set(
            customer.customerId,
            'decision' in one ? one.decision : Object.assign(one.open.finish(false), { decisionId }),
          );
      }
      const contacts = await deps.contacts.readMany(again.map(({ customerId }) => customerId));
      waiting = again.map((customer, at) => ({ ...customer, contacts: contacts[at] ?? customer.contacts }));
    }
    return decided;
  }

  /** Told at once where no budget can change it any more, so that a few lines are kept of the customer and not the record. */
  function opening(customer: Read, open: OpenDecision): Opened {
    const decisionId = idFor(customer.customerId);
    const firm = firmChoice(open.choice);
    if (firm !== undefined)
      return {
        customer,
        decisionId,
        choice: firm,
        decision: Object.assign(open.finish(false), { decisionId }),
      };
    return { customer, decisionId, choice: open.choice, open };
  }

  /** So that outcomes can be told of, and whoever asks for the customer's offer, or nothing, at send time is answered the same. */
  async function letStand(decided: readonly Named[], chunk: string): Promise<DecidedCustomer[]> {
    const made = decided.flatMap(({ decision }) => madeOffers(decision));
    // A list may be gone on with long after it was broken off.
    await countMade(deps.redis, deps.keys, `${batch.batchId}-${chunk}`, made, decisionTtlSeconds);
    const kept: KeptText[] = [];
    const standing = decided.map(({ customerId, known, decision }): DecidedCustomer => {
      const subject = { customerId };
      const { key, until } = standingPlace({ subject, ...placeAbout }, decision, deps);
      const standsUntil = new Date(until).toISOString();
      const { brief, whole } = loggedTexts(decision, standsUntil);
      const text = standingText(decision.decisionId, true, packJson(brief));
      kept.push({ key, text, ttlMs: Math.max(1, until - deps.now()) });
      return { customerId, known, decision, json: whole };
    });
    const withOffers = decided.filter(({ decision }) => madeOffers(decision).length > 0);
    await Promise.all([setMany(deps.redis, kept), keepOutlines(withOffers, deps)]);
    return standing;
  }
}

type Opened = {
  customer: Read;
  decisionId: string;
  choice: Reserving['choice'];
} & ({ decision: LoggedDecision } | { open: OpenDecision });

/** Which offers' budgets are for others than this customer. */
type Withheld = (customerId: CustomerId) => (offerId: string) => boolean;

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

function wantedBy(
  { listed, segment, eligibility }: BatchAbout,
  { models, catalogue, now }: Pick<BatchDecidingDeps, 'models' | 'catalogue' | 'now'>,
): (customerId: CustomerId, record: CustomerRecord | undefined) => boolean {
  if (listed) return () => true;
  if (segment !== undefined) return (_, record) => record?.attributes.segment === segment;
  if (eligibility === undefined) return (_, record) => record !== undefined;
  const rule: CompiledRule = compileRule(eligibility, FEATURE_NAMES);
  return (customerId, record) =>
    record !== undefined &&
    rule(customerFacts(customerId, record, models, catalogue.items, noContext, now())) === undefined;
}
