/** Customers at cut-offs: what was known of each, and whether a purchase followed. */

import type { ShopEvent } from '../../domain/event.ts';
import { dayMs } from '../../domain/time.ts';
import { applyEvent, emptyRecord, writeFeatures } from '../../features/record.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { ChurnCutoffs } from './cutoffs.ts';

/** One row a customer and cut-off. */
export type SampleSet = {
  rows: number;
  /** rows × FEATURE_NAMES.length, row by row. */
  features: Float32Array;
  /** 1 = no purchase within the horizon. */
  labels: Uint8Array;
  /** The baseline's only input. */
  daysSinceLastOrder: Float32Array;
  /** Number of the customer, so that a customer's rows can be kept together. */
  customers: Uint32Array;
};

export type SampleSets = { learn: SampleSet; calibrate: SampleSet; test: SampleSet };
type SetName = keyof SampleSets;

/** Customers at cut-offs before the test who were long gone, and how many of them stayed away. */
export type GoneCount = { afterDays: number; customers: number; lost: number };

/** Those whose last order lies further back are gone beyond doubt: they would flatter every figure, and are counted apart. */
const goneAfterHorizons = 3;
const width = FEATURE_NAMES.length;

/** Takes customers one by one, with their events in the order of time, and puts them down at each cut-off. */
export function createSampler(cutoffs: ChurnCutoffs, horizonMs: number) {
  const sets = { learn: new GrowingSet(), calibrate: new GrowingSet(), test: new GrowingSet() };
  const moments: readonly (readonly [number, SetName])[] = [
    ...cutoffs.learn.map((cutoff) => [cutoff, 'learn'] as const),
    [cutoffs.calibrate, 'calibrate'],
    [cutoffs.test, 'test'],
  ];
  const gone = { afterDays: (goneAfterHorizons * horizonMs) / dayMs, customers: 0, lost: 0 };
  let customers = 0;
  return {
    add(events: readonly ShopEvent[]): void {
      const purchases = events.filter(({ type }) => type === 'purchase').map(({ occurredAt }) => occurredAt);
      if (purchases.length === 0) return;
      const customer = customers++;
      const record = emptyRecord();
      let next = 0;
      for (const [cutoff, set] of moments) {
        for (; next < events.length && events[next]!.occurredAt < cutoff; next++)
          applyEvent(record, events[next]!);
        const lastOrderAt = purchases.findLast((at) => at < cutoff);
        if (lastOrderAt === undefined) continue;
        const stayed = purchases.some((at) => at >= cutoff && at < cutoff + horizonMs);
        if (lastOrderAt < cutoff - goneAfterHorizons * horizonMs) {
          if (set === 'test') continue;
          gone.customers++;
          if (!stayed) gone.lost++;
          continue;
        }
        sets[set].add(customer, stayed ? 0 : 1, (cutoff - lastOrderAt) / dayMs, (features, at) =>
          writeFeatures(record, cutoff, features, at),
        );
      }
    },
    finish: (): SampleSets & { gone: GoneCount } => ({
      learn: sets.learn.finish(),
      calibrate: sets.calibrate.finish(),
      test: sets.test.finish(),
      gone,
    }),
  };
}

/** Typed arrays that double when they are full: a million rows as objects would not fit into memory. */
class GrowingSet {
  #rows = 0;
  #features = new Float32Array(64 * width);
  #labels = new Uint8Array(64);
  #days = new Float32Array(64);
  #customers = new Uint32Array(64);

  add(
    customer: number,
    label: number,
    days: number,
    write: (features: Float32Array, at: number) => void,
  ): void {
    if (this.#rows === this.#labels.length) this.#grow();
    write(this.#features, this.#rows * width);
    this.#labels[this.#rows] = label;
    this.#days[this.#rows] = days;
    this.#customers[this.#rows] = customer;
    this.#rows++;
  }

  finish(): SampleSet {
    return {
      rows: this.#rows,
      features: this.#features.subarray(0, this.#rows * width),
      labels: this.#labels.subarray(0, this.#rows),
      daysSinceLastOrder: this.#days.subarray(0, this.#rows),
      customers: this.#customers.subarray(0, this.#rows),
    };
  }

  #grow(): void {
    const capacity = 2 * this.#rows;
    const features = new Float32Array(capacity * width);
    features.set(this.#features);
    const labels = new Uint8Array(capacity);
    labels.set(this.#labels);
    const days = new Float32Array(capacity);
    days.set(this.#days);
    const customers = new Uint32Array(capacity);
    customers.set(this.#customers);
    this.#features = features;
    this.#labels = labels;
    this.#days = days;
    this.#customers = customers;
  }
}
