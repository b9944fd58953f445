import { beforeAll, describe, expect, test } from 'vitest';
import { EVENT_TYPES, EventInput } from '../../src/domain/event.ts';
import { Item } from '../../src/domain/item.ts';
import { Offer } from '../../src/domain/offer.ts';
import { simulateShop } from '../../src/simulation/simulate-shop.ts';
import type { SimulatedFile } from '../../src/simulation/sink.ts';
import { countsOf, optionsOf, parseLines, type SimulatedEvent, simulateTexts } from './in-memory.ts';

const small = { customers: 150, items: 120, days: 200, seed: 11 };
let texts: Record<SimulatedFile, string>;
let events: SimulatedEvent[];

beforeAll(async () => {
  texts = await simulateTexts(small);
  events = parseLines(texts.events);
});

const linesOf = (text: string, customerId: string) =>
  text.split('\n').filter((line) => line.includes(`"${customerId}"`));

describe('seeds', () => {
  test('the same options give the same bytes', async () => {
    expect(await simulateTexts(small)).toEqual(texts);
  });

  test('another seed is another shop: items, customers and events', async () => {
    const other = await simulateTexts({ ...small, seed: 12 });
    for (const file of ['items', 'customers', 'events', 'truth'] as const)
      expect(other[file]).not.toBe(texts[file]);
  });

  test('a customer is the same however many there are', async () => {
    const fewer = await simulateTexts({ ...small, customers: 3 });
    for (const customerId of ['c0000001', 'c0000002', 'c0000003']) {
      for (const file of ['customers', 'events', 'truth'] as const)
        expect(linesOf(fewer[file], customerId)).toEqual(linesOf(texts[file], customerId));
    }
    expect(fewer.items).toBe(texts.items);
  });

  test('the same customer of another simulation has other event ids, so that both can be imported', async () => {
    const later = await simulateTexts({ ...small, customers: 3, end: '2026-07-01' });
    const ids = new Set(events.map(({ eventId }) => eventId));
    expect(parseLines<SimulatedEvent>(later.events).filter(({ eventId }) => ids.has(eventId))).toEqual([]);
  });
});

describe('lines', () => {
  test('every line is valid by the schema of its kind', () => {
    for (const item of parseLines(texts.items)) Item.parse(item);
    for (const offer of parseLines(texts.offers)) Offer.parse(offer);
    for (const customer of parseLines(texts.customers)) EventInput.parse(customer);
    for (const event of events) EventInput.parse(event);
    expect(parseLines(texts.items)).toHaveLength(small.items);
    expect(parseLines(texts.customers)).toHaveLength(small.customers);
    // The shop, the items, the customers.
    expect(parseLines(texts.truth)).toHaveLength(1 + small.items + small.customers);
  });

  test('every kind of event occurs that a shop sends', () => {
    const types = new Set(events.map(({ type }) => type));
    for (const type of EVENT_TYPES.filter((known) => known !== 'offerOutcome')) expect(types).toContain(type);
    expect(new Set(events.map(({ channel }) => channel))).toEqual(
      new Set(['web', 'store', 'app', 'phone', 'email']),
    );
  });

  test('no event id occurs twice, the opening events among them', () => {
    const ids = [...parseLines<SimulatedEvent>(texts.customers), ...events].map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a customer’s events follow each other in time, all within the span', () => {
    const last = new Map<string, number>();
    const outOfOrder: string[] = [];
    // 200 days until the end of 30 June: from 13 December.
    const startAt = Date.parse('2025-12-13T00:00:00Z');
    const endAt = Date.parse('2026-07-01T00:00:00Z');
    for (const { customerId, occurredAt } of [...parseLines<SimulatedEvent>(texts.customers), ...events]) {
      const at = Date.parse(occurredAt);
      if (at <= (last.get(customerId) ?? startAt - 1) || at >= endAt) outOfOrder.push(occurredAt);
      last.set(customerId, at);
    }
    expect(outOfOrder).toEqual([]);
  });

  test('every item that occurs is in the catalogue', () => {
    const known = new Set(parseLines<{ itemId: string }>(texts.items).map(({ itemId }) => itemId));
    const strangers = events.flatMap(({ lines }) => lines ?? []).filter(({ itemId }) => !known.has(itemId));
    expect(strangers).toEqual([]);
  });

  test('returns, deliveries and carts belong to what was bought or may be', () => {
    const bought = new Map<string, Set<string>>();
    for (const event of events)
      if (event.type === 'purchase')
        bought.set(event.orderId!, new Set(event.lines!.map(({ itemId }) => itemId)));
    for (const event of events) {
      if (event.type === 'delivery') expect(bought.has(event.orderId!)).toBe(true);
      if (event.type === 'return')
        expect([...bought.get(event.orderId!)!]).toContain(event.lines![0]!.itemId);
    }
  });
});

describe('summary and sink', () => {
  test('the summary counts what was written', async () => {
    const summary = await simulateShop(optionsOf(small), { write: () => undefined });
    expect(summary).toEqual({
      customers: 150,
      items: 120,
      offers: parseLines(texts.offers).length,
      events: events.length,
      days: 200,
    });
  });

  test('a sink that is behind is waited for before anything more is written', async () => {
    let waiting = 0;
    let writtenWhileWaiting = 0;
    let text = '';
    await simulateShop(optionsOf({ ...small, customers: 20 }), {
      write(file, lines) {
        if (waiting > 0 && file === 'events') writtenWhileWaiting++;
        if (file !== 'events') return undefined;
        text += lines;
        waiting++;
        return new Promise((resolve) =>
          setImmediate(() => {
            waiting--;
            resolve();
          }),
        );
      },
    });
    expect(writtenWhileWaiting).toBe(0);
    expect(texts.events.startsWith(text)).toBe(true);
    expect(text.length).toBeGreaterThan(0);
  });

  test('one write holds no more than one customer or a thousand items, however many there are', async () => {
    const linesAWrite: Record<string, number> = {};
    const longestHistory = Math.max(...countsOf(events.map(({ customerId }) => customerId)).values());
    await simulateShop(optionsOf({ ...small, items: 2500, customers: 30 }), {
      write(file, lines) {
        linesAWrite[file] = Math.max(linesAWrite[file] ?? 0, lines.split('\n').length - 1);
        return undefined;
      },
    });
    expect(linesAWrite).toMatchObject({ items: 1000, truth: 1000, customers: 1 });
    expect(linesAWrite.events).toBeLessThan(2 * longestHistory);
  });

  test('progress rises to 1', async () => {
    const shares: number[] = [];
    await simulateShop(optionsOf({ ...small, customers: 10 }), { write: () => undefined }, (share) =>
      shares.push(share),
    );
    expect(shares).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  });

  test.each([1, 2, 7])(
    'a shop of %s items has as many, and offers only about categories that it has',
    async (items) => {
      const tiny = await simulateTexts({ customers: 30, items, days: 40 });
      const categories = new Set(
        parseLines<{ category: string }>(tiny.items).map(({ category }) => category),
      );
      expect(categories.size).toBe(items);
      for (const offer of parseLines<{ categories?: string[] }>(tiny.offers))
        for (const category of offer.categories ?? []) expect(categories).toContain(category);
      expect(parseLines<SimulatedEvent>(tiny.events).some(({ type }) => type === 'purchase')).toBe(true);
    },
  );
});
