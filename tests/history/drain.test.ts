import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { LogEntry } from '../../src/domain/log-entry.ts';
import { dayMs } from '../../src/domain/time.ts';
import { markerField } from '../../src/features/event-markers.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { latestItems, latestOffers } from '../../src/history/catalogue.ts';
import { type DrainDeps, drainAll, drainedThrough, drainOnce } from '../../src/history/drain.ts';
import { type Lake, listParts } from '../../src/history/lake.ts';
import { writeEntries } from '../../src/history/write-entries.ts';
import { countOfDecision, madePlace, outlinePlace } from '../../src/infra/decision-places.ts';
import { openErasureFiles } from '../../src/infra/erasure-files.ts';
import { appendEntries, logField } from '../../src/infra/event-log.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { createTombstones, neverErased } from '../../src/infra/tombstones.ts';
import { outboxLength, tellOfEvents } from '../../src/train/webhooks/outbox.ts';
import { startMs } from '../support/events.ts';
import { testLake } from '../support/lake.ts';
import { nobodyErased } from '../support/nobody-erased.ts';
import { ownRedis } from '../support/own-redis.ts';
import { deleteEach, silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();

async function setUp(overrides: Partial<DrainDeps> = {}) {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const lake = await testLake();
  const recordStore = createRecordStore(redis, keys);
  const deps: DrainDeps = {
    redis,
    keys,
    lake,
    recordStore,
    now: () => Date.now(),
    tombstones: nobodyErased(keys),
    onEvents: undefined,
    ...overrides,
  };
  /** As the service accepts: into the stream, then into the record. */
  const accept = async (...events: ShopEvent[]) => {
    const ids = await append(...events);
    for (const [e, event] of events.entries())
      await recordStore.apply(event.customerId!, [{ event, streamId: ids[e]! }]);
  };
  const append = (...events: ShopEvent[]) =>
    appendEntries(
      redis,
      keys,
      events.map((event) => ({ kind: 'event', event })),
    );
  return { keys, lake, recordStore, deps, accept, append };
}

function visit(eventId: string, minutes = 1, customerId = 'anna'): ShopEvent {
  const occurredAt = startMs + minutes * 60_000;
  return { type: 'visit', eventId, occurredAt, channel: 'web', customerId } as ShopEvent;
}

async function eventIds(lake: Lake): Promise<string[]> {
  const rows = await lake.connection.runAndReadAll(`SELECT "eventId" FROM ${lake.from('events')} ORDER BY 1`);
  return rows.getRows().map(([id]) => String(id));
}

test('what was accepted is in the lake and off the stream, under the ids that it covers', async () => {
  const { deps, lake, keys, accept } = await setUp();
  await accept(visit('a', 1), visit('b', 2));
  const ids = (await redis.xrange(keys.eventStream, '-', '+')).map(([id]) => id);
  const report = await drainOnce(deps);
  expect(report).toMatchObject({ entries: 2, events: 2, duplicates: 0, repaired: 0, lag: { length: 0 } });
  expect(await eventIds(lake)).toEqual(['a', 'b']);
  expect(await listParts(lake, 'events')).toEqual([`stream-${ids[0]}-${ids[1]}.parquet`]);
  expect(await drainedThrough(redis, keys)).toBe(ids[1]);
  expect(await redis.xlen(keys.eventStream)).toBe(0);
  expect((await drainOnce(deps)).entries).toBe(0);
});

test('of what tells of offers the lake notes when it was told', async () => {
  const { deps, lake, keys, accept } = await setUp();
  const told = { customerId: 'anna', channel: 'web', occurredAt: startMs };
  const lines = [{ itemId: 'tea', quantity: 1 }];
  await accept(
    {
      ...told,
      type: 'offerOutcome',
      eventId: 'o',
      decisionId: 'd',
      offerId: 'a',
      outcome: 'redeemed',
    } as ShopEvent,
    { ...told, type: 'purchase', eventId: 'p', lines, redeemed: [{ offerId: 'a' }] } as ShopEvent,
    { ...told, type: 'purchase', eventId: 'q', lines } as ShopEvent,
  );
  const ids = (await redis.xrange(keys.eventStream, '-', '+')).map(([id]) => Number.parseInt(id, 10));
  await drainOnce(deps);
  const rows = await lake.connection.runAndReadAll(
    `SELECT "eventId", (detail->>'$.toldAt')::DOUBLE FROM ${lake.from('events')} ORDER BY 1`,
  );
  expect(rows.getRows()).toEqual([
    ['o', ids[0]],
    ['p', ids[1]],
    ['q', null],
  ]);
});

test('an event that never reached its record is applied by the drain, once', async () => {
  const { deps, lake, recordStore, append } = await setUp();
  await append(visit('a', 2), visit('b', 1), visit('a', 2));
  expect(await drainOnce(deps)).toMatchObject({ entries: 3, events: 2, duplicates: 1, repaired: 2 });
  expect((await recordStore.read('anna'))?.eventCount).toBe(2);
  expect(await eventIds(lake)).toEqual(['a', 'b']);
});

test('a repeat that was appended again is dropped', async () => {
  const { deps, lake, accept } = await setUp();
  await accept(visit('a'));
  await accept(visit('a'));
  expect(await drainOnce(deps)).toMatchObject({ events: 1, duplicates: 1 });
  expect(await eventIds(lake)).toEqual(['a']);
});

test('a batch is bounded, and draining all takes as many as it needs', async () => {
  const { deps, lake, accept } = await setUp({ maxEntries: 3 });
  await accept(...Array.from({ length: 8 }, (_, e) => visit(`e${e}`, e)));
  const sizes: number[] = [];
  expect(await drainAll(deps, ({ entries }) => void sizes.push(entries))).toBe(8);
  expect(sizes).toEqual([3, 3, 2, 0]);
  expect(await eventIds(lake)).toHaveLength(8);
});

test('catalogue, offers and decisions reach tables of their own', async () => {
  const { deps, lake, keys } = await setUp();
  const item = (name: string, at: number) =>
    ({
      kind: 'item',
      item: { itemId: 'tea', name, category: '', inStock: true, discontinued: false },
      at,
    }) as LogEntry;
  const decision = {
    decisionId: 'd1',
    customerId: 'anna',
    channel: 'web',
    decidedAt: '2026-01-05T00:00:00.000Z',
  };
  await appendEntries(redis, keys, [
    item('old', 1000),
    item('new', 2000),
    { kind: 'itemDeleted', itemId: 'cup' as never, at: 1500 },
    { kind: 'offerDeleted', offerId: 'o' as never, at: 1500 },
    { kind: 'decision', decision: decision as never },
  ]);
  expect(await drainOnce(deps)).toMatchObject({ catalogueChanges: 4, decisions: 1, events: 0 });
  const changes = [];
  for await (const batch of latestItems(lake)) changes.push(...batch);
  for await (const batch of latestOffers(lake)) changes.push(...batch);
  expect(changes).toEqual([
    { kind: 'itemDeleted', itemId: 'cup', at: 1500 },
    item('new', 2000),
    { kind: 'offerDeleted', offerId: 'o', at: 1500 },
  ]);
  const rows = await lake.connection.runAndReadAll(
    `SELECT "decisionId", "customerId", epoch_ms("decidedAt")::DOUBLE, json FROM ${lake.from('decisions')}`,
  );
  expect(rows.getRows()).toEqual([['d1', 'anna', Date.UTC(2026, 0, 5), JSON.stringify(decision)]]);
});

test('a decision about somebody who has been erased meanwhile leaves neither a row nor a key', async () => {
  const tombstones = {
    erasedAt: async (ids: readonly string[]) => ids.map((id) => (id === 'anna' ? Date.now() : neverErased)),
  };
  const { deps, keys, lake } = await setUp({ tombstones });
  const decisions = ['anna', 'bert'].map((customerId) => ({ decisionId: `of-${customerId}`, customerId }));
  for (const { decisionId } of decisions) {
    const { key, field } = outlinePlace(decisionId, keys);
    const made = madePlace(decisionId, keys);
    await redis.hset(key, field, 'what Redis keeps of it');
    await redis.sadd(made.key, made.member);
    await redis.set(keys.decisionOutcomes(decisionId), 'what was told of it');
  }
  await appendEntries(
    redis,
    keys,
    decisions.map((one) => ({
      kind: 'decision' as const,
      decision: { ...one, channel: 'web', decidedAt: '2026-01-05T00:00:00.000Z' } as never,
    })),
  );
  expect(await drainOnce(deps)).toMatchObject({ decisions: 1, erased: 1 });
  const rows = await lake.connection.runAndReadAll(`SELECT "decisionId" FROM ${lake.from('decisions')}`);
  expect(rows.getRows()).toEqual([['of-bert']]);
  const left = await Promise.all(
    decisions.map(({ decisionId }) => countOfDecision(decisionId, { redis, keys })),
  );
  expect(left).toEqual([0, 3]);
});

test('an entry that cannot be read does not stop the drain and is not lost', async () => {
  const { deps, keys, lake, accept } = await setUp();
  const id = await redis.xadd(keys.eventStream, '*', logField, '{"kind":"of a later version"}');
  await accept(visit('a'));
  expect(await drainOnce(deps)).toMatchObject({ entries: 2, events: 1, unreadable: 1 });
  expect(await eventIds(lake)).toEqual(['a']);
  const [aside] = await redis.xrange(keys.unreadableEntries, '-', '+');
  expect(aside?.[1]).toEqual([logField, '{"kind":"of a later version"}', 'streamId', id]);
});

test('an entry whose marker may have expired goes to the lake and its customer to the rebuild: never twice', async () => {
  const { deps, keys, lake, recordStore } = await setUp();
  const streamId = `${Date.now() - 8 * dayMs}-0`;
  await redis.xadd(
    keys.eventStream,
    streamId,
    logField,
    JSON.stringify({ kind: 'event', event: visit('a') }),
  );
  await recordStore.apply('anna', [{ event: visit('a'), streamId }]);
  await redis.hdel(keys.eventMarkers('anna'), markerField('a'));
  await drainOnce(deps);
  expect((await recordStore.read('anna'))?.eventCount).toBe(1);
  expect(await eventIds(lake)).toEqual(['a']);
  expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']);
});

test('tells how long after its acceptance an event was brought to its record', async () => {
  const startedAt = Date.now();
  const { deps, keys } = await setUp({ now: () => startedAt + 4500 });
  const add = (id: string, event: ShopEvent) =>
    redis.xadd(keys.eventStream, id, logField, JSON.stringify({ kind: 'event', event }));
  await add(`${startedAt + 1000}-0`, visit('a', 1));
  await add(`${startedAt + 4000}-0`, visit('b', 2, 'bert'));
  // 4500 − 1000 and 4500 − 4000 ms.
  expect((await drainOnce(deps)).repairedAfterSeconds.sort()).toEqual([0.5, 3.5]);
  expect((await drainOnce(deps)).repairedAfterSeconds).toEqual([]);
});

describe('what the lake has already', () => {
  const ago = (eventId: string, ms: number, customerId = 'anna'): ShopEvent => ({
    ...visit(eventId, 0, customerId),
    occurredAt: Date.now() - ms,
  });
  const day = 86_400_000;

  test('is dropped, and its customer put down for a rebuild; another customer may use the same id', async () => {
    const { deps, keys, lake, accept } = await setUp();
    const imported = ago('a', day);
    await writeEntries(lake, 'import-0123', { events: [imported], catalogue: [], decisions: [] });
    await accept(imported, ago('a', day, 'bert'), ago('b', day));
    expect(await drainOnce(deps)).toMatchObject({ entries: 3, events: 2, duplicates: 1 });
    expect(await eventIds(lake)).toEqual(['a', 'a', 'b']);
    expect(await redis.smembers(keys.staleCustomers)).toEqual(['anna']);
  });

  test('is not asked for what happened just now', async () => {
    const { deps, lake, accept } = await setUp();
    let connections = 0;
    const counting: Lake = {
      ...lake,
      connect: () => {
        connections++;
        return lake.connect();
      },
    };
    await accept(ago('a', 30_000));
    await drainOnce({ ...deps, lake: counting });
    // To write the part.
    expect(connections).toBe(1);
    await accept(ago('b', 90_000));
    await drainOnce({ ...deps, lake: counting });
    // To look up, and to write.
    expect(connections).toBe(3);
  });
});

describe('one drain at a time', () => {
  test('while another holds the lock, nothing is done', async () => {
    const { deps, keys, accept } = await setUp();
    await accept(visit('a'));
    await redis.set(keys.drainLock, 'another', 'PX', 60_000);
    expect(await drainOnce(deps)).toMatchObject({ locked: true, entries: 0, lag: { length: 1 } });
    expect(await redis.get(keys.drainLock)).toBe('another');
  });

  test('one that loses the lock writes nothing', async () => {
    const { deps, keys, lake, append } = await setUp();
    await append(visit('a'));
    const stolen: DrainDeps = {
      ...deps,
      recordStore: {
        ...deps.recordStore,
        apply: async (...args) => {
          await redis.set(keys.drainLock, 'another', 'PX', 60_000);
          return deps.recordStore.apply(...args);
        },
      },
    };
    await expect(drainOnce(stolen)).rejects.toThrow('lock was lost');
    expect(await listParts(lake, 'events')).toEqual([]);
    expect(await redis.get(keys.drainLock)).toBe('another');
    await redis.del(keys.drainLock);
    expect(await drainOnce(deps)).toMatchObject({ events: 1 });
  });
});

describe('killed', () => {
  /** Redis on which one command fails once, before it reaches the server. */
  function failingOnce(command: 'xtrim' | 'callBuffer', key: string) {
    let failed = false;
    return new Proxy(redis, {
      get(target, name) {
        const real = Reflect.get(target, name);
        if (name !== command) return typeof real === 'function' ? real.bind(target) : real;
        return (...args: unknown[]) => {
          if (failed || !args.includes(key)) return real.apply(target, args);
          failed = true;
          throw new Error('killed');
        };
      },
    });
  }

  test('between writing and renaming: the next drain does it again', async () => {
    const { deps, lake, recordStore, append } = await setUp();
    await append(visit('a', 1), visit('b', 2));
    const killed: Lake = {
      ...lake,
      connect: async () => {
        const connection = await lake.connect();
        return new Proxy(connection, {
          get(target, name) {
            const real = Reflect.get(target, name);
            if (name !== 'run') return typeof real === 'function' ? real.bind(target) : real;
            return async (sql: string) => {
              const result = await target.run(sql);
              if (sql.startsWith('COPY')) throw new Error('killed');
              return result;
            };
          },
        });
      },
    };
    await expect(drainOnce({ ...deps, lake: killed })).rejects.toThrow('killed');
    // A process that is killed does not tidy up.
    await writeFile(join(lake.folder('events'), 'stream-1-0-2-0.parquet.77-1.tmp'), 'half');
    expect(await listParts(lake, 'events')).toEqual([]);

    expect(await drainOnce(deps)).toMatchObject({ events: 2, repaired: 0 });
    expect(await eventIds(lake)).toEqual(['a', 'b']);
    expect((await recordStore.read('anna'))?.eventCount).toBe(2);
  });

  test.each([
    ['the mark', 'callBuffer'],
    ['the trim', 'xtrim'],
  ] as const)('between renaming and %s: the next drain goes on after it', async (_step, command) => {
    const { deps, keys, lake, accept, recordStore } = await setUp();
    await accept(visit('a', 1), visit('b', 2));
    const key = command === 'callBuffer' ? keys.drainedThrough : keys.eventStream;
    await expect(drainOnce({ ...deps, redis: failingOnce(command, key) })).rejects.toThrow('killed');
    expect(await eventIds(lake)).toEqual(['a', 'b']);

    await accept(visit('c', 3));
    expect(await drainAll(deps)).toBe(1);
    expect(await eventIds(lake)).toEqual(['a', 'b', 'c']);
    expect(await redis.xlen(keys.eventStream)).toBe(0);
    expect((await recordStore.read('anna'))?.eventCount).toBe(3);
  });

  test('a Redis that begins anew with a clock that is behind loses nothing that comes after the first drain', async () => {
    const { deps, keys, lake, accept } = await setUp();
    await redis.xadd(
      keys.eventStream,
      '9000000000000-5',
      logField,
      JSON.stringify({ kind: 'event', event: visit('a') }),
    );
    await drainOnce(deps);
    await deleteEach(redis, [keys.eventStream, keys.drainedThrough]);
    await drainOnce(deps);
    await accept(visit('b', 2));
    expect(await drainOnce(deps)).toMatchObject({ events: 1 });
    expect(await eventIds(lake)).toEqual(['a', 'b']);
  });
});

describe('a Redis that is full', () => {
  test('is drained all the same: what is in the stream, of records and of the erased, and what a drain had not finished', async () => {
    const own = await ownRedis();
    onTestFinished(own.remove);
    await own.start();
    const full = connectRedis(own.url, 'tests-full', { kind: 'patient' }, silentLog);
    onTestFinished(() => full.disconnect());
    const { deps, keys, lake } = await setUp();
    const recordStore = createRecordStore(full, keys);
    const onEvents = tellOfEvents({ redis: full, keys }, { ratingBelow: 3 });
    const ofFull: DrainDeps = { ...deps, redis: full, recordStore, onEvents };
    const entry = (event: ShopEvent) => ({ kind: 'event', event }) as const;
    // Known to the lake and told of again; never brought to their records, of a customer and a guest; not to be read.
    await appendEntries(full, keys, [entry(visit('a'))]);
    await drainOnce(ofFull);
    const { customerId: _, ...ofGuest } = { ...visit('g', 3), sessionId: 's1' };
    await full.del(keys.eventMarkers('anna'));
    await appendEntries(full, keys, [entry(visit('a')), entry(visit('b', 2)), entry(ofGuest as ShopEvent)]);
    await full.xadd(keys.eventStream, '*', logField, 'no JSON');
    const outbox = await outboxLength({ redis: full, keys });
    await full.del(keys.drainedThrough);
    await full.config('SET', 'maxmemory', '1');
    await expect(full.set('anything', '1')).rejects.toThrow('OOM');

    expect(await drainOnce(ofFull)).toMatchObject({
      entries: 4,
      events: 2,
      unreadable: 1,
      lag: { length: 0 },
    });
    expect(await eventIds(lake)).toEqual(['a', 'b', 'g']);
    expect(await full.smembers(keys.staleCustomers)).toEqual(['anna']);
    expect((await recordStore.read('session:s1'))?.eventCount).toBe(1);
    expect(await outboxLength({ redis: full, keys })).toBeGreaterThan(outbox);

    const tombstones = createTombstones(
      full,
      keys,
      await openErasureFiles(join(lake.folder('events'), '../..')),
    );
    await tombstones.bury(['bert'], 1000);
    expect(await tombstones.erasedAt(['bert'])).toEqual([1000]);
    expect(await recordStore.letGo(['anna'], await drainedThrough(full, keys))).toEqual([true]);
    expect(await recordStore.read('anna')).toBeUndefined();
  });

  test('is drained of the late event of a customer too, who is put down for a rebuild', async () => {
    const own = await ownRedis();
    onTestFinished(own.remove);
    await own.start();
    const full = connectRedis(own.url, 'tests-full', { kind: 'patient' }, silentLog);
    onTestFinished(() => full.disconnect());
    const { deps, keys, lake } = await setUp();
    const recordStore = createRecordStore(full, keys);
    const entry = (event: ShopEvent) => ({ kind: 'event', event }) as const;
    const [streamId = ''] = await appendEntries(full, keys, [entry(visit('b', 5))]);
    await recordStore.apply('anna', [{ event: visit('b', 5), streamId }]);
    await appendEntries(full, keys, [entry(visit('late', 1))]);
    await full.config('SET', 'maxmemory', '1');

    expect(await drainOnce({ ...deps, redis: full, recordStore })).toMatchObject({
      entries: 2,
      events: 2,
      lag: { length: 0 },
    });
    expect(await eventIds(lake)).toEqual(['b', 'late']);
    expect(await full.smembers(keys.staleCustomers)).toEqual(['anna']);
  });
});
