/**
 * A simulated shop up to the moment from which on policies decide: its catalogue, offers, customers, their records, and the
 * decisions that were drawn at random before. Every policy goes on from the same moment.
 */
import { eventLines, type ShopEvent } from '../../../domain/event.ts';
import { Item } from '../../../domain/item.ts';
import { dayMs } from '../../../domain/time.ts';
import { applyEvent, type CustomerRecord, emptyRecord, featureVector } from '../../../features/record.ts';
import { decodeRecord, encodeRecord } from '../../../features/record-codec.ts';
import { type ShopStatistics, shopStatistics } from '../../../offers/shop-statistics.ts';
import { catalogueItem } from '../../../simulation/catalogue.ts';
import type { Journey, Shop } from '../../../simulation/journey.ts';
import { SimulationOptions } from '../../../simulation/options.ts';
import { advance, setOut } from '../../../simulation/simulate-customer.ts';
import { openShop } from '../../../simulation/simulate-shop.ts';
import { type CustomerTrace, type DecidedLog, type LoggedRow, newTrace, noOffer } from './decided-log.ts';

export type ClosedShopOptions = {
  customers: number;
  seed: number;
  weeks: number;
  /** As `Shop` has it. */
  contactsKeep?: number;
};

/** History before the policies decide, of which the last weeks have decisions drawn at random; and the year after. */
const historyDays = 420;
const loggedWeeks = 39;
const yearAfterDays = 365;
const items = 200;
const end = '2027-06-30';

export type ClosedShop = {
  shop: Shop;
  /** From then on policies decide, once a week; then the year after, to its end. */
  startAt: number;
  weeks: number;
  endAt: number;
  items: ReadonlyMap<string, Item>;
  statistics: ShopStatistics;
  marginMinor: ReadonlyMap<string, number>;
  /** Simulated customers who have ordered, by their number in the simulation. */
  indices: readonly number[];
  records: readonly Buffer[];
  history: DecidedLog;
  /** By customer: what the contact policy must remember of the weeks before. */
  recent: readonly ShopEvent[][];
};

export function openClosedShop({ customers, seed, weeks, contactsKeep = 1 }: ClosedShopOptions): ClosedShop {
  const days = historyDays + weeks * 7 + yearAfterDays;
  const options = SimulationOptions.parse({ customers, items, days, seed, end, offerWeeks: 0 });
  const shop = openShop(options);
  const startAt = shop.calendar.startAt + historyDays * dayMs;
  shop.contactsKeep = contactsKeep;
  shop.logging = { startAt: startAt - loggedWeeks * 7 * dayMs, endAt: startAt };
  const catalogue = shop.catalogue.items.map((item) =>
    Item.parse(catalogueItem(shop.catalogue, item, shop.calendar.endAt)),
  );
  const marginMinor = new Map(catalogue.map(({ itemId, marginMinor: own = 0 }) => [itemId as string, own]));
  const numbers = new Map(shop.offers.map(({ offer, number }) => [offer.offerId as string, number]));

  const indices: number[] = [];
  const records: Buffer[] = [];
  const traces: CustomerTrace[] = [];
  const rows: LoggedRow[] = [];
  const recent: ShopEvent[][] = [];
  for (let index = 0; index < customers; index++) {
    const journey = setOut(shop, index);
    advance(journey, startAt);
    if (journey.orders === 0) continue;
    const events = takeEvents(journey);
    const record = emptyRecord();
    const trace = newTrace();
    const customer = indices.length;
    let next = 0;
    const fold = (until: number) => {
      for (let event = events[next]; event !== undefined && event.occurredAt < until; event = events[++next])
        learnOf(record, trace, event, marginMinor);
    };
    for (const decision of takeDecisions(journey)) {
      const at = Date.parse(decision.decidedAt);
      fold(at);
      const [place] = decision.placements;
      rows.push({
        decisionId: decision.decisionId,
        customer,
        at,
        action: numbers.get(place?.offers[0]?.offerId ?? '') ?? noOffer,
        propensity: place?.loggingPropensity ?? Number.NaN,
        features: featureVector(record, at),
      });
    }
    fold(Number.POSITIVE_INFINITY);
    recent.push(
      events.filter(({ type, occurredAt }) => isRemembered(type) && occurredAt > startAt - rememberedMs),
    );
    indices.push(index);
    records.push(encodeRecord(record));
    traces.push(trace);
  }
  return {
    shop,
    startAt,
    weeks,
    endAt: shop.calendar.endAt,
    items: new Map(catalogue.map((item) => [item.itemId, item])),
    statistics: shopStatistics(catalogue),
    marginMinor,
    indices,
    records,
    history: { rows, traces },
    recent,
  };
}

/** A third dismissal within thirty days counts for thirty more. */
const rememberedMs = 61 * dayMs;
const isRemembered = (type: ShopEvent['type']) => type === 'rating' || type === 'offerOutcome';

/** A customer at the moment from which on policies decide; what was written before is thrown away. */
export function customerAtStart({ shop, startAt, records, indices }: ClosedShop, customer: number) {
  const journey = setOut(shop, indices[customer] ?? Number.NaN);
  advance(journey, startAt);
  journey.writer.take();
  const decoded = decodeRecord(records[customer] ?? Buffer.alloc(0));
  if (!decoded.ok) throw new Error(`a record of the bench cannot be read: ${decoded.reason}`);
  return { journey, record: decoded.record };
}

/** What has happened since it was last asked. */
export function takeEvents(journey: Journey): ShopEvent[] {
  return linesOf(journey.writer.take()).map((line) => {
    const event = JSON.parse(line) as { occurredAt: string };
    return { ...event, occurredAt: Date.parse(event.occurredAt) } as unknown as ShopEvent;
  });
}

/** Folds an event into what the shop knows. */
export function learnOf(
  record: CustomerRecord,
  trace: CustomerTrace,
  event: ShopEvent,
  marginMinor: ReadonlyMap<string, number>,
): void {
  applyEvent(record, event);
  trace.events.push(event);
  if (event.type === 'purchase') {
    let margin = 0;
    for (const line of eventLines(event))
      margin += line.quantity * (marginMinor.get(line.itemId) ?? 0) - (line.discountMinor ?? 0);
    trace.orders.push({ at: event.occurredAt, marginMinor: margin });
  }
  if (event.type === 'offerOutcome' && event.outcome === 'redeemed') trace.redeemed.add(event.decisionId);
}

type LoggedDecision = {
  decisionId: string;
  decidedAt: string;
  placements: { offers: { offerId: string }[]; loggingPropensity?: number }[];
};

function takeDecisions(journey: Journey): LoggedDecision[] {
  const lines = linesOf(journey.decisionText);
  journey.decisionText = '';
  return lines.map((line) => JSON.parse(line) as LoggedDecision);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.slice(0, -1).split('\n');
}
