import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ShopEvent } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import {
  markedStreamId,
  markerField,
  markerTtlMs,
  markerValue,
  readMarker,
} from '../../src/features/event-markers.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../src/features/record.ts';
import { encodeRecord } from '../../src/features/record-codec.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { RECORD_SCHEMA } from '../../src/features/registry.ts';
import { guestTtlMs } from '../../src/features/subject.ts';
import { openPrivateRedis } from '../../src/infra/private-redis/open.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { startMs } from '../support/events.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();
const store = createRecordStore(redis, keys);

function visit(eventId: string, minutes: number): ShopEvent {
  const occurredAt = startMs + minutes * 60_000;
  return { type: 'visit', eventId, occurredAt, channel: 'web', customerId: 'x' } as ShopEvent;
}

function folded(events: ShopEvent[], appliedThrough: string): CustomerRecord {
  const record = emptyRecord();
  for (const event of events) applyEvent(record, event);
  record.appliedThrough = appliedThrough;
  return record;
}

test('many are read in their order, those that there are not and those that cannot be read as absent', async () => {
  await store.apply('first', [{ event: visit('e1', 1), streamId: '1-0' }]);
  await store.apply('third', [
    { event: visit('e1', 1), streamId: '1-1' },
    { event: visit('e2', 2), streamId: '1-2' },
  ]);
  await redis.set(keys.record(RECORD_SCHEMA, 'damaged'), 'this is no record');
  const read = await store.readMany(['first', 'second', 'third', 'damaged']);
  expect(read.map((record) => record?.eventCount)).toEqual([1, undefined, 2, undefined]);
  expect(await store.readMany([])).toEqual([]);
});

describe('apply', () => {
  test('64 writers at once on one customer: every event counts, and the record is that of one writer', async () => {
    const events = Array.from({ length: 64 }, (_, e) => visit(`e${e}`, e));
    const results = await Promise.all(
      events.map((event, e) => store.apply('crowd', [{ event, streamId: `100-${e}` }])),
    );
    expect(results.every(({ outcomes }) => outcomes[0] === 'applied')).toBe(true);
    const record = await store.read('crowd');
    expect(record?.eventCount).toBe(64);
    expect(record?.appliedThrough).toBe('100-63');
  });

  test('64 senders of the same event: it counts once, under one stream id', async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, e) =>
        store.apply('echo', [{ event: visit('same', 1), streamId: `100-${e}` }]),
      ),
    );
    expect(results.filter(({ outcomes }) => outcomes[0] === 'applied')).toHaveLength(1);
    expect((await store.read('echo'))?.eventCount).toBe(1);
  });

  test('an entry that was applied before under its own id is not a repeat, but is not applied again', async () => {
    const entry = { event: visit('once', 1), streamId: '5-0' };
    await store.apply('again', [entry]);
    expect(await store.apply('again', [entry])).toEqual({ outcomes: ['applied'], late: 0 });
    expect((await store.read('again'))?.eventCount).toBe(1);
  });

  test('a repeat within one call is left out, the rest is folded in the order of time', async () => {
    const [a, b] = [visit('a', 10), visit('b', 5)];
    const { outcomes, late } = await store.apply('mixed', [
      { event: a, streamId: '1-0' },
      { event: b, streamId: '1-1' },
      { event: a, streamId: '1-2' },
    ]);
    expect(outcomes).toEqual(['applied', 'applied', 'duplicate']);
    expect(late).toBe(0);
    expect(await store.read('mixed')).toStrictEqual(folded([b, a], '1-1'));
  });

  test('more events than one script takes', async () => {
    const events = Array.from({ length: 2500 }, (_, e) => ({ event: visit(`e${e}`, e), streamId: `1-${e}` }));
    const { outcomes } = await store.apply('busy', events);
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(2500);
    expect((await store.read('busy'))?.eventCount).toBe(2500);
  });

  test('the marker holds the stream id, and expires in seven days', async () => {
    await store.apply('marked', [{ event: visit('m', 1), streamId: '7-3' }]);
    expect(await readMarker('marked', 'm', { redis, keys })).toBe('7-3');
    const ttl = await redis.pttl(keys.eventMarkers('marked'));
    expect(ttl).toBeGreaterThan(markerTtlMs - 60_000);
    expect(ttl).toBeLessThanOrEqual(markerTtlMs);
  });

  test('a marker is a whole number, but for the stream ids that none can tell', () => {
    for (const streamId of ['0-1', '1764150000000-0', '1764150000000-999', '7-1000', '1764150000000-12345'])
      expect(markedStreamId(markerValue(streamId))).toBe(streamId);
    expect(markerValue('1764150000000-17')).toBe('1764150000000017');
    expect(markerField('m')).toMatch(/^\d+$/);
  });

  test('a customer who comes every day has markers of the last week, and few of before', async () => {
    const streamIdOn = (day: number) => `${(100 + day) * dayMs}-0`;
    for (let day = 0; day < 300; day++)
      await store.apply('daily', [{ event: visit(`d${day}`, day), streamId: streamIdOn(day) }]);
    const markers = await redis.hgetall(keys.eventMarkers('daily'));
    for (let day = 292; day < 300; day++)
      expect(markers[markerField(`d${day}`)]).toBe(markerValue(streamIdOn(day)));
    // Were nothing taken away, there were 300.
    expect(Object.keys(markers).length).toBeLessThan(40);
  });

  test('a late event is counted at once and puts its customer down for a rebuild', async () => {
    await store.apply('slow', [{ event: visit('new', 10), streamId: '1-0' }]);
    expect(await redis.sismember(keys.staleCustomers, 'slow')).toBe(0);
    expect((await store.apply('slow', [{ event: visit('old', 1), streamId: '1-1' }])).late).toBe(1);
    expect(await redis.sismember(keys.staleCustomers, 'slow')).toBe(1);
    expect((await store.read('slow'))?.eventCount).toBe(2);
  });

  test("the record's last event, sent again when its marker has expired, is known and not folded", async () => {
    const last = visit('last', 2);
    const before = [visit('first', 1), last];
    await store.apply(
      'known',
      before.map((event, e) => ({ event, streamId: `1-${e}` })),
    );
    await redis.hdel(keys.eventMarkers('known'), markerField(last.eventId));
    const again = await store.apply('known', [
      { event: last, streamId: '9-0' },
      { event: visit('next', 3), streamId: '9-1' },
      { event: last, streamId: '9-2' },
    ]);
    expect(again).toEqual({ outcomes: ['known', 'applied', 'duplicate'], late: 0 });
    expect(await store.read('known')).toStrictEqual(folded([...before, visit('next', 3)], '9-1'));
    expect(await readMarker('known', last.eventId, { redis, keys })).toBe('9-0');
  });

  test('a record that knew an event reflects the entry under which it was sent again', async () => {
    const last = visit('last', 2);
    await store.apply('through', [{ event: last, streamId: '1-0' }]);
    await redis.hdel(keys.eventMarkers('through'), markerField(last.eventId));
    expect((await store.apply('through', [{ event: last, streamId: '9-0' }])).outcomes).toEqual(['known']);
    expect(await store.read('through')).toStrictEqual(folded([last], '9-0'));
    expect(await store.replaceCovered([{ subjectId: 'through', record: emptyRecord() }], '8-0')).toEqual([
      false,
    ]);
  });

  test('a guest is kept for a day and never put down for a rebuild', async () => {
    await store.apply('session:s1', [{ event: visit('new', 10), streamId: '1-0' }]);
    await store.apply('session:s1', [{ event: visit('old', 1), streamId: '1-1' }]);
    const ttl = await redis.pttl(keys.record(RECORD_SCHEMA, 'session:s1'));
    expect(ttl).toBeGreaterThan(guestTtlMs - 60_000);
    expect(await redis.sismember(keys.staleCustomers, 'session:s1')).toBe(0);
    await store.apply('staying', [{ event: visit('new', 10), streamId: '1-0' }]);
    expect(await redis.pttl(keys.record(RECORD_SCHEMA, 'staying'))).toBe(-1);
  });

  test('a record that was deleted and made anew in between is seen as changed', async () => {
    await store.apply('gone', [{ event: visit('a', 1), streamId: '1-0' }]);
    const stale = createRecordStore(
      new Proxy(redis, {
        get(target, name) {
          if (name !== 'getBuffer') return Reflect.get(target, name);
          return async (wanted: string) => {
            const value = await target.getBuffer(wanted);
            // Erased, and met again, between the read and the write.
            await target.del(keys.record(RECORD_SCHEMA, 'gone'));
            await store.apply('gone', [{ event: visit('c', 3), streamId: '1-2' }]);
            return value;
          };
        },
      }),
      keys,
    );
    await stale.apply('gone', [{ event: visit('b', 2), streamId: '1-1' }]);
    const record = await store.read('gone');
    expect([record?.eventCount, record?.lastEventId]).toEqual([2, 'c']);
  });
});

describe('an unreadable record', () => {
  test('reads as absent, is told, and is begun anew with its customer put down for a rebuild', async () => {
    const onUnreadable = vi.fn();
    const watched = createRecordStore(redis, keys, { onUnreadable });
    await watched.apply('torn', [{ event: visit('a', 1), streamId: '1-0' }]);
    const key = keys.record(RECORD_SCHEMA, 'torn');
    const bytes = (await redis.getBuffer(key))!;
    bytes[60]! ^= 1;
    await redis.set(key, bytes);

    expect(await watched.read('torn')).toBeUndefined();
    expect(onUnreadable).toHaveBeenCalledWith('checksum');
    await watched.apply('torn', [{ event: visit('b', 2), streamId: '1-1' }]);
    expect((await watched.read('torn'))?.eventCount).toBe(1);
    expect(await redis.sismember(keys.staleCustomers, 'torn')).toBe(1);
  });

  test('a customer who is not known reads as undefined, and nothing is told', async () => {
    const onUnreadable = vi.fn();
    expect(await createRecordStore(redis, keys, { onUnreadable }).read('nobody')).toBeUndefined();
    expect(onUnreadable).not.toHaveBeenCalled();
  });
});

describe('replaceCovered', () => {
  const rebuilt = (subjectId: string) => [{ subjectId, record: folded([visit('r', 1)], '0-0') }];

  test('writes where there is no record, and where it reflects nothing after the given id', async () => {
    expect(await store.replaceCovered(rebuilt('fresh'), '50-2')).toEqual([true]);
    await store.apply('covered', [{ event: visit('a', 1), streamId: '50-2' }]);
    expect(await store.replaceCovered(rebuilt('covered'), '50-2')).toEqual([true]);
    const bytes = await redis.getBuffer(keys.record(RECORD_SCHEMA, 'covered'));
    expect(bytes).toEqual(encodeRecord(folded([visit('r', 1)], '50-2')));
  });

  test.each(['50-3', '51-0'])(
    'leaves a record that reflects %s where the lake reaches 50-2',
    async (streamId) => {
      const subjectId = `ahead-${streamId}`;
      await store.apply(subjectId, [{ event: visit('a', 1), streamId }]);
      expect(await store.replaceCovered(rebuilt(subjectId), '50-2')).toEqual([false]);
      expect((await store.read(subjectId))?.lastEventId).toBe('a');
    },
  );

  test('ids compare as numbers', async () => {
    await store.apply('digits', [{ event: visit('a', 1), streamId: '9-10' }]);
    expect(await store.replaceCovered(rebuilt('digits'), '10-9')).toEqual([true]);
  });

  test('ids of this century compare whole, over a Redis built for 32 bits too', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-32-bits-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const server = await openPrivateRedis({ dataDir, searchPath: '', wasmAllowed: true });
    onTestFinished(server.release);
    const small = connectRedis(server.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => small.disconnect());
    expect(await small.info('server')).toContain('arch_bits:32');
    for (const one of [store, createRecordStore(small, keys)]) {
      await one.apply('today', [{ event: visit('a', 1), streamId: '1795719598093-7' }]);
      expect(await one.replaceCovered(rebuilt('today'), '1795719598093-6')).toEqual([false]);
      expect(await one.replaceCovered(rebuilt('today'), '1795719598092-9')).toEqual([false]);
      expect(await one.replaceCovered(rebuilt('today'), '1795719598093-7')).toEqual([true]);
    }
  });
});
