/**
 * The guarantee that training rests on: the record that grows online, event by event, and the one that a replay of the lake
 * makes are the same bytes. `appliedThrough`, which says how far a record has come, is made equal before they are compared.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventInput, type ShopEvent } from '../../src/domain/event.ts';
import { beforeAllIds } from '../../src/domain/stream-id.ts';
import { compareEventOrder } from '../../src/features/event-order.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import { encodeRecord } from '../../src/features/record-codec.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { FEATURE_SCHEMA } from '../../src/features/registry.ts';
import { type DrainDeps, drainAll, drainedThrough } from '../../src/history/drain.ts';
import { rebuildRecords, refreshAllRecords } from '../../src/history/rebuild-records.ts';
import { replayCustomers } from '../../src/history/replay.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { acceptEvents } from '../../src/serve/events/accept-events.ts';
import { parseLines, simulateTexts } from '../simulation/in-memory.ts';
import { customerEvents, startMs } from '../support/events.ts';
import { testLake } from '../support/lake.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();

async function setUp() {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const lake = await testLake();
  const recordStore = createRecordStore(redis, keys);
  const now = () => startMs + 1000 * 86_400_000;
  const deps: DrainDeps = { redis, keys, lake, recordStore, now: () => Date.now() };
  const acceptDeps = {
    redis,
    keys,
    records: recordStore,
    catalogue: { items: new Map() },
    config: { currency: 'EUR', streamMaxLength: 1_000_000 },
    now,
    log: silentLog,
  };
  const accept = (events: ShopEvent[]) => acceptEvents(events as never, acceptDeps);
  const online = async (customerId: string) => bytesOf(await recordStore.read(customerId));
  const replayed = async () => {
    const records = new Map<string, Buffer | undefined>();
    await replayCustomers(
      lake,
      {},
      (customerId, events) => void records.set(customerId, bytesOf(fold(events))),
    );
    return records;
  };
  return { keys, lake, recordStore, deps, accept, online, replayed };
}

function fold(events: ShopEvent[]): CustomerRecord {
  const record = emptyRecord();
  for (const event of events) applyEvent(record, event);
  return record;
}

function bytesOf(record: CustomerRecord | undefined): Buffer | undefined {
  if (record === undefined) return undefined;
  record.appliedThrough = beforeAllIds;
  return encodeRecord(record);
}

const inOrder = (events: ShopEvent[]) => [...events].sort(compareEventOrder);

function visit(eventId: string, minutes: number, customerId = 'anna'): ShopEvent {
  const occurredAt = startMs + minutes * 60_000;
  return { type: 'visit', eventId, occurredAt, channel: 'web', customerId } as ShopEvent;
}

describe('online and batch agree to the byte', { timeout: 120_000 }, () => {
  test('for events in order, sent in requests of any size, some of them twice', async () => {
    await fc.assert(
      fc.asyncProperty(customerEvents('anna', 30), fc.integer({ min: 1, max: 9 }), async (unsorted, size) => {
        const { deps, keys, accept, online, replayed } = await setUp();
        const events = inOrder(unsorted);
        for (let start = 0; start < events.length; start += size) {
          const request = events.slice(start, start + size);
          expect((await accept(request)).accepted).toBe(request.length);
          expect((await accept(request)).duplicates).toBe(request.length);
        }
        await drainAll(deps);
        expect(await redis.scard(keys.staleCustomers)).toBe(0);
        expect((await replayed()).get('anna')).toEqual(await online('anna'));
        expect(await online('anna')).toEqual(bytesOf(fold(events)));
      }),
      { numRuns: 20 },
    );
  });

  test('for events in any order, after the rebuild of who got some late', async () => {
    await fc.assert(
      fc.asyncProperty(customerEvents('anna', 30), customerEvents('bert', 30), async (anna, bert) => {
        const { deps, accept, online, replayed } = await setUp();
        for (const event of [...anna, ...bert]) await accept([event]);
        await drainAll(deps);
        await rebuildRecords(deps);
        const records = await replayed();
        for (const customerId of ['anna', 'bert'])
          expect(records.get(customerId)).toEqual(await online(customerId));
        expect(await online('anna')).toEqual(bytesOf(fold(inOrder(anna))));
      }),
      { numRuns: 20 },
    );
  });
});

test('a simulated shop: every customer, most in order, a tenth of the events late', {
  timeout: 120_000,
}, async () => {
  const { deps, keys, accept, online, replayed } = await setUp();
  const texts = await simulateTexts({ customers: 40, items: 60, days: 200, seed: 5 });
  const events = parseLines<object>(texts.events).map((line) => EventInput.parse(line));
  const [late, punctual] = [events.filter((_, e) => e % 10 === 3), events.filter((_, e) => e % 10 !== 3)];
  for (const sent of [punctual, late]) {
    for (let start = 0; start < sent.length; start += 500) {
      const { accepted } = await accept(sent.slice(start, start + 500) as ShopEvent[]);
      expect(accepted).toBe(Math.min(500, sent.length - start));
    }
  }
  await drainAll(deps);
  expect(await redis.scard(keys.staleCustomers)).toBeGreaterThan(0);
  await rebuildRecords(deps);
  const records = await replayed();
  expect(records.size).toBe(new Set(events.map(({ customerId }) => customerId)).size);
  for (const [customerId, bytes] of records) expect(await online(customerId)).toEqual(bytes);
});

describe('a rebuild', () => {
  test('leaves the record of who has shopped since the drain, and takes it after the next', async () => {
    const { deps, keys, accept, online } = await setUp();
    await accept([visit('b', 20)]);
    await accept([visit('a', 10)]);
    await drainAll(deps);
    await accept([visit('c', 30)]);
    expect(await rebuildRecords(deps)).toEqual({ written: 0, postponed: 1 });
    expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']);
    expect(await redis.scard(keys.rebuildingCustomers)).toBe(0);

    await drainAll(deps);
    expect(await rebuildRecords(deps)).toEqual({ written: 1, postponed: 0 });
    expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 10), visit('b', 20), visit('c', 30)])));
    expect(await rebuildRecords(deps)).toEqual({ written: 0, postponed: 0 });
  });

  test('that a crash broke off is taken up again', async () => {
    const { deps, keys, accept, online } = await setUp();
    await accept([visit('b', 20)]);
    await accept([visit('a', 10)]);
    await drainAll(deps);
    const crashing = {
      ...deps,
      recordStore: { ...deps.recordStore, replaceCovered: () => Promise.reject(new Error('killed')) },
    };
    await expect(rebuildRecords(crashing)).rejects.toThrow('killed');
    expect(await redis.scard(keys.staleCustomers)).toBe(0);
    expect(await rebuildRecords(deps)).toEqual({ written: 1, postponed: 0 });
    expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 10), visit('b', 20)])));
  });

  test('a late event that comes while its customer is being rebuilt is not forgotten', async () => {
    const { deps, keys, accept, online } = await setUp();
    await accept([visit('b', 20)]);
    await accept([visit('a', 10)]);
    await drainAll(deps);
    const busy = {
      ...deps,
      recordStore: {
        ...deps.recordStore,
        replaceCovered: async (...args: Parameters<typeof deps.recordStore.replaceCovered>) => {
          const written = await deps.recordStore.replaceCovered(...args);
          await accept([visit('0', 5)]);
          return written;
        },
      },
    };
    expect(await rebuildRecords(busy)).toEqual({ written: 1, postponed: 0 });
    expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']);
    await drainAll(deps);
    await rebuildRecords(deps);
    expect(await online('anna')).toEqual(bytesOf(fold([visit('0', 5), visit('a', 10), visit('b', 20)])));
  });

  test('while a customer goes on shopping loses nothing and counts nothing twice', async () => {
    const { deps, keys, accept, online } = await setUp();
    const events = Array.from({ length: 120 }, (_, e) => visit(`e${String(e).padStart(3, '0')}`, e));
    // Every third comes late, behind the two that follow it.
    const sent = events.flatMap((_, e) => (e % 3 === 0 ? events.slice(e, e + 3).reverse() : []));
    let shopping = true;
    const shop = (async () => {
      for (const event of sent) await accept([event]);
      shopping = false;
    })();
    while (shopping) {
      await drainAll(deps);
      await rebuildRecords(deps);
    }
    await shop;
    await drainAll(deps);
    await rebuildRecords(deps);
    expect(await redis.scard(keys.staleCustomers)).toBe(0);
    expect(await online('anna')).toEqual(bytesOf(fold(events)));
  });
});

describe('refresh of everything', () => {
  test('fills an empty Redis from the lake: records, items, offers', async () => {
    const { deps, keys, accept, online } = await setUp();
    const customers = ['anna', 'bert', 'cleo'];
    const store = createCatalogueStore(redis, keys);
    const tea = { itemId: 'tea' as never, name: 'Tea', category: 'hot', inStock: true, discontinued: false };
    await store.putItems([tea], 1000);
    for (const customerId of customers)
      await accept([visit(`${customerId}1`, 1, customerId), visit(`${customerId}2`, 2, customerId)]);
    await drainAll(deps);
    const before = await Promise.all(customers.map(online));
    await redis.del(keys.items, ...customers.map((customerId) => keys.record(FEATURE_SCHEMA, customerId)));

    const stages: [number, string][] = [];
    const report = await refreshAllRecords(
      { ...deps, catalogueStore: store },
      (share, stage) => void stages.push([share, stage]),
    );
    expect(report).toEqual({ drained: 0, customers: 3, postponed: 0, restored: 1 });
    expect(await Promise.all(customers.map(online))).toEqual(before);
    expect(await store.getItem('tea')).toEqual(tea);
    expect(await redis.get(keys.recordsBuilt)).toBe(FEATURE_SCHEMA);
    expect(stages.at(0)?.[0]).toBe(0);
    expect(stages.at(-1)?.[0]).toBe(1);
    expect(stages.map(([share]) => share)).toEqual(stages.map(([share]) => share).sort((a, b) => a - b));
  });

  test('takes up what was accepted meanwhile, and what only the stream holds', async () => {
    const { deps, keys, accept, online } = await setUp();
    await accept([visit('a', 1)]);
    await redis.del(keys.record(FEATURE_SCHEMA, 'anna'));
    // Begun anew without its past: a later event comes before the refresh.
    await accept([visit('b', 2)]);
    const report = await refreshAllRecords({ ...deps, catalogueStore: createCatalogueStore(redis, keys) });
    expect(report).toMatchObject({ drained: 2, customers: 1 });
    expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 1), visit('b', 2)])));
    expect(await redis.get(keys.drainedThrough)).toBe(await drainedThrough(redis, keys));
  });
});
