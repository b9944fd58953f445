/** Customers at instants: what was known of each by then, and how long it took until the next order. */

import { createRng } from '../../algorithms/rng.ts';
import type { ShopEvent } from '../../domain/event.ts';
import { dayMs } from '../../domain/time.ts';
import { applyEvent, emptyRecord, writeFeatures } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';

/** One row a customer and instant. */
export type SampleSet = {
  rows: number;
  /** rows × FEATURE_NAMES.length, row by row. */
  features: Float32Array;
  /** Days from the instant to the next order; infinite where none followed. */
  daysToNextOrder: Float32Array;
  daysSinceLastOrder: Float32Array;
  /** Number of the customer, so that a customer's rows can be kept together. */
  customers: Uint32Array;
};

/** Who counts as long gone, and at which instants that is known to have been right: a horizon later was by `end`. */
export type GoneRule = { afterMs: number; horizonMs: number; end: number };
/** Customers at instants who were long gone, and how many of them stayed away. */
export type GoneCount = { customers: number; lost: number };

const width = FEATURE_NAMES.length;

/** Which customers, by their number, are put down at instants before `before`; everybody is from then on. */
export type Draw = { before: number; isDrawn: (customer: number) => boolean };

/** Rows at earlier instants that are kept at most, about 100 MB: more than are learnt from. */
const rowsMax = 400_000;

/** All of a log's customers, or as many of a large log as fit into memory at that many instants. */
export function drawCustomers(
  customers: number,
  instants: number,
  seed: number,
): (customer: number) => boolean {
  const share = Math.min(1, rowsMax / (customers * instants));
  return (customer) => share === 1 || createRng(seed, 'churn', 'look', customer).next() < share;
}

/**
 * Takes customers one by one, with their events in the order of time, and puts them down at each instant (ascending).
 * Whoever has not ordered by then is left out, and so is at some instants who is not drawn; with a rule, those who are
 * long gone are counted instead, except at its end.
 */
export function createSampler(
  instants: readonly number[],
  { rule, draw }: { rule?: GoneRule; draw?: Draw } = {},
) {
  const sets = instants.map(() => new GrowingSet());
  const gone: GoneCount = { customers: 0, lost: 0 };
  let customers = 0;
  return {
    gone,
    add(events: readonly ShopEvent[]): void {
      const purchases = events.filter(({ type }) => type === 'purchase').map(({ occurredAt }) => occurredAt);
      if (purchases.length === 0) return;
      const customer = customers++;
      const drawn = draw?.isDrawn(customer) ?? true;
      const record = emptyRecord();
      let next = 0;
      for (const [n, instant] of instants.entries()) {
        for (; next < events.length && events[next]!.occurredAt < instant; next++)
          applyEvent(record, events[next]!);
        const lastOrderAt = purchases.findLast((at) => at < instant);
        if (lastOrderAt === undefined) continue;
        const nextOrderAt = purchases.find((at) => at >= instant) ?? Number.POSITIVE_INFINITY;
        if (rule !== undefined && instant < rule.end && instant - lastOrderAt > rule.afterMs) {
          if (instant + rule.horizonMs > rule.end) continue;
          gone.customers++;
          if (nextOrderAt - instant >= rule.horizonMs) gone.lost++;
          continue;
        }
        if (!drawn && draw !== undefined && instant < draw.before) continue;
        sets[n]!.add(
          customer,
          (nextOrderAt - instant) / dayMs,
          (instant - lastOrderAt) / dayMs,
          (features, at) => writeFeatures(record, instant, features, at),
        );
      }
    },
    finish: (): SampleSet[] => sets.map((set) => set.finish()),
  };
}

/** The rows for which `keeps` says so. */
export function pickRows(set: SampleSet, keeps: (row: number) => boolean): SampleSet {
  const kept = new GrowingSet();
  for (let row = 0; row < set.rows; row++)
    if (keeps(row))
      kept.add(set.customers[row]!, set.daysToNextOrder[row]!, set.daysSinceLastOrder[row]!, (features, at) =>
        features.set(set.features.subarray(row * width, (row + 1) * width), at),
      );
  return kept.finish();
}

/** Those who ordered within the last days: whom a model is learnt from and tested on. */
export function notGone(set: SampleSet, goneAfterDays: number): SampleSet {
  return pickRows(set, (row) => set.daysSinceLastOrder[row]! <= goneAfterDays);
}

/** Typed arrays that double when they are full: a million rows as objects would not fit into memory. */
class GrowingSet {
  #rows = 0;
  #features = new Float32Array(64 * width);
  #toNext = new Float32Array(64);
  #days = new Float32Array(64);
  #customers = new Uint32Array(64);

  add(
    customer: number,
    daysToNext: number,
    days: number,
    write: (features: Float32Array, at: number) => void,
  ): void {
    if (this.#rows === this.#toNext.length) this.#grow();
    write(this.#features, this.#rows * width);
    this.#toNext[this.#rows] = daysToNext;
    this.#days[this.#rows] = days;
    this.#customers[this.#rows] = customer;
    this.#rows++;
  }

  finish(): SampleSet {
    return {
      rows: this.#rows,
      features: this.#features.subarray(0, this.#rows * width),
      daysToNextOrder: this.#toNext.subarray(0, this.#rows),
      daysSinceLastOrder: this.#days.subarray(0, this.#rows),
      customers: this.#customers.subarray(0, this.#rows),
    };
  }

  #grow(): void {
    const capacity = 2 * this.#rows;
    const features = new Float32Array(capacity * width);
    features.set(this.#features);
    const toNext = new Float32Array(capacity);
    toNext.set(this.#toNext);
    const days = new Float32Array(capacity);
    days.set(this.#days);
    const customers = new Uint32Array(capacity);
    customers.set(this.#customers);
    this.#features = features;
    this.#toNext = toNext;
    this.#days = days;
    this.#customers = customers;
  }
}
