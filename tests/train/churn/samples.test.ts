import { expect, test } from 'vitest';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../../src/features/record.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import { createSampler } from '../../../src/train/churn/samples.ts';

const horizonMs = 30 * dayMs;
/** Days on which customers are looked at. */
const cutoffs = { learn: [100 * dayMs, 115 * dayMs], calibrate: 145 * dayMs, test: 175 * dayMs };

let n = 0;
function event(type: 'purchase' | 'visit', day: number): ShopEvent {
  const common = { eventId: `e${n++}`, customerId: 'a', occurredAt: day * dayMs, channel: 'web' };
  const lines = [{ itemId: 'i1', quantity: 1, unitPriceMinor: 100 }];
  return (type === 'purchase' ? { type, ...common, lines } : { type, ...common }) as ShopEvent;
}

test('the label is no purchase from the cut-off until a horizon later, the end not included', () => {
  const sampler = createSampler(cutoffs, horizonMs);
  // At 100: next at 129.9 → stayed. At 115: 129.9 → stayed. At 145: next at 175 = 145 + 30 → lost. At 175: 175 → stayed.
  sampler.add([event('purchase', 90), event('purchase', 129.9), event('purchase', 175)]);
  // At 100: next at 100 → stayed. Then nothing but visits: lost.
  sampler.add([event('purchase', 80), event('purchase', 100), event('visit', 150)]);
  const { learn, calibrate, test: tested } = sampler.finish();
  expect([...learn.labels]).toEqual([0, 0, 0, 1]);
  expect([...learn.customers]).toEqual([0, 0, 1, 1]);
  expect([...calibrate.labels]).toEqual([1, 1]);
  expect([...tested.labels]).toEqual([0, 1]);
  expect([...learn.daysSinceLastOrder]).toEqual([100 - 90, 115 - 90, 100 - 80, 115 - 100]);
});

test('features see what came before the cut-off, and nothing of the moment itself', () => {
  const events = [event('purchase', 70), event('visit', 99), event('purchase', 100), event('purchase', 101)];
  const sampler = createSampler(cutoffs, horizonMs);
  sampler.add(events);
  const { learn } = sampler.finish();
  const before = emptyRecord();
  for (const earlier of events.slice(0, 2)) applyEvent(before, earlier);
  const width = FEATURE_NAMES.length;
  expect(learn.features.subarray(0, width)).toEqual(featureVector(before, 100 * dayMs));

  const changed = createSampler(cutoffs, horizonMs);
  changed.add([...events.slice(0, 2), event('purchase', 100.5)]);
  expect(changed.finish().learn.features.subarray(0, width)).toEqual(learn.features.subarray(0, width));
});

test('customers without an order before the cut-off, or gone for three horizons, are left out', () => {
  const sampler = createSampler(cutoffs, horizonMs);
  sampler.add([event('visit', 10), event('visit', 120)]);
  // Last order on day 10: 90 days before 100 (in, just), 105 before 115 (out).
  sampler.add([event('purchase', 10)]);
  // First order on day 150: only at 175.
  sampler.add([event('visit', 140), event('purchase', 150)]);
  const { learn, calibrate, test: tested } = sampler.finish();
  expect([learn.rows, calibrate.rows, tested.rows]).toEqual([1, 0, 1]);
});

test('many customers fit, row by row', () => {
  const sampler = createSampler(cutoffs, horizonMs);
  for (let customer = 0; customer < 300; customer++) sampler.add([event('purchase', 95 - (customer % 50))]);
  const { learn } = sampler.finish();
  expect(learn.features).toHaveLength(learn.rows * FEATURE_NAMES.length);
  const at = FEATURE_NAMES.indexOf('daysSinceLastOrder');
  for (let row = 0; row < learn.rows; row++)
    expect(learn.features[row * FEATURE_NAMES.length + at]).toBe(learn.daysSinceLastOrder[row]);
});
