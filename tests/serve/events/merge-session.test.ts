/** Guests who log in, on two processes at once and beside a worker's drain: no event is lost, none counts twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord } from '../../../src/features/record.ts';
import { encodeRecord } from '../../../src/features/record-codec.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { type DrainDeps, drainAll, drainOnce } from '../../../src/history/drain.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { attributeMerged } from '../../../src/history/merged-sessions.ts';
import { rebuildRecords } from '../../../src/history/rebuild-records.ts';
import { replayCustomers } from '../../../src/history/replay.ts';
import { nobodyErased } from '../../support/nobody-erased.ts';
import { silentLog, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let services: [TestService, TestService];
let lake: Lake;
let drain: DrainDeps;
const records = createRecordStore(redis, keys);

beforeAll(async () => {
  services = [
    await startTestService({ redisUrl, prefix }),
    await startTestService({ redisUrl, prefix, bare: true }),
  ];
  lake = await openLake(services[0].dataDir, { threads: 1, memoryMb: 256 });
  drain = {
    redis,
    keys,
    lake,
    recordStore: records,
    now: Date.now,
    log: silentLog,
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  };
});
afterAll(async () => {
  lake.close();
  for (const service of services) await service.close();
});

const view = (sessionId: string, eventId: string, more: object = {}) => ({
  type: 'view',
  eventId,
  sessionId,
  lines: [{ itemId: 'i1' }],
  ...more,
});
const post = (process: 0 | 1, body: object) => services[process].call('POST', '/events', body);
const merge = (process: 0 | 1, customerId: string, sessionId: string) =>
  services[process].call('PUT', `/customers/${customerId}/merge/${sessionId}`);

async function inHistory(customerId: string): Promise<ShopEvent[]> {
  let found: ShopEvent[] = [];
  await replayCustomers(lake, { customerIds: [customerId] }, (_, events) => {
    found = events;
  });
  return found;
}

function recordOf(events: readonly ShopEvent[], appliedThrough: string): Buffer {
  const record = emptyRecord();
  for (const event of events) applyEvent(record, event);
  record.appliedThrough = appliedThrough;
  return encodeRecord(record);
}

test('what the session told before counts on the next answer, in the record, the stream and the lake; later events do too', async () => {
  await post(0, view('s1', 'in-the-lake'));
  await drainAll(drain);
  await post(0, { type: 'addToCart', eventId: 'in-the-stream', sessionId: 's1', lines: [{ itemId: 'i2' }] });
  await post(1, { type: 'visit', eventId: 'own', customerId: 'anna' });
  expect((await merge(1, 'anna', 's1')).body).toEqual({
    customerId: 'anna',
    sessionId: 's1',
    events: 2,
    repeated: 0,
  });
  const profile = async () => (await services[0].call('GET', '/customers/anna/profile')).body;
  expect((await profile()).eventCount).toBe(3);
  // Told again, by the guest's own tab, and after the merging.
  expect((await post(0, view('s1', 'in-the-lake'))).body.duplicates).toBe(1);
  expect((await post(0, view('s1', 'late'))).body.accepted).toBe(1);
  expect((await post(1, view('s1', 'late'))).body.duplicates).toBe(1);
  expect((await profile()).eventCount).toBe(4);
  expect((await merge(0, 'anna', 's1')).body.events).toBe(0);
  expect((await merge(0, 'bert', 's1')).status).toBe(409);

  await drainAll(drain);
  const events = await inHistory('anna');
  expect(events.map(({ eventId }) => eventId).sort()).toEqual([
    'in-the-lake',
    'in-the-stream',
    'late',
    'own',
  ]);
  await rebuildRecords(drain, ['anna']);
  const record = await records.read('anna');
  expect(encodeRecord(record ?? emptyRecord())).toEqual(recordOf(events, record?.appliedThrough ?? ''));
});

test('an id that the customer has given to an event of hers is one event, and the answer tells of it each time that there is one', async () => {
  await post(0, { type: 'visit', eventId: '1', customerId: 'dora' });
  await post(0, view('s-dora', '1'));
  await post(1, view('s-dora', '2'));
  expect((await merge(1, 'dora', 's-dora')).body).toMatchObject({ events: 1, repeated: 1 });
  expect((await services[0].call('GET', '/customers/dora/profile')).body.eventCount).toBe(2);
  // What a log-in has seen to is no repeat of itself, and a guest's event that is told again later is a duplicate at once.
  expect((await merge(0, 'dora', 's-dora')).body).toMatchObject({ events: 0, repeated: 0 });
  expect((await post(0, view('s-dora', '2'))).body.duplicates).toBe(1);
  await drainAll(drain);
  expect((await inHistory('dora')).map(({ eventId }) => eventId).sort()).toEqual(['1', '2']);
});

test('a session that merges while both processes post and a worker drains: every event once', async () => {
  const customers = Array.from({ length: 12 }, (_, c) => `customer-${c}`);
  const eventsEach = 30;
  let posting = true;
  const draining = (async () => {
    while (posting) await drainOnce(drain);
  })();
  await Promise.all(
    customers.map(async (customerId, c) => {
      const mergeAt = (c * 5) % eventsEach;
      for (let e = 0; e < eventsEach; e++) {
        const process = ((c + e) % 2) as 0 | 1;
        const sent = [post(process, view(`of-${customerId}`, `e${e}`))];
        // A tab that sends again what it has had no answer to.
        if (e % 7 === 0) sent.push(post(process === 0 ? 1 : 0, view(`of-${customerId}`, `e${e}`)));
        const merging = e === mergeAt ? [merge(process, customerId, `of-${customerId}`)] : [];
        for (const { status } of await Promise.all([...sent, ...merging]))
          expect([200, 202]).toContain(status);
      }
      await merge(0, customerId, `of-${customerId}`);
    }),
  );
  posting = false;
  await draining;
  await drainAll(drain);
  for (const customerId of customers) {
    expect((await records.read(customerId))?.eventCount, customerId).toBe(eventsEach);
    const events = await inHistory(customerId);
    expect(events.length, customerId).toBe(eventsEach);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(eventsEach);
  }
});

test('a night writes the customers into the rows, and then needs no list of who logged in', async () => {
  const before = await inHistory('anna');
  const guests = async () => {
    const counted = await lake.connection.runAndReadAll(
      `SELECT count(*)::DOUBLE FROM ${lake.from('events')} WHERE "customerId" IS NULL`,
    );
    return Number(counted.value(0, 0));
  };
  expect(await guests()).toBe(0);
  expect(await attributeMerged(lake, Date.now() + 2 * dayMs)).toBeGreaterThan(0);
  expect(lake.from('events')).not.toContain('merges');
  expect(await guests()).toBe(0);
  expect(await inHistory('anna' as CustomerId)).toEqual(before);
  expect(await attributeMerged(lake, Date.now())).toBe(0);
});
