/** Lets a list's decisions stand, and puts them into words for the lake; what stands already is the list's decision too. */
import { countMade } from '../../decide/count-offers.ts';
import { inputsNow } from '../../decide/decide.ts';
import {
  countedFields,
  keepOutlines,
  type LoggedDecision,
  listedText,
  madeOffers,
} from '../../decide/decision-log.ts';
import type { FramedReasons } from '../../decide/framed-reasons.ts';
import { decisionTtlSeconds } from '../../decide/kept-seconds.ts';
import { packDecision } from '../../decide/packed-decision.ts';
import { readStanding } from '../../decide/read-standing.ts';
import { decisionStanding, standsUntilMs } from '../../decide/standing-decision.ts';
import { parseStanding, standingText } from '../../decide/standing-text.ts';
import type { DecidedOffer, Decision, DecisionInputs } from '../../domain/decision.ts';
import { CONTACT_CHANNELS } from '../../domain/decision-policy.ts';
import type { CustomerId } from '../../domain/ids.ts';
import { setNew } from '../../infra/redis-together.ts';
import type { Contact } from '../../offers/contact-history.ts';
import type { OfferMarket } from '../../offers/offer-market.ts';
import type { BatchCustomer, BatchCustomers, BatchDecidingDeps, BatchOf } from './batch-customers.ts';

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

/** What `OpenDecision.finishFramed` answers, with its id. */
export type MadeDecision = { decision: LoggedDecision; reasons: FramedReasons };

/** A customer's decision, and who has made it: this list now, this list before it was broken off, somebody else. */
export type Decided = {
  customer: BatchCustomer;
  decision: LoggedDecision;
  reasons?: FramedReasons;
  by: 'this' | 'this, before' | 'another';
};

/** With how it is to be logged, and to stand. */
type Told = Decided & { json?: string; kept?: { text: Buffer; ttlMs: number } };

export function createListedStanding(
  { about }: Pick<BatchOf, 'about'>,
  { asked, placeOf, requestFor, ownName }: BatchCustomers,
  deps: BatchDecidingDeps,
) {
  return { standing, letStand };

  /**
   * What somebody else has decided for the same campaign and place stands, and is what GET /customers/{id}/offers answers: to put another
   * decision over it would answer a customer two ways, and leave what the first one has reserved with nobody. Where it is to
   * give way, it does as it would there. undefined of somebody whom the batch is not about.
   */
  async function standing(customer: BatchCustomer, market: OfferMarket): Promise<LoggedDecision | undefined> {
    const { customerId, key, text, record } = customer;
    if (asked(customer, market, deps.now()) === undefined) return undefined;
    const { placements: _, ...request } = requestFor(customerId);
    const placed = { ...request, placement: about.placement };
    const decision = await decisionStanding({ key, text, record }, placed, deps);
    const { decisionId } = decision;
    if (decisionId === null) throw new Error('a decision gave way while another was made in its place');
    return { ...decision, decisionId };
  }

  /** Where nothing but a fallback is made, whether the customer may be contacted is to be said by what is known now. */
  function inputsOf(
    customer: BatchCustomer,
    { placements: [place] }: Decision,
    market: OfferMarket,
  ): DecisionInputs | undefined {
    const isOffered = place !== undefined && place.offers.length > 0 && !place.fallback;
    if (isOffered || !CONTACT_CHANNELS.has(about.channel)) return undefined;
    const known = asked(customer, market, deps.now());
    return known && inputsNow(...known);
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
        by === 'this'
          ? standsUntilMs(decision, deps)
          : Date.parse(decision.standsUntil ?? decision.decidedAt);
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
    const made = settled.flatMap(({ decision, json }) => (json === undefined ? [] : countedFields(decision)));
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
    const { text } = await readStanding(placeOf(customer.customerId), deps);
    const winner = parseStanding(text)?.decision;
    // By another worker that was thought to be dead.
    if (winner?.decisionId === own.decisionId) return one;
    const held = new Set<string>(
      offersOf(winner).flatMap(({ offerId, heldSince }) => (heldSince === own.decisionId ? [offerId] : [])),
    );
    for (const { offerId, heldSince } of offersOf(own))
      if (heldSince === undefined && !held.has(offerId))
        await deps.budgets.release(offerId, own.decisionId, deps.now());
    const isOwn = (c: Contact) => c.decisionId === own.decisionId && !held.has(c.offerId);
    await deps.contacts.drop(customer.customerId, isOwn, deps.now());
    const decision = await standing({ ...customer, text }, market);
    return decision && { customer, decision, by: 'another' };
  }
}

function offersOf(decision: Decision | undefined): DecidedOffer[] {
  return decision?.placements.flatMap(({ offers }) => offers) ?? [];
}
