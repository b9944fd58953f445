/**
 * The guarantee that training rests on: the record that grows online, event by event, and the one that a replay of the lake
 * makes are the same bytes. `appliedThrough`, which says how far a record has come, is made equal before they are compared.
 */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventInput, eventValueMinor, type ShopEvent } from '../../src/domain/event.ts';
import { moneyMaxMinor } from '../../src/domain/money.ts';
import { beforeAllIds } from '../../src/domain/stream-id.ts';
import { dayMs } from '../../src/domain/time.ts';
import { otherSchemaTtlMs } from '../../src/features/covered-records.ts';
import { markerField } from '../../src/features/event-markers.ts';
import { compareEventOrder } from '../../src/features/event-order.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import { encodeRecord } from '../../src/features/record-codec.ts';
import { createRecordStore, type RecordStore } from '../../src/features/record-store.ts';
import { RECORD_SCHEMA } from '../../src/features/registry.ts';
import { type DrainDeps, drainAll, drainedThrough } from '../../src/history/drain.ts';
import { rebuildRecords, refreshAllRecords } from '../../src/history/rebuild-records.ts';
import { replayCustomers } from '../../src/history/replay.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { acceptEvents } from '../../src/serve/events/accept-events.ts';
import { parseLines, simulateTexts } from '../simulation/in-memory.ts';
import { customerEvents, startMs } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { testLake } from '../support/lake.ts';
import { nobodyErased } from '../support/nobody-erased.ts';
import { deleteEach, keysMatching, silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();

async function setUp() {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const lake = await testLake();
  const recordStore = createRecordStore(redis, keys);
  const now = () => startMs + 1000 * dayMs;
  const deps: DrainDeps = {
    redis,
    keys,
    lake,
    recordStore,
    now: () => Date.now(),
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  };
  const acceptDeps = {
    redis,
    keys,
    records: recordStore,
    catalogue: { items: new Map() },
    config: { currency: 'EUR', streamMaxLength: 1_000_000 },
    tombstones: nobodyErased(keys),
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
  /** As an import from a file: into the lake, without a marker, then into the records. */
  const importEvents = async (events: ShopEvent[]) => {
    await writeEntries(lake, 'import-0123', { events, catalogue: [], decisions: [] });
    await rebuildRecords(deps, [...new Set(events.map(({ customerId }) => customerId!))]);
  };
  const settle = async () => {
    await drainAll(deps);
    while ((await redis.scard(keys.staleCustomers)) > 0) await rebuildRecords(deps);
  };
  /** How often each event is in the lake. */
  const inLake = async () => {
    const rows = await lake.connection.runAndReadAll(
      `SELECT "eventId", count(*)::INTEGER FROM ${lake.from('events')} WHERE line = 0 GROUP BY ALL ORDER BY ALL`,
    );
    return Object.fromEntries(rows.getRows() as [string, number][]);
  };
  const forgetMarkers = async (events: ShopEvent[]) => {
    for (const { customerId, eventId } of events)
      await redis.hdel(keys.eventMarkers(customerId!), markerField(eventId));
  };
  return {
    keys,
    lake,
    recordStore,
    deps,
    accept,
    online,
    replayed,
    importEvents,
    settle,
    inLake,
    forgetMarkers,
  };
}

const longAgoMs = 10 * 365 * dayMs;
const longAgo = (event: ShopEvent): ShopEvent => ({ ...event, occurredAt: event.occurredAt - longAgoMs });

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

/** What the service takes: an order worth more than anything may be is rejected. */
function acceptable(customerId: string, maxLength: number): fc.Arbitrary<ShopEvent[]> {
  const isAccepted = (event: ShopEvent) => Math.abs(eventValueMinor(event)) <= moneyMaxMinor;
  return customerEvents(customerId, maxLength)
    .map((events) => events.filter(isAccepted))
    .filter((events) => events.length > 0);
}

const inOrder = (events: ShopEvent[]) => [...events].sort(compareEventOrder);

function visit(eventId: string, minutes: number, customerId = 'anna'): ShopEvent {
  const occurredAt = startMs + minutes * 60_000;
  return { type: 'visit', eventId, occurredAt, channel: 'web', customerId } as ShopEvent;
}

describe('online and batch agree to the byte', () => {
  test('for events in order, sent in requests of any size, some of them twice', async () => {
    await fc.assert(
      fc.asyncProperty(acceptable('anna', 30), fc.integer({ min: 1, max: 9 }), async (unsorted, size) => {
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
      fc.asyncProperty(acceptable('anna', 30), acceptable('bert', 30), async (anna, bert) => {
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

test('a simulated shop: every customer, most in order, a tenth of the events late', async () => {
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
    await deleteEach(redis, [
      keys.items,
      ...customers.map((customerId) => keys.record(RECORD_SCHEMA, customerId)),
    ]);

    const stages: [number, string][] = [];
    const report = await refreshAllRecords(
      { ...deps, catalogueStore: store },
      (share, stage) => void stages.push([share, stage]),
    );
    expect(report).toEqual({ drained: 0, customers: 3, postponed: 0, gone: 0, restored: 1 });
    expect(await Promise.all(customers.map(online))).toEqual(before);
    expect(await store.getItem('tea')).toEqual(tea);
    expect(await redis.get(keys.recordsBuilt)).toBe(RECORD_SCHEMA);
    expect(stages.at(0)?.[0]).toBe(0);
    expect(stages.at(-1)?.[0]).toBe(1);
    expect(stages.map(([share]) => share)).toEqual(stages.map(([share]) => share).sort((a, b) => a - b));
  });

  test('does not say that all is there where Redis was emptied meanwhile', async () => {
    const { deps, keys, accept } = await setUp();
    await accept([visit('a', 1)]);
    const ours = `*${keys.recordsBuilt.replace(':records:built', '')}*`;
    const emptied = async (_share: number, stage: string) => {
      if (stage === 'rebuilding records') await deleteEach(redis, await keysMatching(redis, ours));
    };
    const refresh = { ...deps, catalogueStore: createCatalogueStore(redis, keys) };
    await expect(refreshAllRecords(refresh, emptied)).rejects.toThrow('emptied');
    expect(await redis.exists(keys.recordsBuilt)).toBe(0);
    expect((await refreshAllRecords(refresh)).customers).toBe(1);
  });

  test('takes up what was accepted meanwhile, and what only the stream holds', async () => {
    const { deps, keys, accept, online } = await setUp();
    await accept([visit('a', 1)]);
    await redis.del(keys.record(RECORD_SCHEMA, 'anna'));
    // Begun anew without its past: a later event comes before the refresh.
    await accept([visit('b', 2)]);
    const report = await refreshAllRecords({ ...deps, catalogueStore: createCatalogueStore(redis, keys) });
    expect(report).toMatchObject({ drained: 2, customers: 1 });
    expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 1), visit('b', 2)])));
    expect(await redis.get(keys.drainedThrough)).toBe(await drainedThrough(redis, keys));
  });
});

describe('customers who have long been silent', () => {
  const recordMs = 400 * dayMs;
  const day = 24 * 60;
  /** Anna was there once, Bert is there still. */
  const shop = async () => {
    const one = await setUp();
    const { deps, keys, accept } = one;
    await accept([visit('a', 1), visit('b', 500 * day, 'bert')]);
    const catalogueStore = createCatalogueStore(redis, keys);
    const refresh = (now = () => startMs + 1000 * dayMs) =>
      refreshAllRecords({ ...deps, catalogueStore, recordMs, now });
    return { ...one, refresh };
  };

  test('have no record, until they come back: then it is the whole, and nothing of it was taken for all there is', async () => {
    const { deps, keys, accept, online, settle, replayed, refresh } = await shop();
    expect(await refresh()).toMatchObject({ customers: 1, gone: 1, postponed: 0 });
    expect(await online('anna')).toBeUndefined();
    expect((await replayed()).get('bert')).toEqual(await online('bert'));

    await accept([visit('c', 501 * day), visit('d', 501 * day, 'dora')]);
    // Put down for a rebuild at once; who is new is not.
    expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']);
    expect((await deps.recordStore.read('anna'))?.eventCount).toBe(1);
    await settle();
    expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 1), visit('c', 501 * day)])));
    expect((await replayed()).get('anna')).toEqual(await online('anna'));
    expect(await refresh()).toMatchObject({ customers: 3, gone: 0 });
  });

  test.each<[string, (served: RecordStore, ids: string[]) => Promise<unknown>]>([
    ['alone', (served, ids) => Promise.all(ids.map(served.read))],
    ['on a list', async (served, ids) => (await served.readManyEncoded(ids)).map((read) => read())],
  ])(
    'are made anew when somebody asks for one of them, %s, and let go again the night after',
    async (_name, ask) => {
      const { keys, online, settle, refresh } = await shop();
      await refresh();
      const served = createRecordStore(redis, keys, { bringBack: true });
      await ask(served, ['nobody', 'session:nobody', 'anna']);
      await eventually(async () => expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']));
      await settle();
      expect(await online('anna')).toEqual(bytesOf(fold([visit('a', 1)])));
      expect(await refresh()).toMatchObject({ customers: 1, gone: 1 });
      expect(await online('anna')).toBeUndefined();
    },
  );

  test('are kept while their record reflects what the lake does not hold, and by a shop whose history ends long ago', async () => {
    const { deps, keys, accept, online, refresh } = await shop();
    // By the clock, everybody has been silent for years.
    expect(await refresh(() => startMs + 5000 * dayMs)).toMatchObject({ customers: 1, gone: 1 });
    await accept([visit('c', 2)]);
    const through = await drainedThrough(redis, keys);
    expect(await deps.recordStore.letGo(['anna', 'bert'], through)).toEqual([false, true]);
    expect(await online('anna')).toBeDefined();
    expect(await online('bert')).toBeUndefined();
  });
});

describe('a repeat of an event that has no marker counts once', () => {
  const events = [visit('a', 1), visit('b', 2), visit('c', 3)].map(longAgo);

  test.each([
    ['the newest', ['c'], 0],
    ['an older one', ['a'], 1],
    ['all, newest first', ['c', 'b', 'a'], 2],
  ])('imported from a file, then sent: %s', async (_, ids, accepted) => {
    const { accept, online, replayed, importEvents, settle, inLake, forgetMarkers } = await setUp();
    await importEvents(events);
    const sent = ids.map((id) => events.find(({ eventId }) => eventId === id)!);
    // Twice: the second time as after seven days.
    for (let round = 0; round < 2; round++) {
      let taken = 0;
      for (const event of sent) taken += (await accept([event])).accepted;
      // Only the newest is known for a repeat at the door.
      expect(taken).toBe(accepted);
      await settle();
      expect(await inLake()).toEqual({ a: 1, b: 1, c: 1 });
      expect(await online('anna')).toEqual(bytesOf(fold(events)));
      expect((await replayed()).get('anna')).toEqual(await online('anna'));
      await forgetMarkers(sent);
    }
  });

  test('sent, drained, and sent again after its marker has expired', async () => {
    const { accept, online, settle, inLake, forgetMarkers } = await setUp();
    await accept(events);
    await settle();
    await forgetMarkers(events);
    await accept(events);
    await settle();
    expect(await inLake()).toEqual({ a: 1, b: 1, c: 1 });
    expect(await online('anna')).toEqual(bytesOf(fold(events)));
  });

  test('sent again after its marker has expired, while the first still waits for the lake: not lost either', async () => {
    const { deps, accept, online, settle, inLake, forgetMarkers } = await setUp();
    await accept(events);
    await forgetMarkers([events[2]!]);
    await accept([events[2]!]);
    // The first entries alone, and a rebuild that must not forget what is not in the lake yet.
    await drainAll({ ...deps, maxEntries: 3 }, async () => void (await rebuildRecords(deps, ['anna'])));
    await settle();
    expect(await inLake()).toEqual({ a: 1, b: 1, c: 1 });
    expect(await online('anna')).toEqual(bytesOf(fold(events)));
  });

  test('whatever was imported, sent, forgotten and sent again, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        acceptable('anna', 12),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('send', 'forget', 'drain', 'rebuild')), {
          minLength: 20,
          maxLength: 60,
        }),
        async (unsorted, steps) => {
          const { deps, accept, online, replayed, importEvents, settle, inLake, forgetMarkers } =
            await setUp();
          const all = inOrder(unsorted).map(longAgo);
          await importEvents(all.filter((_, e) => e % 3 === 0));
          for (const [number, step] of steps) {
            const event = all[number % all.length]!;
            if (step === 'send') await accept([event]);
            else if (step === 'forget') await forgetMarkers([event]);
            else if (step === 'drain') await drainAll(deps);
            else await rebuildRecords(deps);
          }
          for (const event of all) await accept([event]);
          await settle();
          expect(Object.values(await inLake())).toEqual(all.map(() => 1));
          expect(await online('anna')).toEqual(bytesOf(fold(all)));
          expect((await replayed()).get('anna')).toEqual(await online('anna'));
        },
      ),
      { numRuns: 15 },
    );
  });
});

test('a refresh gives the records of other schemas a week to live, once', async () => {
  const { deps, keys, accept } = await setUp();
  const store = createCatalogueStore(redis, keys);
  await accept([visit('a', 1)]);
  await redis.set(keys.recordsBuilt, '0ld5c4ea');
  const old = keys.record('0ld5c4ea', 'anna');
  await redis.set(old, 'a record');
  await refreshAllRecords({ ...deps, catalogueStore: store });
  const ttl = await redis.pttl(old);
  expect(ttl).toBeGreaterThan(otherSchemaTtlMs - 60_000);
  expect(ttl).toBeLessThanOrEqual(otherSchemaTtlMs);
  expect(await redis.pttl(keys.record(RECORD_SCHEMA, 'anna'))).toBe(-1);

  await redis.pexpire(old, 5_000_000);
  await refreshAllRecords({ ...deps, catalogueStore: store });
  expect(await redis.pttl(old)).toBeLessThanOrEqual(5_000_000);
  // Written again by a process of the version before.
  await redis.set(old, 'a record');
  await refreshAllRecords({ ...deps, catalogueStore: store });
  expect(await redis.pttl(old)).toBeGreaterThan(5_000_000);
});
