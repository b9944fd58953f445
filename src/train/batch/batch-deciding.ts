/** What a thread of a batch does with some of its customers: the very decisions that one asked for by itself would be. */
import { hash } from 'node:crypto';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { countMade } from '../../decide/count-offers.ts';
import { customerFacts } from '../../decide/customer-facts.ts';
import {
  type DecideRequest,
  inputsNow,
  noContext,
  type OpenDecision,
  openDecision,
  valueOffers,
} from '../../decide/decide.ts';
import { decisionIdOf } from '../../decide/decision-id.ts';
import {
  keepOutlines,
  type LoggedDecision,
  listedText,
  madeOffers,
  withoutReasons,
} from '../../decide/decision-log.ts';
import type { DecidingDeps } from '../../decide/deps.ts';
import type { FramedReasons } from '../../decide/framed-reasons.ts';
import { decisionTtlSeconds } from '../../decide/kept-seconds.ts';
import type { ReadContacts } from '../../decide/ledger/contact-ledger.ts';
import { packDecision } from '../../decide/packed-decision.ts';
import { firmChoice, type Reserving, reserveChoices } from '../../decide/reserve.ts';
import { decisionStanding, readStanding, standingKey, windowEnd } from '../../decide/standing-decision.ts';
import { parseStanding, standingText } from '../../decide/standing-text.ts';
import type { BatchAbout } from '../../domain/batch.ts';
import type { DecidedOffer, Decision, DecisionInputs } from '../../domain/decision.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import type { CustomerId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { getMany, setNew } from '../../infra/redis-together.ts';
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
  /** How often it has stopped in the middle of a part, whose decisions are logged: those it makes since have other ids. */
  breaks?: number;
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

/** `known`: there is a record of the customer. */
export type DecidedCustomer = {
  customerId: CustomerId;
  known: boolean;
  decision: LoggedDecision;
  /** What explains it, where it is made now. */
  reasons?: FramedReasons;
  /** What is known of the customer now, where the decision was read again, which does not say. */
  inputs?: DecisionInputs | undefined;
  /** The decision as it is to be logged; absent where somebody else has made it, and logged it. */
  json?: string;
};

/** The record is decoded for as long as its customer is decided on: those of all who wait for Redis would be most of what is in memory. */
type Read = {
  customerId: CustomerId;
  record: () => CustomerRecord | undefined;
  contacts: ReadContacts;
  /** Where the customer's decision stands, and what stands there; null: nothing. */
  key: string;
  text: Buffer | null;
  /** There is a record; absent until it has been decoded. */
  known?: boolean;
};

export type BatchDecidingDeps = DecidingDeps & { tombstones: Pick<Tombstones, 'erasedAt'> };

export function createBatchDeciding(batch: BatchOf, deps: BatchDecidingDeps) {
  const { about, batchId, breaks = 0 } = batch;
  const ownName = breaks === 0 ? batchId : `${batchId}.${breaks}`;
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
    const keys = customerIds.map((customerId) =>
      standingKey({ subject: { customerId }, ...placeAbout }, deps),
    );
    const [erased, records, contacts, texts] = await Promise.all([
      deps.tombstones.erasedAt(customerIds),
      deps.records.readManyEncoded(customerIds),
      deps.contacts.readMany(customerIds),
      getMany(deps.redis, keys),
    ]);
    return customerIds.flatMap((customerId, at): Read[] => {
      const record = records[at];
      const read = contacts[at];
      if ((erased[at] ?? -1) >= batch.createdAt || record === undefined || read === undefined) return [];
      return [{ customerId, record, contacts: read, key: keys[at] ?? '', text: texts[at] ?? null }];
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
    const digest = hash('sha256', `${ownName} ${customerId}`, 'hex');
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
        // What stands is what she gets: a share of hers would be lost to the others.
        const about = customer.text === null ? asked(customer, market, now) : undefined;
        if (about === undefined) continue;
        const list = notHeld(valueOffers(...about), batch.about.limit)
          .slice(0, candidatesMax)
          .flatMap(({ compiled, rank }): Wanted[] => {
            const offer = positions.get(compiled.offer.offerId);
            return offer === undefined ? [] : [{ offer, value: rank }];
          });
        wanted.set(customer.customerId, list);
      }
      return customerIds.map((customerId) => wanted.get(customerId) ?? []);
    },

    /**
     * Decides, reserves, lets the decisions stand; what stands already is the list's decision too. `shares`: by customer, where
     * budgets are shared out.
     */
    async decide(
      customerIds: readonly CustomerId[],
      chunk: string,
      shares: Shares | undefined,
    ): Promise<DecidedCustomer[]> {
      const [customers, market] = await Promise.all([read(customerIds), deps.market.read()]);
      const before = await decidedBefore(customers);
      const open = customers.filter(({ customerId, text }) => text === null && !before.has(customerId));
      const now = await decideAll(open, market, shares && withheldBy(customerIds, shares));
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

  /**
   * What somebody else has decided for the same campaign and place stands, and is what GET /customers/{id}/offers answers: to put another
   * decision over it would answer a customer two ways, and leave what the first one has reserved with nobody. Where it is to
   * give way, it does as it would there. undefined of somebody whom the batch is not about.
   */
  async function standing(customer: Read, market: OfferMarket): Promise<LoggedDecision | undefined> {
    const { customerId, key, text, record } = customer;
    if (asked(customer, market, deps.now()) === undefined) return undefined;
    const { placements: _, ...request } = decideRequest(customerId);
    const placed = { ...request, placement: about.placement };
    const decision = await decisionStanding({ key, text, record }, placed, deps);
    const { decisionId } = decision;
    if (decisionId === null) throw new Error('a decision gave way while another was made in its place');
    return { ...decision, decisionId };
  }

  /** Where nothing but a fallback is made, whether the customer may be contacted is to be said by what is known now. */
  function inputsOf(
    customer: Read,
    { placements: [place] }: Decision,
    market: OfferMarket,
  ): DecisionInputs | undefined {
    const isOffered = place !== undefined && place.offers.length > 0 && !place.fallback;
    if (isOffered || !CONTACT_CHANNELS.has(about.channel)) return undefined;
    const known = asked(customer, market, deps.now());
    return known && inputsNow(...known);
  }

  /** Those whom an attempt before this one has come to, as far as it came. */
  async function decidedBefore(customers: readonly Read[]): Promise<Map<CustomerId, LoggedDecision>> {
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
    customers: readonly Read[],
    market: OfferMarket,
    withheld: Withheld | undefined,
  ): Promise<Map<CustomerId, MadeDecision>> {
    const decided = new Map<CustomerId, MadeDecision>();
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
      for (const [at, { customer, made }] of opened.entries())
        if (!reserved[at]) again.push(customer);
        else decided.set(customer.customerId, made());
      const contacts = await deps.contacts.readMany(again.map(({ customerId }) => customerId));
      waiting = again.map((customer, at) => ({ ...customer, contacts: contacts[at] ?? customer.contacts }));
    }
    return decided;
  }

  /** Told at once where no budget can change it any more, so that a few lines are kept of the customer and not the record. */
  function opening(customer: Read, open: OpenDecision): Opened {
    const decisionId = idFor(customer.customerId);
    const finished = (): MadeDecision => {
      const { decision, reasons } = open.finishFramed();
      return { decision: Object.assign(decision, { decisionId }), reasons };
    };
    const firm = firmChoice(open.choice);
    if (firm === undefined) return { customer, decisionId, choice: open.choice, made: finished };
    const made = finished();
    return { customer, decisionId, choice: firm, made: () => made };
  }

  /** So that outcomes can be told of, and whoever asks for the customer's offer, or nothing, at send time is answered the same. */
  async function letStand(
    decided: readonly Decided[],
    chunk: string,
    market: OfferMarket,
  ): Promise<DecidedCustomer[]> {
    const told = decided.map((one): Told => {
      const { decision, reasons, by } = one;
      if (by === 'another') return one;
      const until =
        by === 'this' ? windowEnd(decision, deps) : Date.parse(decision.standsUntil ?? decision.decidedAt);
      const standsUntil = new Date(until).toISOString();
      const json = listedText(decision, standsUntil, reasons);
      if (by === 'this, before') return { ...one, json };
      const packed = packDecision({ ...decision, standsUntil });
      const text = standingText(decision.decisionId, true, packed);
      return { ...one, json, kept: { text, ttlMs: Math.max(1, until - deps.now()) } };
    });
    const own = told.filter(({ by, decision }) => by !== 'another' && madeOffers(decision).length > 0);
    const fresh = told.flatMap((one) => (one.kept === undefined ? [] : [{ one, kept: one.kept }]));
    // The outline of one that comes too late is of a decision whose id nobody has been told.
    const [areSet] = await Promise.all([
      setNew(
        deps.redis,
        fresh.map(({ one, kept }) => ({ key: one.customer.key, ...kept })),
      ),
      keepOutlines(own, deps),
    ]);
    const late = new Set(fresh.filter((_, at) => areSet[at] !== true).map(({ one }) => one));
    const settled: Told[] = late.size === 0 ? told : [];
    if (late.size > 0)
      for (const one of told) {
        const left = late.has(one) ? await giveWay(one, market) : one;
        if (left !== undefined) settled.push(left);
      }
    const made = settled.flatMap(({ decision, json }) => (json === undefined ? [] : madeOffers(decision)));
    // A list may be gone on with long after it was broken off.
    await countMade(deps.redis, deps.keys, `${ownName}-${chunk}`, made, decisionTtlSeconds);
    return settled.map(({ customer, decision, reasons, by, json }): DecidedCustomer => {
      const { customerId, known = true } = customer;
      const inputs = by === 'this' ? undefined : inputsOf(customer, decision, market);
      return {
        customerId,
        known,
        decision,
        ...(reasons && { reasons }),
        ...(inputs && { inputs }),
        ...(json !== undefined && { json }),
      };
    });
  }

  /** Something has come to stand meanwhile: that is taken, and what was reserved goes back but for what that one holds of it. */
  async function giveWay(one: Told, market: OfferMarket): Promise<Told | undefined> {
    const { customer, decision: own } = one;
    const subject = { customerId: customer.customerId };
    const { text } = await readStanding({ subject, ...placeAbout }, deps);
    const winner = parseStanding(text)?.decision;
    // By another worker that was thought to be dead.
    if (winner?.decisionId === own.decisionId) return one;
    const held = new Set<string>(
      offersOf(winner).flatMap(({ offerId, heldSince }) => (heldSince === own.decisionId ? [offerId] : [])),
    );
    for (const { offerId, heldSince } of offersOf(own))
      if (heldSince === undefined && !held.has(offerId))
        await deps.budgets.release(offerId, own.decisionId, deps.now());
    await deps.contacts.update(
      customer.customerId,
      (history) => history.filter((c) => c.decisionId !== own.decisionId || held.has(c.offerId)),
      deps.now(),
    );
    const decision = await standing({ ...customer, text }, market);
    return decision && { customer, decision, by: 'another' };
  }
}

function offersOf(decision: Decision | undefined): DecidedOffer[] {
  return decision?.placements.flatMap(({ offers }) => offers) ?? [];
}

/** What `OpenDecision.finishFramed` answers, with its id. */
type MadeDecision = { decision: LoggedDecision; reasons: FramedReasons };

/** A customer's decision, and who has made it: this list now, this list before it was broken off, somebody else. */
type Decided = {
  customer: Read;
  decision: LoggedDecision;
  reasons?: FramedReasons;
  by: 'this' | 'this, before' | 'another';
};

/** With how it is to be logged, and to stand. */
type Told = Decided & { json?: string; kept?: { text: Buffer; ttlMs: number } };

type Opened = {
  customer: Read;
  decisionId: string;
  choice: Reserving['choice'];
  /** To be asked once nothing of the choice can change any more. */
  made: () => MadeDecision;
};

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
