/**
 * A seeded shop whose truth is known: catalogue, offers, customers, events, and the truth beside them. One customer is
 * simulated after the other and forgotten, so that memory does not grow with their number.
 */
import { createRng } from '../algorithms/rng.ts';
import { dayMs } from '../domain/time.ts';
import { createCalendar } from './calendar.ts';
import { catalogueItem, createCatalogue } from './catalogue.ts';
import { createPopulation } from './customers.ts';
import { WEEK_DAYS } from './departure.ts';
import { lineStarts } from './event-writer.ts';
import type { Shop } from './journey.ts';
import { offersOf } from './offer-effects.ts';
import { simulatedOffers } from './offers.ts';
import type { SimulationOptions } from './options.ts';
import { simulateCustomer } from './simulate-customer.ts';
import type { SimulationSink } from './sink.ts';
import { TasteSampler } from './taste-sampler.ts';
import { itemTruth, shopTruth } from './truth.ts';

export type SimulationSummary = {
  customers: number;
  items: number;
  offers: number;
  /** Lines of `events`; each customer's first attributes are in `customers` besides. */
  events: number;
  days: number;
};

/** Bounds what one write holds when a catalogue is large. */
const ITEMS_A_WRITE = 1000;

/** Writes the whole shop into the sink. `onProgress` hears of the share done, about a hundred times. */
export async function simulateShop(
  options: SimulationOptions,
  sink: SimulationSink,
  onProgress: (share: number, events: number) => void = () => {},
): Promise<SimulationSummary> {
  const shop = openShop(options);
  const { items } = shop.catalogue;
  await sink.write('truth', shopTruth(shop));
  for (let first = 0; first < items.length; first += ITEMS_A_WRITE) {
    const last = Math.min(first + ITEMS_A_WRITE, items.length);
    let lines = '';
    let truths = '';
    for (let index = first; index < last; index++) {
      lines += `${JSON.stringify(catalogueItem(shop.catalogue, items[index]!, shop.calendar.endAt))}\n`;
      truths += itemTruth(shop, index);
    }
    await sink.write('items', lines);
    await sink.write('truth', truths);
  }
  const { offers } = shop;
  await sink.write('offers', offers.map(({ input: offer }) => `${JSON.stringify(offer)}\n`).join(''));

  let events = 0;
  const reportEvery = Math.max(1, Math.floor(options.customers / 100));
  for (let index = 0; index < options.customers; index++) {
    const customer = simulateCustomer(shop, index);
    events += customer.eventCount;
    // A promise is rare and costs a turn of the event loop: only then is there something to wait for.
    const waits = [
      sink.write('customers', customer.opening),
      customer.events === '' ? undefined : sink.write('events', customer.events),
      customer.decisions === '' ? undefined : sink.write('decisions', customer.decisions),
      sink.write('truth', customer.truth),
    ];
    for (const wait of waits) if (wait !== undefined) await wait;
    if ((index + 1) % reportEvery === 0) onProgress((index + 1) / options.customers, events);
  }
  return {
    customers: options.customers,
    items: items.length,
    offers: offers.length,
    events,
    days: options.days,
  };
}

/** Everything that the customers share, drawn from streams of its own. */
export function openShop(options: SimulationOptions): Shop {
  const calendar = createCalendar(options);
  const catalogue = createCatalogue(options, calendar);
  return {
    options,
    run: runName(options),
    calendar,
    catalogue,
    population: createPopulation(options),
    lineStarts: lineStarts(catalogue),
    sampler: new TasteSampler(catalogue),
    offers: offersOf(simulatedOffers(calendar, catalogue), catalogue),
    logging: {
      startAt: Math.max(calendar.startAt, calendar.endAt - options.offerWeeks * WEEK_DAYS * dayMs),
      endAt: calendar.endAt,
    },
    contactsKeep: 1,
  };
}

/** Six characters out of everything that changes a customer's events. */
function runName({ seed, items, days, end, offerWeeks }: SimulationOptions): string {
  const rng = createRng('run', seed, items, days, end, offerWeeks);
  return Array.from({ length: 6 }, () => rng.nextInt(36).toString(36)).join('');
}
