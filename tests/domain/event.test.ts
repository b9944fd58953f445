import { expect, test } from 'vitest';
import { EventInput, eventValueMinor, type ShopEvent } from '../../src/domain/event.ts';

const visit = { type: 'visit', customerId: 'anna' };
const faults = (input: unknown) =>
  EventInput.safeParse(input).error?.issues.map(({ path }) => path.join('.'));

test('an instant is milliseconds or ISO 8601 with a zone, and comes out as milliseconds', () => {
  expect(EventInput.parse({ ...visit, occurredAt: 1000 }).occurredAt).toBe(1000);
  expect(EventInput.parse({ ...visit, occurredAt: '1970-01-01T01:00:01+01:00' }).occurredAt).toBe(1000);
  expect(faults({ ...visit, occurredAt: '2026-11-23 10:00' })).toEqual(['occurredAt']);
});

test.each([-1, '1969-12-31T23:59:59Z', '1970-01-01T00:30:00+01:00'])(
  'an instant before 1970 is refused: %s',
  (occurredAt) => {
    expect(faults({ ...visit, occurredAt })).toEqual(['occurredAt']);
  },
);

test('an event of nobody is refused', () => {
  expect(faults({ type: 'visit' })).toEqual(['customerId']);
});

test('the value of a purchase is what was paid: 2 × 500 − 100 + 1 × 250 = 1150', () => {
  const lines = [
    { itemId: 'tea', quantity: 2, unitPriceMinor: 500, discountMinor: 100 },
    { itemId: 'cup', quantity: 1, unitPriceMinor: 250 },
  ];
  const purchase = EventInput.parse({ type: 'purchase', customerId: 'anna', lines });
  expect(eventValueMinor(purchase as ShopEvent)).toBe(1150);
});
