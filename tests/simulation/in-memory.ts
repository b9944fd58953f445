/** A simulation in memory, as text and parsed. */
import type { ItemInput } from '../../src/domain/item.ts';
import type { OfferInput } from '../../src/domain/offer.ts';
import { SimulationOptions } from '../../src/simulation/options.ts';
import { simulateShop } from '../../src/simulation/simulate-shop.ts';
import { SIMULATED_FILES, type SimulatedFile } from '../../src/simulation/sink.ts';
import type { CustomerTruth, ItemTruth, ShopTruth } from '../../src/simulation/truth.ts';

/** Options with a fixed end; defaults for what is not given. */
export function optionsOf(given: Partial<SimulationOptions>): SimulationOptions {
  return SimulationOptions.parse({ end: '2026-06-30', ...given });
}

export async function simulateTexts(
  given: Partial<SimulationOptions>,
): Promise<Record<SimulatedFile, string>> {
  const texts = Object.fromEntries(SIMULATED_FILES.map((file) => [file, ''])) as Record<
    SimulatedFile,
    string
  >;
  await simulateShop(optionsOf(given), {
    write(file, lines) {
      texts[file] += lines;
      return undefined;
    },
  });
  return texts;
}

export function parseLines<Line>(text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

export type SimulatedLine = {
  itemId: string;
  category: string;
  quantity: number;
  unitPriceMinor: number;
  discountMinor?: number;
};

/** An event as it is written, with its time in milliseconds besides. */
export type SimulatedEvent = {
  type: string;
  eventId: string;
  customerId: string;
  occurredAt: string;
  at: number;
  channel: string;
  orderId?: string;
  lines?: SimulatedLine[];
  late?: boolean;
  rating?: number;
  complaint?: string;
  score?: number;
  change?: string;
  points?: number;
  outcome?: string;
};

export type Simulated = {
  shop: ShopTruth;
  items: ItemInput[];
  offers: OfferInput[];
  itemTruths: Map<string, ItemTruth>;
  customers: Map<string, { truth: CustomerTruth; events: SimulatedEvent[] }>;
};

export async function simulated(given: Partial<SimulationOptions>): Promise<Simulated> {
  const texts = await simulateTexts(given);
  const truths = parseLines<ShopTruth | ItemTruth | CustomerTruth>(texts.truth);
  const itemTruths = new Map<string, ItemTruth>();
  const customers: Simulated['customers'] = new Map();
  for (const truth of truths) {
    if (truth.kind === 'item') itemTruths.set(truth.itemId, truth);
    if (truth.kind === 'customer') customers.set(truth.customerId, { truth, events: [] });
  }
  for (const event of parseLines<SimulatedEvent>(texts.events))
    customers.get(event.customerId)!.events.push({ ...event, at: Date.parse(event.occurredAt) });
  const [shop] = truths;
  if (shop?.kind !== 'shop') throw new Error('the first line of the truth is the shop');
  return { shop, items: parseLines(texts.items), offers: parseLines(texts.offers), itemTruths, customers };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many of each there are. */
export function countsOf<Key>(keys: Iterable<Key>): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
