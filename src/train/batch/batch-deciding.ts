/** What a thread of a batch does with some of its customers: the very decisions that one asked for by itself would be. */
import { createHash } from 'node:crypto';
import { createRng } from '../../algorithms/rng.ts';
import { countMade, decisionTtlSeconds } from '../../decide/count-offers.ts';
import { type DecideRequest, noContext, type OpenDecision, openDecision } from '../../decide/decide.ts';
import { decisionIdOf } from '../../decide/decision-id.ts';
import { type LoggedDecision, loggedForm, madeOffers, readDecision } from '../../decide/decision-log.ts';
import type { DecidingDeps } from '../../decide/deps.ts';
import type { ReadContacts } from '../../decide/ledger/contact-ledger.ts';
import { reserveChoice } from '../../decide/reserve.ts';
import { loggedStandingText, standingPlace } from '../../decide/standing-decision.ts';
import type { BatchAbout } from '../../domain/batch.ts';
import type { CustomerId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { featureVector } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { together } from '../../infra/redis-together.ts';
import type { OfferMarket } from '../../offers/choose-offers.ts';
import { type CompiledRule, compileRule } from '../../offers/compile-rule.ts';
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

/** `json` is the decision as it is logged. */
export type DecidedCustomer = { customerId: CustomerId; decision: LoggedDecision; json: string };

type Named = Omit<DecidedCustomer, 'json'>;

type Read = { customerId: CustomerId; record: CustomerRecord | undefined; contacts: ReadContacts };

export function createBatchDeciding(batch: BatchOf, deps: DecidingDeps) {
  const { about } = batch;
  const isWanted = wantedBy(about, deps.now);
  const decideRequest = (customerId: CustomerId): DecideRequest => ({
    subject: { customerId },
    channel: about.channel,
    placements: [about.placement],
    campaign: about.campaign,
    limit: about.limit,
    context: noContext,
  });

  /** Those whom the batch is about. */
  async function read(customerIds: readonly CustomerId[]): Promise<Read[]> {
    const [records, contacts] = await Promise.all([
      deps.records.readMany(customerIds),
      deps.contacts.readMany(customerIds),
    ]);
    return customerIds.flatMap((customerId, at): Read[] => {
      const record = records[at];
      const read = contacts[at];
      return read !== undefined && isWanted(record) ? [{ customerId, record, contacts: read }] : [];
    });
  }

  function open({ customerId, record, contacts }: Read, market: OfferMarket, dryRun: boolean): OpenDecision {
    // A decision that is made again after a crash must not stand in its own way.
    const decisionId = idFor(customerId);
    const history = contacts.history.filter((contact) => contact.decisionId !== decisionId);
    // The same draw in both passes, and whenever it is made again.
    const rng = createRng(batch.batchId, customerId);
    return openDecision({ ...decideRequest(customerId), dryRun }, record, history, market, {
      ...deps,
      random: () => rng.next(),
    });
  }

  function idFor(customerId: CustomerId): string {
    const digest = createHash('sha256').update(`${batch.batchId} ${customerId}`).digest('hex');
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
      const wanted = new Map<string, Wanted[]>();
      for (const customer of customers) {
        const { choice } = open(customer, market, true);
        const list = choice
          .worthwhile()
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
      const marketFor = shares === undefined ? () => market : sharedMarket(market, customerIds, shares);
      const decided = await Promise.all(
        customers.map((customer) => decideOne(customer, marketFor(customer.customerId))),
      );
      return letStand(decided, chunk);
    },
  };

  async function decideOne(customer: Read, market: OfferMarket): Promise<Named> {
    const decisionId = idFor(customer.customerId);
    const own = customer.contacts.history.filter((contact) => contact.decisionId === decisionId);
    if (own.length > 0) {
      // An attempt before this one came as far as this customer.
      const before = await readDecision(decisionId, deps);
      if (before !== undefined) return { customerId: customer.customerId, decision: before };
      for (const { offerId } of own) await deps.budgets.release(offerId, decisionId, deps.now());
    }
    let read = customer;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const opened = open(read, market, false);
      const history = read.contacts.history.filter((contact) => contact.decisionId !== decisionId);
      const contacts = { history, version: read.contacts.version };
      if (await reserveChoice(opened.choice, decisionId, contacts, market, deps))
        return { customerId: read.customerId, decision: named(opened, decisionId) };
      read = { ...read, contacts: await deps.contacts.read(read.customerId) };
    }
    throw new Error(`a customer's contacts were changed by others in each of ${attemptsMax} attempts`);
  }

  /** So that outcomes can be told of, and whoever asks for the customer's offer, or nothing, at send time is answered the same. */
  async function letStand(decided: readonly Named[], chunk: string): Promise<DecidedCustomer[]> {
    const made = decided.flatMap(({ decision }) => madeOffers(decision));
    await countMade(deps.redis, deps.keys, `${batch.batchId}-${chunk}`, made);
    const { channel, campaign, placement } = about;
    const kept: [key: string, text: string, ttlMs: number][] = [];
    const standing = decided.map(({ customerId, decision }): DecidedCustomer => {
      const asked = { subject: { customerId }, channel, campaign, placement };
      const { key, until } = standingPlace(asked, decision, deps);
      const stands = { ...decision, standsUntil: new Date(until).toISOString() };
      // Put into words once, for all who keep it.
      const json = JSON.stringify(stands);
      const ttlMs = Math.max(1, until - deps.now());
      if (madeOffers(decision).length > 0) {
        kept.push([deps.keys.decision(decision.decisionId), json, decisionTtlSeconds * 1000]);
        kept.push([key, loggedStandingText(json), ttlMs]);
      }
      // Nothing stands too. Why each offer is not made is in the log; most of a list may be like that.
      else kept.push([key, loggedStandingText(JSON.stringify({ ...stands, excluded: [] })), ttlMs]);
      return { customerId, decision, json };
    });
    await together(deps.redis, (to) => {
      for (const [key, text, ttlMs] of kept) to.set(key, text, 'PX', ttlMs);
    });
    return standing;
  }
}

const attemptsMax = 10;

function named(opened: OpenDecision, decisionId: string): LoggedDecision {
  const logged = loggedForm({ ...opened.finish(), decisionId });
  if (logged === undefined) throw new Error('a decision with an id has a form that is logged');
  return logged;
}

/**
 * The market as each customer finds it: of the offers that do not suffice for all, her share alone is there. As her share follows from
 * what they are worth to everybody, and from no draw, it is a condition of the draw, like any other rule: what is drawn has a
 * propensity that is right.
 */
function sharedMarket(
  market: OfferMarket,
  customerIds: readonly CustomerId[],
  { offerIds, shortIds, limit, own }: Shares,
): (customerId: CustomerId) => OfferMarket {
  const short = new Set(shortIds);
  const places = new Map(customerIds.map((customerId, at) => [customerId, at * limit]));
  return (customerId) => {
    const from = places.get(customerId) ?? 0;
    const hers = Array.from(own.subarray(from, from + limit), (position) => offerIds[position - 1]);
    return {
      ...market,
      budgetReason: (offer) =>
        short.has(offer.offerId) && !hers.includes(offer.offerId)
          ? 'budget-exhausted'
          : market.budgetReason(offer),
    };
  };
}

function wantedBy(
  { listed, segment, eligibility }: BatchAbout,
  now: () => number,
): (record: CustomerRecord | undefined) => boolean {
  if (listed) return () => true;
  if (segment !== undefined) return (record) => record?.attributes.segment === segment;
  if (eligibility === undefined) return (record) => record !== undefined;
  const rule: CompiledRule = compileRule(eligibility, FEATURE_NAMES);
  return (record) =>
    record !== undefined &&
    rule({
      features: featureVector(record, now()),
      loyaltyTier: record.attributes.loyaltyTier ?? 'none',
      segment: record.attributes.segment,
    }) === undefined;
}
