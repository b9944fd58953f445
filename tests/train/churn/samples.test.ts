import { expect, test } from 'vitest';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../../src/features/record.ts';
import { FEATURE_NAMES } from '../../../src/features/registry.ts';
import { createSampler, drawCustomers, pickRows } from '../../../src/train/churn/samples.ts';

const width = FEATURE_NAMES.length;
/** Days on which customers are looked at. */
const instants = [100 * dayMs, 115 * dayMs, 175 * dayMs];

let n = 0;
function event(type: 'purchase' | 'visit', day: number): ShopEvent {
  const common = { eventId: `e${n++}`, customerId: 'a', occurredAt: day * dayMs, channel: 'web' };
  const lines = [{ itemId: 'i1', quantity: 1, unitPriceMinor: 100 }];
  return (type === 'purchase' ? { type, ...common, lines } : { type, ...common }) as ShopEvent;
}

test('how long it took until the next order, from each instant on; the instant itself is after it', () => {
  const sampler = createSampler(instants);
  sampler.add([event('purchase', 90), event('purchase', 130), event('purchase', 175)]);
  sampler.add([event('purchase', 80), event('purchase', 100), event('visit', 150)]);
  const [first, second, last] = sampler.finish();
  expect([...first!.daysToNextOrder]).toEqual([130 - 100, 0]);
  expect([...second!.daysToNextOrder]).toEqual([130 - 115, Number.POSITIVE_INFINITY]);
  expect([...last!.daysToNextOrder]).toEqual([0, Number.POSITIVE_INFINITY]);
  expect([...first!.customers]).toEqual([0, 1]);
  expect([...second!.daysSinceLastOrder]).toEqual([115 - 90, 115 - 100]);
});

test('features see what came before the instant, and nothing of the moment itself', () => {
  const events = [event('purchase', 70), event('visit', 99), event('purchase', 100), event('purchase', 101)];
  const sampler = createSampler(instants);
  sampler.add(events);
  const [first] = sampler.finish();
  const before = emptyRecord();
  for (const earlier of events.slice(0, 2)) applyEvent(before, earlier);
  expect(first!.features.subarray(0, width)).toEqual(featureVector(before, 100 * dayMs));

  const changed = createSampler(instants);
  changed.add([...events.slice(0, 2), event('purchase', 100.5)]);
  expect(changed.finish()[0]!.features.subarray(0, width)).toEqual(first!.features.subarray(0, width));
});

test('customers without an order before the instant are left out', () => {
  const sampler = createSampler(instants);
  sampler.add([event('visit', 10), event('visit', 120)]);
  sampler.add([event('visit', 140), event('purchase', 150)]);
  expect(sampler.finish().map(({ rows }) => rows)).toEqual([0, 0, 1]);
});

test('who is long gone is counted where a horizon later is known, and put down at the end all the same', () => {
  const rule = { afterMs: 90 * dayMs, horizonMs: 60 * dayMs, end: 175 * dayMs };
  const sampler = createSampler(instants, { rule });
  // Gone at 115 (105 days), and back 50 days later; at 100 just not yet.
  sampler.add([event('purchase', 10), event('purchase', 165)]);
  // Gone at 100 and 115, and for good.
  sampler.add([event('purchase', 5)]);
  const sets = sampler.finish();
  expect(sets.map(({ rows }) => rows)).toEqual([1, 0, 2]);
  expect(sampler.gone).toEqual({ customers: 3, lost: 2 });
  // 120 + 60 lies behind the end: nobody knows yet.
  const late = createSampler([120 * dayMs, 175 * dayMs], { rule });
  late.add([event('purchase', 5)]);
  expect(late.gone).toEqual({ customers: 0, lost: 0 });
  expect(late.finish().map(({ rows }) => rows)).toEqual([0, 1]);
});

test('many customers fit, row by row, and some can be picked', () => {
  const sampler = createSampler(instants);
  for (let customer = 0; customer < 300; customer++) sampler.add([event('purchase', 95 - (customer % 50))]);
  const [first] = sampler.finish();
  expect(first!.features).toHaveLength(300 * width);
  const at = FEATURE_NAMES.indexOf('daysSinceLastOrder');
  for (let row = 0; row < 300; row++)
    expect(first!.features[row * width + at]).toBe(first!.daysSinceLastOrder[row]);
  const picked = pickRows(first!, (row) => row % 100 === 7);
  expect([...picked.customers]).toEqual([7, 107, 207]);
  expect(picked.features.subarray(width, 2 * width)).toEqual(
    first!.features.subarray(107 * width, 108 * width),
  );
});

test('of a large log some are drawn, the same ones at every instant, and all are put down from the test on', () => {
  const isDrawn = drawCustomers(1_000_000, 20, 1);
  const sampler = createSampler(instants, { draw: { before: 175 * dayMs, isDrawn } });
  for (let customer = 0; customer < 3000; customer++) sampler.add([event('purchase', 95)]);
  const [first, second, last] = sampler.finish();
  // 400,000 of 20 million.
  expect(first!.rows).toBeGreaterThan(0.01 * 3000);
  expect(first!.rows).toBeLessThan(0.03 * 3000);
  expect(second!.customers).toEqual(first!.customers);
  expect(last!.rows).toBe(3000);
  const everybody = drawCustomers(10_000, 20, 1);
  expect([1, 2, 3].every(everybody)).toBe(true);
});
