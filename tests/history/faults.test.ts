/** What comes of a full disk, a damaged part, a damaged record and a clock that jumps: nothing is lost, and all heals by itself. */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ParsedEventInput } from '../../src/domain/event.ts';
import { dayMs } from '../../src/domain/time.ts';
import { markerField } from '../../src/features/event-markers.ts';
import { applyEvent, emptyRecord } from '../../src/features/record.ts';
import { encodeRecord } from '../../src/features/record-codec.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { RECORD_SCHEMA } from '../../src/features/registry.ts';
import { cutOffParts } from '../../src/history/damaged-parts.ts';
import { type DrainDeps, drainAll } from '../../src/history/drain.ts';
import { type Lake, listParts, openLake } from '../../src/history/lake.ts';
import { rebuildRecords } from '../../src/history/rebuild-records.ts';
import { replayCustomers } from '../../src/history/replay.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { purchaseDaysQuery } from '../../src/insights/purchase-days.ts';
import { acceptEvents } from '../../src/serve/events/accept-events.ts';
import { eventually } from '../support/eventually.ts';
import { testLake } from '../support/lake.ts';
import { nobodyErased } from '../support/nobody-erased.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix } = testRedis();

async function shop(lake: Lake) {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const records = createRecordStore(redis, keys);
  /** The service's clock, and the worker's. */
  const clock = { service: Date.now, worker: Date.now };
  const drain: DrainDeps = {
    redis,
    keys,
    lake,
    recordStore: records,
    now: () => clock.worker(),
    log: silentLog,
    tombstones: nobodyErased(keys),
    onEvents: undefined,
  };
  const post = (...events: Record<string, unknown>[]) =>
    acceptEvents(events as unknown as ParsedEventInput[], {
      redis,
      keys,
      records,
      catalogue: { items: new Map() },
      config: { currency: 'EUR', streamMaxLength: 1000 },
      tombstones: nobodyErased(keys),
      now: () => clock.service(),
      log: silentLog,
    });
  const settle = async () => {
    await drainAll(drain);
    await rebuildRecords(drain);
  };
  const stored = async () => {
    const rows = await lake.connection.runAndReadAll(
      `SELECT "eventId" FROM ${lake.from('events')} ORDER BY "eventId"`,
    );
    return rows.getRows().map(([id]) => String(id));
  };
  /** Is the record what a replay makes? */
  const expectReplayed = async (customerId: string) => {
    const found = await records.read(customerId);
    const replayed = emptyRecord();
    await replayCustomers(lake, { customerIds: [customerId] }, (_, events) => {
      for (const event of events) applyEvent(replayed, event);
    });
    replayed.appliedThrough = found?.appliedThrough ?? '';
    expect(found && encodeRecord(found)).toEqual(encodeRecord(replayed));
    expect(replayed.eventCount).toBeGreaterThan(0);
  };
  return { keys, records, clock, drain, post, settle, stored, expectReplayed };
}

const visit = (eventId: string, rest: Record<string, unknown> = {}) => ({
  type: 'visit',
  eventId,
  customerId: 'anna',
  channel: 'web',
  ...rest,
});

/** What customers have paid less what came back, minor units: the revenue of the insights, whatever day it is put down to. */
async function paid(lake: Lake): Promise<number> {
  const ever = { end: Date.now() + 1000 * dayMs };
  const sum = await lake.connection.runAndReadAll(
    `SELECT coalesce(sum(netMinor), 0)::DOUBLE FROM (${purchaseDaysQuery(lake, ever)})`,
  );
  return Number(sum.value(0, 0));
}

/** A disk of two megabytes; undefined: this user may not mount one. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-disk-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

test('a full disk: events are accepted and wait, and reach the lake once there is room', async (context) => {
  const disk = await smallDisk();
  if (disk === undefined) return context.skip('this user may not mount a small disk');
  const lake = await openLake(disk, { threads: 1, memoryMb: 256 });
  onTestFinished(() => lake.close());
  const { post, drain, settle, stored, expectReplayed, keys } = await shop(lake);
  await post(visit('a'));
  await settle();
  const filler = join(disk, 'filler');
  await writeFile(filler, Buffer.alloc(4 * 2 ** 20)).catch((err) => expect(err.code).toBe('ENOSPC'));
  expect(await post(visit('b'), visit('c'))).toMatchObject({ accepted: 2, deferred: 0 });
  await expect(drainAll(drain)).rejects.toThrow(/No space left|ENOSPC|Could not write/i);
  expect(await redis.xlen(keys.eventStream)).toBe(2);
  expect(await post(visit('d'))).toMatchObject({ accepted: 1 });
  // Nothing half-written shows.
  expect(await stored()).toEqual(['a']);
  await rm(filler);
  await settle();
  expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
  expect(await redis.xlen(keys.eventStream)).toBe(0);
  await expectReplayed('anna');
});

test('a part that is cut off: events still reach the lake, records wait, and all is right when it is put back', async () => {
  const lake = await testLake();
  const { post, drain, settle, stored, expectReplayed, keys, records } = await shop(lake);
  const old = Date.now() - dayMs;
  await post(visit('a', { occurredAt: old }), visit('b', { customerId: 'bert', occurredAt: old }));
  await settle();
  const [part = ''] = await listParts(lake, 'events');
  const path = join(lake.folder('events'), part);
  const whole = await readFile(path);
  await truncate(path, whole.length - 100);
  expect(await cutOffParts(lake)).toEqual([path]);

  // Late, so that the lake is looked into; and a repeat of what the damaged part holds.
  await redis.hdel(keys.eventMarkers('bert'), markerField('b'));
  await post(visit('c', { occurredAt: old - 1000 }), visit('b', { customerId: 'bert', occurredAt: old }));
  expect(await drainAll(drain)).toBeGreaterThan(0);
  expect(await redis.xlen(keys.eventStream)).toBe(0);
  const before = await records.read('anna');
  // It names the file, and takes nothing out of a record.
  await expect(rebuildRecords(drain)).rejects.toThrow(part);
  expect(await records.read('anna')).toEqual(before);

  await writeFile(path, whole);
  expect(await cutOffParts(lake)).toEqual([]);
  await settle();
  expect([...new Set(await stored())]).toEqual(['a', 'b', 'c']);
  await expectReplayed('anna');
  await expectReplayed('bert');
});

test('a damaged record counts as absent, and is made anew without that anything else happens to its customer', async () => {
  const lake = await testLake();
  const { post, settle, records, expectReplayed, keys } = await shop(lake);
  await post(visit('a'), visit('b', { customerId: 'bert' }));
  await settle();
  const key = keys.record(RECORD_SCHEMA, 'anna');
  const bytes = (await redis.getBuffer(key)) ?? Buffer.alloc(0);
  const reading: [string, () => Promise<unknown>][] = [
    ['one', () => records.read('anna')],
    ['many', async () => (await records.readMany(['bert', 'anna']))[1]],
    ['beside', async () => (await records.readBeside('anna')).record()],
  ];
  for (const [how, read] of reading) {
    // Also the stream id at its head, by which a rebuild tells that a record is ahead of the lake.
    const damaged = Buffer.from(bytes);
    damaged.fill(0x7e, 0, Math.min(20, damaged.length));
    await redis.set(key, damaged);
    expect([how, await read()]).toEqual([how, undefined]);
    await eventually(async () => expect(await redis.exists(key)).toBe(0));
    await settle();
    await expectReplayed('anna');
  }
});

test.each([
  ['ahead', 300 * dayMs],
  ['back', -300 * dayMs],
])(
  'a clock that jumps %s and returns, of the service and of the worker: each event is stored once and its revenue counts once',
  async (_name, jump) => {
    const lake = await testLake();
    const { post, clock, settle, stored, expectReplayed, keys, records } = await shop(lake);
    await post(visit('a'));
    clock.service = () => Date.now() + jump;
    const bought = { type: 'purchase', lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 900 }] };
    await post(visit('b'), visit('c', { customerId: 'bert', ...bought }));
    // As if the process had fallen before the record was written: the worker judges the entry by its own clock.
    await redis.del(keys.record(RECORD_SCHEMA, 'bert'), keys.eventMarkers('bert'));
    clock.worker = () => Date.now() + jump;
    await settle();
    clock.service = Date.now;
    clock.worker = Date.now;
    // Sent again, as its sender heard no answer.
    await post(visit('d'), visit('a'), visit('c', { customerId: 'bert', ...bought }));
    await settle();
    expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
    expect(await paid(lake)).toBe(900);
    await expectReplayed('anna');
    await expectReplayed('bert');
    expect((await records.read('anna'))?.eventCount).toBe(3);
  },
);
