/** A lake and its records in a real Redis: everybody is scored as the profile would score them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customerValueModel } from '../../../src/algorithms/customer-value/customer-value-model.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { applyEvent, type CustomerRecord, emptyRecord, featureVector } from '../../../src/features/record.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { replayCustomers } from '../../../src/history/replay.ts';
import { fromSnapshot, SCORE_COLUMNS } from '../../../src/history/score-snapshots.ts';
import { newModelVersion } from '../../../src/infra/model-store.ts';
import { type ScoringModels, scoreCustomer } from '../../../src/scoring/score-customer.ts';
import { rowOf, scoreEverybody } from '../../../src/train/scores/score-everybody.ts';
import { valueSettings } from '../../algorithms/customer-value/support.ts';
import { testRedis } from '../../support/redis.ts';
import { shopChurnModel } from '../../support/shop-models.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const { redis, keys } = testRedis();
const store = createRecordStore(redis, keys);
const now = Date.UTC(2026, 5, 15);
const models: ScoringModels = { churn: shopChurnModel(), value: customerValueModel(valueSettings()) };
const records = new Map<CustomerId, CustomerRecord>();
let folder: string;
let lake: Lake;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-scores-'));
  lake = await openLake(folder);
  // More than are read at once.
  await writeSimulatedEvents(lake, { customers: 1200, items: 60, days: 120, seed: 2, end: '2026-05-31' });
  await replayCustomers(lake, {}, (customerId, events) => {
    const record = emptyRecord();
    for (const event of events) applyEvent(record, event);
    records.set(customerId, record);
  });
  await store.replaceCovered(
    [...records].map(([subjectId, record]) => ({ subjectId, record })),
    '0-0',
  );
}, 60_000);
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

const score = (change: Partial<Parameters<typeof scoreEverybody>[0]> = {}) =>
  scoreEverybody({
    lake,
    records: store,
    dataDir: folder,
    models,
    versions: { churn: 'v1', customerValue: 'v2' },
    id: newModelVersion(now, Math.random),
    now,
    report: () => {},
    ...change,
  });

test('everybody once, each with the scores of the record', async () => {
  const shares: number[] = [];
  const { snapshot, withoutRecord } = await score({ report: (share) => void shares.push(share) });
  expect(records.size).toBeGreaterThan(1000);
  expect(withoutRecord).toBe(0);
  expect(snapshot).toMatchObject({ customers: records.size, models: { churn: 'v1', customerValue: 'v2' } });
  const columns = SCORE_COLUMNS.map(([name]) => `"${name}"`).join(', ');
  const reader = await lake.connection.runAndReadAll(
    `SELECT ${columns} FROM ${fromSnapshot(folder, snapshot.id)}`,
  );
  const rows = new Map(reader.getRows().map((row) => [row[0] as CustomerId, row]));
  expect(rows.size).toBe(records.size);
  for (const [customerId, record] of records)
    expect(rows.get(customerId)).toEqual(
      rowOf(customerId, record, scoreCustomer(models, record, now), featureVector(record, now)),
    );
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.length).toBeGreaterThan(1);
});

test('as time passes the same records are scored differently', async () => {
  const risksAt = async (at: number) => {
    const { snapshot } = await score({ now: at, id: newModelVersion(at, Math.random) });
    const reader = await lake.connection.runAndReadAll(
      `SELECT avg(risk), avg("valueMinor") FROM ${fromSnapshot(folder, snapshot.id)}`,
    );
    return reader.getRows()[0] as [number, number];
  };
  const [risk, value] = await risksAt(now + 1000);
  const [laterRisk, laterValue] = await risksAt(now + 60 * 86_400_000);
  expect(laterRisk).toBeGreaterThan(risk);
  expect(laterValue).toBeLessThan(value);
});

test('who has no record is counted and left out; with a single model the other’s scores are unknown', async () => {
  const erased = [...records.keys()][0]!;
  const readMany = async (ids: readonly string[]) =>
    (await store.readMany(ids)).map((record, n) => (ids[n] === erased ? undefined : record));
  // The newest, which is what is kept.
  const id = newModelVersion(now + 9e9, Math.random);
  const { snapshot, withoutRecord } = await score({
    records: { readMany },
    models: { churn: models.churn },
    id,
  });
  expect(withoutRecord).toBe(1);
  expect(snapshot.customers).toBe(records.size - 1);
  const reader = await lake.connection.runAndReadAll(
    `SELECT count(risk)::INTEGER, count("valueMinor")::INTEGER FROM ${fromSnapshot(folder, snapshot.id)}`,
  );
  expect(reader.value(0, 0)).toBeGreaterThan(500);
  expect(reader.value(1, 0)).toBe(0);
});

test('a Redis that goes away ends it, and the snapshot before stands', async () => {
  const { snapshot } = await score({ id: newModelVersion(now + 1e10, Math.random) });
  let reads = 0;
  const readMany = (ids: readonly string[]) =>
    ++reads > 1 ? Promise.reject(new Error('gone')) : store.readMany(ids);
  await expect(
    score({ records: { readMany }, id: newModelVersion(now + 2e10, Math.random) }),
  ).rejects.toThrow('gone');
  expect(
    (await lake.connection.runAndReadAll(`SELECT count(*) FROM ${fromSnapshot(folder, snapshot.id)}`)).value(
      0,
      0,
    ),
  ).toBe(BigInt(records.size));
});
