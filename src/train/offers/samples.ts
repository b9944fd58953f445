/**
 * Decisions with what was known of the customer before each, and what came of it.
 *
 * Point in time: a decision sees the events before it, through the fold that serving uses; one that was reported late counts as
 * if it had been there. Its outcomes are those of its window, `windowMs` from the decision: decisions whose window has not
 * passed by `end` are left out. Windows of several decisions on a customer overlap, and a purchase counts for each of them:
 * what else was decided within a window is as likely with an offer as without, since offers were drawn with the logged
 * probabilities, so that it is noise, and not an effect. An answer names its decision, and counts for all that showed the same one
 * before: the offer that a customer holds is answered once, whichever of them she saw last. Left out, those that showed it again would be
 * missed beside those of the same customers that, by the draw, did not; but as offers made they do not count.
 *
 * A redemption is an offer's where the service says so (`attributionOf`): none from `redeemableUntil` on, and up to a day before the decision
 * that it names, since tills may tell the day alone, as its midnight. It came of that decision, and so did the order that tells of it.
 *
 * Leaving is no purchase within the churn horizon after the window: counted from its end, so that a purchase within it is not
 * counted twice. It is not known of the latest decisions. What the churn model expects at the end of the window could stand in,
 * and does not: it takes an order that was bought with a discount for a sign of staying, which is what is asked.
 */
import type { OfferDescriptor } from '../../algorithms/offer-model/offer-descriptor.ts';
import { offerArm } from '../../algorithms/offer-model/offer-descriptor.ts';
import type { OfferLog } from '../../algorithms/offer-model/offer-log.ts';
import { writeContext } from '../../algorithms/offer-model/offer-model.ts';
import { noContact } from '../../algorithms/uplift/uplift-log.ts';
import { attributionOf } from '../../decide/attribution.ts';
import type { ShopEvent } from '../../domain/event.ts';
import { dayMs } from '../../domain/time.ts';
import { affinityAt } from '../../features/categories.ts';
import { applyEvent, type CustomerRecord, emptyRecord, writeFeatures } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { LoggedAction } from '../../history/logged-decisions.ts';
import type { OfferCounts } from '../../offers/accept-propensity.ts';

export type SamplerOptions = {
  channels: readonly string[];
  /** Categories that offers are about. */
  categories: readonly string[];
  /** Of the offer as it was when it was made. */
  descriptorOf: (offer: NonNullable<LoggedAction['offer']>) => OfferDescriptor;
  windowMs: number;
  /** Milliseconds since 1970: what happened from then on is not known. */
  end: number;
  /** Decisions whose window has passed by then are also put down as they were known then. */
  split: number;
  /** undefined: leaving is not known of anybody. */
  churnHorizonDays: number | undefined;
};

/** The log, and when each of its decisions was made and on whom. */
export type OfferSamples = {
  log: OfferLog;
  /** By row, milliseconds since 1970. */
  at: Float64Array;
  /** By row: `log.churned` as it was known at the split; NaN where the window had not passed. */
  churnedBySplit: Float32Array;
  /** By row: its position among the actions that were given of its customer. */
  action: Int32Array;
  /** By number. */
  customerIds: readonly string[];
  /** Decisions that were left out. */
  censored: number;
};

const width = FEATURE_NAMES.length;

/** A few customers who order every other day would drown the rest. */
const ordersMax = 4;

type Row = {
  customer: number;
  position: number;
  at: number;
  offer: number;
  shownAgain: number;
  propensity: number;
  redeemed: number;
  read: number;
  taken: number;
  dismissed: number;
  orders: number;
  churned: number;
  churnedBySplit: number;
  evidence: number;
};

/** Takes customers one by one: their events in the order of time, their decisions likewise. */
export function createOfferSampler(options: SamplerOptions) {
  const { channels, categories, windowMs, end, split, churnHorizonDays } = options;
  const columns = width + channels.length;
  const rows: Row[] = [];
  const contexts = new GrowingMatrix(columns);
  const interest = new GrowingMatrix(categories.length);
  const offers: OfferDescriptor[] = [];
  const offerNumbers = new Map<string, number>();
  const customerIds: string[] = [];
  const features = new Float32Array(width);
  let censored = 0;

  function numberOf(made: NonNullable<LoggedAction['offer']>): number {
    const descriptor = options.descriptorOf(made);
    const { id } = offerArm(descriptor);
    let number = offerNumbers.get(id);
    if (number === undefined) {
      number = offers.length;
      offers.push(descriptor);
      offerNumbers.set(id, number);
    }
    return number;
  }

  return {
    add(customerId: string, told: readonly ShopEvent[], actions: readonly LoggedAction[]): void {
      const events = afterTheirDecisions(told, actions);
      const customer = customerIds.length;
      const record = emptyRecord();
      let next = 0;
      const playUntil = (at: number) => {
        for (; next < events.length && events[next]!.occurredAt < at; next++)
          applyEvent(record, events[next]!);
      };
      for (const [position, action] of actions.entries()) {
        const { at, offer, propensity } = action;
        if (at + windowMs > end) {
          censored++;
          continue;
        }
        playUntil(at);
        writeFeatures(record, at, features, 0);
        const within = eventsWithin(events, at, windowMs);
        const row: Row = {
          customer,
          position,
          at,
          offer: offer === undefined ? noContact : numberOf(offer),
          shownAgain: offer?.heldSince === undefined ? 0 : 1,
          propensity,
          ...answersTo(action, within, actions),
          orders: Math.min(ordersMax, within.filter(({ type }) => type === 'purchase').length),
          churned: churnedAfter(events, at, end),
          churnedBySplit: churnedAfter(events, at, split),
          evidence: 0,
        };
        contexts.add((out, to) => {
          writeContext({ featureNames: FEATURE_NAMES, channels }, features, 0, action.channel, out, to);
        });
        interest.add((out, to) => {
          row.evidence = writeInterest(record, at, categories, out, to);
        });
        rows.push(row);
      }
      customerIds.push(customerId);
    },
    finish(): OfferSamples {
      return {
        censored,
        at: Float64Array.from(rows, ({ at }) => at),
        churnedBySplit: Float32Array.from(rows, ({ churnedBySplit }) => churnedBySplit),
        action: Int32Array.from(rows, ({ position }) => position),
        customerIds,
        log: {
          rows: rows.length,
          featureNames: FEATURE_NAMES,
          channels,
          contexts: contexts.finish(),
          offers,
          offer: Int32Array.from(rows, ({ offer }) => offer),
          shownAgain: Uint8Array.from(rows, ({ shownAgain }) => shownAgain),
          propensity: Float64Array.from(rows, ({ propensity }) => propensity),
          customer: Int32Array.from(rows, ({ customer }) => customer),
          categories,
          interest: interest.finish(),
          evidence: Float32Array.from(rows, ({ evidence }) => evidence),
          redeemed: Uint8Array.from(rows, ({ redeemed }) => redeemed),
          read: Uint8Array.from(rows, ({ read }) => read),
          taken: Uint8Array.from(rows, ({ taken }) => taken),
          dismissed: Uint8Array.from(rows, ({ dismissed }) => dismissed),
          orders: Uint8Array.from(rows, ({ orders }) => orders),
          churned: Float32Array.from(rows, ({ churned }) => churned),
        },
      };
    },
  };

  /** 1: left, 0: stayed, as of an instant; NaN: not known then. Of who has never ordered, nothing can be said. */
  function churnedAfter(events: readonly ShopEvent[], at: number, knownUntil: number): number {
    if (churnHorizonDays === undefined || !hasOrdered(features)) return Number.NaN;
    const horizonMs = churnHorizonDays * dayMs;
    const from = at + windowMs;
    if (from + horizonMs > knownUntil) return Number.NaN;
    return eventsWithin(events, from, horizonMs).some(({ type }) => type === 'purchase') ? 0 : 1;
  }
}

const purchasesAt = FEATURE_NAMES.indexOf('purchaseCount');

function hasOrdered(features: Float32Array): boolean {
  return features[purchasesAt]! > 0;
}

/** The offers of some decisions are the same one, made by one of them and shown by the others while it is held: the id of the one that made it. */
function holderOf({ decisionId, offer }: LoggedAction): string {
  return offer?.heldSince ?? decisionId;
}

/** Is what a decision is told of about the offer of this action? By that decision, or another that showed the same one. */
function isAbout(
  told: { decisionId: string; offerId: string },
  action: LoggedAction,
  actions: readonly LoggedAction[],
): boolean {
  const { decisionId, offer } = action;
  if (told.offerId !== offer?.offerId) return false;
  if (told.decisionId === decisionId) return true;
  const other = actions.find(
    (one) => one.decisionId === told.decisionId && one.offer?.offerId === told.offerId,
  );
  return (other === undefined ? told.decisionId : holderOf(other)) === holderOf(action);
}

/** Does a redemption at this instant belong to the offer of this action? */
function isAttributed({ at, offer }: LoggedAction, redeemedAt: number): boolean {
  return offer !== undefined && attributionOf(at, offer, 'redeemed', redeemedAt) === 'attributed';
}

/**
 * By an outcome, or by a purchase that names the offer; where that names no decision, it is the last that made the offer, one that could
 * still be redeemed before all others, as for the service (`lastDecisionWith`).
 */
function redeems(event: ShopEvent, action: LoggedAction, actions: readonly LoggedAction[]): boolean {
  const at = event.occurredAt;
  if (event.type === 'offerOutcome')
    return event.outcome === 'redeemed' && isAbout(event, action, actions) && isAttributed(action, at);
  if (event.type !== 'purchase') return false;
  return (event.redeemed ?? []).some(({ offerId, decisionId }) => {
    if (offerId !== action.offer?.offerId || !isAttributed(action, at)) return false;
    if (decisionId !== undefined) return isAbout({ decisionId, offerId }, action, actions);
    const given = actions.filter((other) => other.at <= at && other.offer?.offerId === offerId);
    const last = given.findLast((other) => isAttributed(other, at)) ?? given.at(-1);
    return last !== undefined && holderOf(last) === holderOf(action);
  });
}

/** What an event says that it redeems, where it names the decision. */
function namedBy(event: ShopEvent): readonly { offerId: string; decisionId?: string | undefined }[] {
  if (event.type === 'offerOutcome') return event.outcome === 'redeemed' ? [event] : [];
  return event.type === 'purchase' ? (event.redeemed ?? []) : [];
}

/**
 * Events in the order of time, where a redemption that is told of an instant before the decision which it names has that of the decision:
 * otherwise the order would be one of what was known before it.
 */
function afterTheirDecisions(
  events: readonly ShopEvent[],
  actions: readonly LoggedAction[],
): readonly ShopEvent[] {
  let moved = false;
  const placed = events.map((event) => {
    const { occurredAt } = event;
    for (const { offerId, decisionId } of namedBy(event)) {
      const action = actions.find(
        (one) => one.decisionId === decisionId && one.offer?.offerId === offerId && one.at > occurredAt,
      );
      if (action === undefined || !isAttributed(action, occurredAt)) continue;
      // What was held for long before is redeemed while it is held: only what was shown within the day may be told as its midnight.
      if (occurredAt < action.at - dayMs) continue;
      moved = true;
      return { ...event, occurredAt: action.at };
    }
    return event;
  });
  return moved ? placed.sort((one, other) => one.occurredAt - other.occurredAt) : events;
}

/** Whoever answers in any way has read. */
function answersTo(
  action: LoggedAction,
  within: readonly ShopEvent[],
  actions: readonly LoggedAction[],
): Pick<Row, 'read' | 'redeemed' | 'taken' | 'dismissed'> {
  if (action.offer === undefined) return { read: 0, redeemed: 0, taken: 0, dismissed: 0 };
  const told = new Set(
    within.flatMap((event) =>
      event.type === 'offerOutcome' && isAbout(event, action, actions) ? event.outcome : [],
    ),
  );
  const redeemed = within.some((event) => redeems(event, action, actions));
  return {
    read: told.size > 0 || redeemed ? 1 : 0,
    redeemed: redeemed ? 1 : 0,
    taken: redeemed || told.has('clicked') ? 1 : 0,
    dismissed: told.has('dismissed') ? 1 : 0,
  };
}

/** Events of [at, at + length), of events in the order of time. */
function eventsWithin(events: readonly ShopEvent[], at: number, length: number): readonly ShopEvent[] {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle]!.occurredAt < at) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < events.length && events[end]!.occurredAt < at + length) end++;
  return events.slice(low, end);
}

/** Writes the shares of interest by category and answers the weight of the evidence behind them. */
function writeInterest(
  { categories: known }: CustomerRecord,
  at: number,
  categories: readonly string[],
  out: Float32Array,
  to: number,
): number {
  let total = 0;
  for (const affinity of known) total += affinityAt(affinity, at);
  if (total > 0)
    for (const affinity of known) {
      const column = categories.indexOf(affinity.category);
      if (column >= 0) out[to + column] = affinityAt(affinity, at) / total;
    }
  return total;
}

/** Rows of numbers in one array that doubles when it is full. */
class GrowingMatrix {
  readonly #columns: number;
  #rows = 0;
  #values: Float32Array;

  constructor(columns: number) {
    this.#columns = columns;
    this.#values = new Float32Array(64 * columns);
  }

  add(write: (out: Float32Array, to: number) => void): void {
    const to = this.#rows * this.#columns;
    if (to + this.#columns > this.#values.length) {
      const values = new Float32Array(2 * this.#values.length);
      values.set(this.#values);
      this.#values = values;
    }
    write(this.#values, to);
    this.#rows++;
  }

  finish(): Float32Array {
    return this.#values.slice(0, this.#rows * this.#columns);
  }
}

/** How often each offer was made and redeemed, as far as it was known at the split: what the assumptions are corrected by. */
export function countsOf(
  { log }: Pick<OfferSamples, 'log'>,
  earlier: Int32Array,
): (offerId: string) => OfferCounts {
  const counts = new Map<string, OfferCounts>();
  for (const row of earlier) {
    const offer = log.offers[log.offer[row]!];
    if (offer === undefined || log.shownAgain[row] === 1) continue;
    const count = counts.get(offer.offerId) ?? { made: 0, redeemed: 0 };
    counts.set(offer.offerId, { made: count.made + 1, redeemed: count.redeemed + log.redeemed[row]! });
  }
  return (offerId: string) => counts.get(offerId) ?? { made: 0, redeemed: 0 };
}
