import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import '../../../src/domain/fault-sentences.ts';
import { Item } from '../../../src/domain/item.ts';
import { Offer } from '../../../src/domain/offer.ts';
import { accountedFor, NOW, openShop } from './support.ts';

const lines = (...objects: unknown[]) => objects.map((object) => `${JSON.stringify(object)}\n`).join('');
const tea = { itemId: 'tea', name: 'Green tea', category: 'Tea', priceMinor: 450 };
const welcome = {
  offerId: 'welcome',
  name: 'Welcome',
  benefit: { kind: 'percentOff', percent: 10 },
  channels: ['email'],
};
const order = {
  type: 'purchase',
  eventId: 'e1',
  customerId: 'anna',
  occurredAt: '2026-01-02T03:04:05Z',
  orderId: '7',
  lines: [{ itemId: 'tea', quantity: 2, unitPriceMinor: 450, discountMinor: 50 }, { itemId: 'cup' }],
};

describe('the preset nextbest', () => {
  test("tells a line's sort by its keys, bare or wrapped, and takes items before events", async () => {
    const shop = await openShop();
    const path = await shop.file(
      'log.ndjson.gz',
      lines(
        order,
        {
          kind: 'event',
          event: { type: 'visit', sessionId: 's1', occurredAt: 1_767_225_600_000, channel: 'app' },
        },
        {
          type: 'rating',
          customerId: 'anna',
          occurredAt: '2026-01-03T00:00:00+02:00',
          rating: 4.5,
          itemId: 'tea',
        },
        { kind: 'item', item: tea },
        { kind: 'item', itemId: 'cup', name: 'Cup', inStock: false },
        welcome,
      ),
    );
    const report = await shop.run('nextbest', [path]);
    expect(report).toMatchObject({ rowsRead: 6, accepted: 6, rejected: {}, events: 3, items: 2, offers: 1 });
    expect(report.linesWithoutPrice).toBe(1);
    const events = await shop.lake('events');
    expect(events.slice(0, 2)).toEqual([
      {
        eventId: 'e1',
        line: 0,
        type: 'purchase',
        customerId: 'anna',
        sessionId: null,
        occurredAt: '2026-01-02 03:04:05',
        channel: 'web',
        orderId: '7',
        itemId: 'tea',
        category: 'Tea',
        quantity: 2,
        unitPriceMinor: '450',
        discountMinor: '50',
        detail: null,
      },
      expect.objectContaining({
        eventId: 'e1',
        line: 1,
        itemId: 'cup',
        category: '',
        quantity: 1,
        unitPriceMinor: null,
      }),
    ]);
    expect(events.find(({ type }) => type === 'rating')).toMatchObject({
      occurredAt: '2026-01-02 22:00:00',
      itemId: null,
      detail: '{"rating":4.5,"itemId":"tea"}',
    });
    expect(events.find(({ type }) => type === 'visit')).toMatchObject({
      sessionId: 's1',
      customerId: null,
      channel: 'app',
      occurredAt: '2026-01-01 00:00:00',
      detail: null,
    });
    expect(await shop.items()).toEqual({
      tea: Item.parse(tea),
      cup: Item.parse({ itemId: 'cup', name: 'Cup', inStock: false }),
    });
    expect(JSON.parse(String((await shop.lake('offers'))[0]?.json))).toEqual(Offer.parse(welcome));
  });

  test('a line without a price has that of the catalogue, of this import or as the lake knows it', async () => {
    const shop = await openShop();
    const buy = (eventId: string, type = 'purchase') => ({
      ...{ type, eventId, customerId: 'anna', occurredAt: '2026-01-02T03:04:05Z' },
      lines: [{ itemId: 'tea' }, { itemId: 'tea', unitPriceMinor: 0 }],
    });
    const given = await shop.file('log.ndjson', lines(buy('a1'), tea));
    const known = await shop.file('later.ndjson', lines(buy('a2'), buy('a3', 'view')));
    for (const path of [given, known])
      expect(await shop.run('nextbest', [path])).toMatchObject({ rejected: {}, linesWithoutPrice: 0 });
    const prices = (await shop.lake('events')).map(({ unitPriceMinor }) => unitPriceMinor);
    expect(prices).toEqual(['450', '0', '450', '0', null, '0']);
  });

  test('twice changes nothing, also for events without an id; a changed item is taken', async () => {
    const shop = await openShop();
    const visit = { type: 'visit', customerId: 'anna', occurredAt: '2026-01-02T03:04:05Z' };
    const path = await shop.file('log.ndjson', lines(order, visit, visit, tea, welcome));
    expect(await shop.run('nextbest', [path])).toMatchObject({ accepted: 5, events: 3 });
    const parts = await shop.parts();
    expect(await shop.run('nextbest', [path], { now: NOW + 1 })).toMatchObject({
      accepted: 0,
      rejected: { alreadyImported: 5 },
    });
    expect(await shop.parts()).toEqual(parts);
    const changed = await shop.file(
      'more.ndjson',
      lines({ ...tea, priceMinor: 500 }, { ...welcome, name: 'Hello' }),
    );
    // Even by a clock that stands still.
    expect(await shop.run('nextbest', [changed])).toMatchObject({ accepted: 2, items: 1, offers: 1 });
    expect((await shop.items()).tea).toMatchObject({ priceMinor: 500 });
    const offers = await shop.sql(
      `SELECT arg_max(json, "updatedAt") AS json FROM read_parquet('${shop.dataDir}/lake/offers/*.parquet')`,
    );
    expect(String(offers[0]?.json)).toContain('Hello');
  });

  test('items bring what they are about; a change of it is a change, and what the domain refuses is refused', async () => {
    const shop = await openShop();
    const about = {
      description: 'Picked in spring.',
      tags: ['organic', 'loose'],
      addedAt: '2026-03-01T00:00:00Z',
    };
    const first = await shop.file('first.ndjson', lines({ ...tea, ...about }));
    expect(await shop.run('nextbest', [first])).toMatchObject({ accepted: 1, items: 1 });
    const [row] = await shop.lake('items');
    expect(Item.parse(JSON.parse(String(row?.json)))).toEqual(Item.parse({ ...tea, ...about }));
    expect(await shop.run('nextbest', [first])).toMatchObject({ items: 0 });
    const second = await shop.file(
      'second.ndjson',
      lines(
        { ...tea, ...about, tags: ['organic'] },
        { itemId: 'none', tags: [] },
        { itemId: 'a', tags: [''] },
        { itemId: 'b', tags: [1] },
        { itemId: 'c', tags: 'organic' },
        { itemId: 'd', addedAt: '2026-03-01' },
        { itemId: 'e', addedAt: '2026-13-01T00:00:00Z' },
        { itemId: 'f', description: 7 },
      ),
    );
    expect(await shop.run('nextbest', [second])).toMatchObject({ items: 2, rejected: { invalid: 6 } });
  });

  test('rejects what the domain refuses, with line and reason', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'log.ndjson',
      [
        JSON.stringify(order),
        '{"type":"purchase",',
        '[]',
        '{"hello":1}',
        JSON.stringify({ ...order, eventId: 'e2', customerId: undefined }),
        JSON.stringify({ ...order, eventId: 'e3', occurredAt: undefined }),
        JSON.stringify({ ...order, eventId: 'e4', channel: 'fax' }),
        JSON.stringify({ ...order, eventId: 'e5', currency: 'USD' }),
        JSON.stringify({ ...order, eventId: 'e6', type: 'gift' }),
        JSON.stringify({ ...order, eventId: 'e7', lines: [] }),
        JSON.stringify({ ...order, eventId: 'e8', lines: [{ itemId: 'tea', quantity: 0 }] }),
        JSON.stringify({
          ...order,
          eventId: 'e9',
          lines: [{ itemId: 'tea' }, { itemId: 'cup', unitPriceMinor: 1.5 }],
        }),
        JSON.stringify({ ...order, eventId: 'e10', lines: [{ itemId: '' }] }),
        JSON.stringify({ ...order, eventId: 'e11', surprise: true }),
        JSON.stringify(order),
        JSON.stringify({ ...tea, name: 5 }),
        JSON.stringify({ ...welcome, channels: [] }),
        JSON.stringify(tea),
        JSON.stringify(tea),
      ].join('\n'),
    );
    const report = await shop.run('nextbest', [path]);
    expect(accountedFor(report)).toBe(19);
    expect((await shop.rejects(report)).map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'malformed'],
      [3, 'malformed'],
      [4, 'invalid'],
      [5, 'noCustomer'],
      [6, 'badDate'],
      [7, 'badChannel'],
      [8, 'wrongCurrency'],
      [9, 'badType'],
      [10, 'invalid'],
      [11, 'badQuantity'],
      [12, 'badPrice'],
      [13, 'badItem'],
      [14, 'invalid'],
      [15, 'duplicateRow'],
      [16, 'invalid'],
      [17, 'invalid'],
      [18, 'duplicateRow'],
    ]);
    const faults = new Map((await shop.rejects(report)).map(({ line, fault }) => [line, fault]));
    expect(faults.get(4)).toMatch(/^is no event \(type\), item/);
    expect(faults.get(5)).toBe('customerId an event needs a customerId or a sessionId');
    // An event of now, as the API takes it: the reason says enough.
    expect(faults.get(6)).toBeNull();
    expect(faults.get(7)).toMatch(/^channel must be one of: web, /);
    expect(faults.get(10)).toBe('lines must not be empty');
    expect(faults.get(11)).toBe('lines.0.quantity must be at least 1');
    expect(faults.get(12)).toMatch(/^lines\.1\.unitPriceMinor must be a whole number/);
    expect(faults.get(14)).toMatch(/^event has no "surprise"; there are: type, eventId/);
    expect(faults.get(16)).toBe('name must be a text, not a number');
    expect(faults.get(17)).toMatch(/^channels must not be empty/);
    expect(faults.get(18)).toBeNull();
  });

  test("takes a simulation's folder, and of it the shop's files only", async () => {
    const shop = await openShop();
    const folder = join(shop.dataDir, 'simulated');
    await mkdir(folder);
    await writeFile(join(folder, 'items.ndjson'), lines(tea));
    await writeFile(join(folder, 'offers.ndjson'), '');
    await writeFile(join(folder, 'events.ndjson'), lines(order));
    await writeFile(
      join(folder, 'customers.ndjson'),
      lines({
        type: 'customerUpdated',
        customerId: 'anna',
        occurredAt: '2026-01-01T00:00:00Z',
        attributes: { loyaltyTier: 'gold', consent: { email: true } },
      }),
    );
    await writeFile(join(folder, 'truth.ndjson'), lines({ kind: 'shop' }));
    expect(await shop.run('nextbest', [folder])).toMatchObject({
      rowsRead: 3,
      accepted: 3,
      events: 2,
      items: 1,
    });
    expect((await shop.lake('events')).find(({ type }) => type === 'customerUpdated')).toMatchObject({
      detail: '{"attributes":{"loyaltyTier":"gold","consent":{"email":true}}}',
    });
  });
});
