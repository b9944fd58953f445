import { describe, expect, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { categoriesMax } from '../../src/features/categories.ts';
import {
  applyEvent,
  type CustomerRecord,
  emptyRecord,
  isLate,
  purchasedItemsMax,
  recentViewsMax,
} from '../../src/features/record.ts';
import { startMs } from '../support/events.ts';

let nextId = 0;

function event(type: ShopEvent['type'], minutes: number, rest: object = {}): ShopEvent {
  const common = { eventId: `e${nextId++}`, customerId: 'anna', channel: 'web' };
  return { type, ...common, occurredAt: startMs + minutes * 60_000, ...rest } as ShopEvent;
}

const lines = (...itemIds: string[]) => ({ lines: itemIds.map((itemId) => ({ itemId, quantity: 1 })) });

function folded(...events: ShopEvent[]): CustomerRecord {
  const record = emptyRecord();
  for (const one of events) applyEvent(record, one);
  return record;
}

describe('purchased items', () => {
  test('count errands and units apart, and a return', () => {
    const nextDay = 24 * 60;
    const record = folded(
      event('purchase', 1, { lines: [{ itemId: 'tea', quantity: 3, category: 'hot' }] }),
      event('purchase', nextDay, { lines: [{ itemId: 'tea', quantity: 2 }] }),
      event('return', nextDay + 20, lines('tea')),
    );
    expect(record.items.get('tea' as never)).toEqual({
      itemId: 'tea',
      category: 'hot',
      purchaseCount: 2,
      quantity: 3 + 2,
      returnCount: 1,
      firstAt: startMs + 1 * 60_000,
      lastAt: startMs + nextDay * 60_000,
    });
  });

  test('an item in two lines of one order was bought once', () => {
    expect(folded(event('purchase', 1, lines('tea', 'tea'))).items.get('tea' as never)?.purchaseCount).toBe(
      1,
    );
  });

  test('an item in two orders of one day was bought once', () => {
    const record = folded(event('purchase', 1, lines('tea')), event('purchase', 300, lines('tea')));
    expect(record.items.get('tea' as never)).toMatchObject({ purchaseCount: 1, quantity: 2 });
  });

  test('beyond the bound the least recently bought makes room', () => {
    const record = emptyRecord();
    for (let i = 0; i < purchasedItemsMax; i++) applyEvent(record, event('purchase', i, lines(`item${i}`)));
    applyEvent(record, event('purchase', 1000, lines('item0')));
    applyEvent(record, event('purchase', 1001, lines('new')));
    expect(record.items.size).toBe(purchasedItemsMax);
    expect(record.items.has('item0' as never)).toBe(true);
    expect(record.items.has('item1' as never)).toBe(false);
  });
});

test('recent views: an item once, newest last, bounded', () => {
  const record = folded(
    event('view', 1, lines('a')),
    event('view', 2, lines('b')),
    event('addToCart', 3, lines('a')),
  );
  expect(record.recentViews.map(({ itemId, addedToCart }) => [itemId, addedToCart])).toEqual([
    ['b', false],
    ['a', true],
  ]);
  for (let i = 0; i < recentViewsMax; i++) applyEvent(record, event('view', 10 + i, lines(`v${i}`)));
  expect(record.recentViews).toHaveLength(recentViewsMax);
  expect(record.recentViews[0]?.itemId).toBe('v0');
});

test('categories: beyond the bound the weakest makes room, never the newest', () => {
  const bought = (category: string, minutes: number, quantity = 1) =>
    event('purchase', minutes, {
      lines: Array.from({ length: quantity }, () => ({ itemId: category, quantity: 1, category })),
    });
  const record = emptyRecord();
  for (let c = 0; c < categoriesMax; c++) applyEvent(record, bought(`c${c}`, c, c === 5 ? 1 : 2));
  applyEvent(record, bought('new', 100));
  expect(record.categories).toHaveLength(categoriesMax);
  const names = record.categories.map(({ category }) => category);
  expect(names).toContain('new');
  expect(names).not.toContain('c5');
});

test('attributes: what a change leaves out stays, channel by channel', () => {
  const update = (minutes: number, attributes: object) => event('customerUpdated', minutes, { attributes });
  const record = folded(
    update(1, { loyaltyTier: 'gold', consent: { email: true, phone: false } }),
    update(2, { segment: 'north', consent: { email: false } }),
  );
  expect(record.attributes).toEqual({
    loyaltyTier: 'gold',
    segment: 'north',
    consent: { email: false, phone: false },
  });
});

test('late is what comes before the last event, by time and then by id', () => {
  const record = folded({ ...event('visit', 5), eventId: 'm' } as ShopEvent);
  expect(isLate(record, event('visit', 4))).toBe(true);
  expect(isLate(record, event('visit', 6))).toBe(false);
  expect(isLate(record, { ...event('visit', 5), eventId: 'a' } as ShopEvent)).toBe(true);
  expect(isLate(record, { ...event('visit', 5), eventId: 'z' } as ShopEvent)).toBe(false);
  expect(isLate(emptyRecord(), event('visit', 1))).toBe(false);
});

test('a late event does not move the last one', () => {
  const record = folded({ ...event('visit', 5), eventId: 'm' } as ShopEvent, event('visit', 1));
  expect([record.lastEventId, record.lastAt, record.firstAt, record.eventCount]).toEqual([
    'm',
    startMs + 5 * 60_000,
    startMs + 1 * 60_000,
    2,
  ]);
});
