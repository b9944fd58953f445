/** A lake and its records in a real Redis: everybody is scored as the profile would score them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { customerValueModel } from '../../../src/algorithms/customer-value/customer-value-model.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { type CustomerRecord, featureVector } from '../../../src/features/record.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { fromSnapshot, SCORE_COLUMNS } from '../../../src/history/score-snapshots.ts';
import { newModelVersion } from '../../../src/infra/model-store.ts';
import { type ScoringModels, scoreCustomer } from '../../../src/scoring/score-customer.ts';
import { createBatchScorer, rowOf, type ScoredCustomer } from '../../../src/train/scores/score-customers.ts';
import { scoreEverybody } from '../../../src/train/scores/score-everybody.ts';
import { openScorePool } from '../../../src/train/scores/score-pool.ts';
import { encodeRiskState } from '../../../src/webhooks/risk-state.ts';
import { valueSettings } from '../../algorithms/customer-value/support.ts';
import { testRedis } from '../../support/redis.ts';
import { replayedRecords } from '../../support/replayed-records.ts';
import { publishShopChurnModel, shopChurnModel } from '../../support/shop-models.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const { redis, keys, prefix, url } = testRedis();
const store = createRecordStore(redis, keys);
const now = Date.UTC(2026, 5, 15);
const models: ScoringModels = { churn: shopChurnModel(), value: customerValueModel(valueSettings()) };
let records: Map<CustomerId, CustomerRecord>;
let folder: string;
let lake: Lake;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-scores-'));
  lake = await openLake(folder);
  // More than are read at once.
  await writeSimulatedEvents(lake, { customers: 1200, items: 60, days: 120, seed: 2, end: '2026-05-31' });
  records = await replayedRecords(lake);
  await store.replaceCovered(
    [...records].map(([subjectId, record]) => ({ subjectId, record })),
    '0-0',
  );
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

const score = (change: Partial<Parameters<typeof scoreEverybody>[0]> = {}) =>
  scoreEverybody({
    lake,
    dataDir: folder,
    score: createBatchScorer({ records: store, models, now: change.now ?? now }),
    inFlight: 3,
    versions: { churn: 'v1', customerValue: 'v2' },
    id: newModelVersion(now, Math.random),
    now,
    report: () => {},
    ...change,
  });

const scoredRow = (customerId: CustomerId, record: CustomerRecord) =>
  rowOf(customerId, record, scoreCustomer(models, record, now), featureVector(record, now));

test('everybody once, each with the scores of the record', async () => {
  const shares: number[] = [];
  const { snapshot, withoutRecord } = await score({ report: (share) => void shares.push(share) });
  expect(records.size).toBeGreaterThan(1000);
  expect(withoutRecord).toBe(0);
  expect(snapshot).toMatchObject({ customers: records.size, models: { churn: 'v1', customerValue: 'v2' } });
  const columns = SCORE_COLUMNS.map((name) => `"${name}"`).join(', ');
  const reader = await lake.connection.runAndReadAll(
    `SELECT ${columns} FROM ${fromSnapshot(folder, snapshot.id)}`,
  );
  const rows = new Map(reader.getRows().map((row) => [row[0] as CustomerId, row]));
  expect(rows.size).toBe(records.size);
  for (const [customerId, record] of records)
    expect(rows.get(customerId)).toEqual(SCORE_COLUMNS.map((name) => scoredRow(customerId, record)[name]));
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
    score: createBatchScorer({ records: { readMany }, models: { churn: models.churn }, now }),
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
  const failing = createBatchScorer({ records: { readMany }, models, now });
  await expect(score({ score: failing, id: newModelVersion(now + 2e10, Math.random) })).rejects.toThrow(
    'gone',
  );
  expect(
    (await lake.connection.runAndReadAll(`SELECT count(*) FROM ${fromSnapshot(folder, snapshot.id)}`)).value(
      0,
      0,
    ),
  ).toBe(BigInt(records.size));
});

test('everybody is heard of with their scores, once each, and what that came to is added up', async () => {
  const heard = new Map<string, number | undefined>();
  const onScored = async (scored: readonly ScoredCustomer[]) => {
    for (const { customerId, scores } of scored) heard.set(customerId, scores.churn?.risk);
    return 2;
  };
  const { crossings } = await score({
    score: createBatchScorer({ records: store, models, now, onScored }),
    id: newModelVersion(now + 3e10, Math.random),
  });
  const risks = [...records].map(
    ([id, record]) => [id, scoreCustomer(models, record, now).churn?.risk] as const,
  );
  expect(heard).toEqual(new Map(risks));
  expect(crossings).toBe(2 * Math.ceil(records.size / 500));
});

describe('threads', () => {
  const modelsDir = () => join(folder, 'models');
  const open = async (riskAbove: number | null = null) => {
    const churn = await publishShopChurnModel(modelsDir());
    const pool = await openScorePool(2, {
      redisUrl: url,
      keyPrefix: prefix,
      logLevel: 'silent',
      modelsDir: modelsDir(),
      versions: { churn: churn.version, customerValue: null },
      now,
      riskAbove,
    });
    onTestFinished(pool.close);
    return pool;
  };

  test('score as this one does', async () => {
    const pool = await open();
    const ids = [...records.keys()].slice(0, 120);
    const own = createBatchScorer({ records: store, models: { churn: models.churn }, now });
    const batches = [ids.slice(0, 50), ids.slice(50, 51), ids.slice(51), [], ids.slice(0, 7)];
    const scored = await Promise.all(batches.map(pool.score));
    for (const [n, batch] of batches.entries()) expect(scored[n]).toEqual(await own(batch));
  });

  test('put into the outbox of webhooks whose risk has crossed the bound since the last night', async () => {
    const risky = [...records].find(([id, record]) => (scoredRow(id, record).risk ?? 0) > 0.5)?.[0];
    if (risky === undefined) throw new Error('nobody is at risk');
    const outbox = () => redis.xlen(keys.webhookOutbox);
    // Never seen before: where the customer stands is taken down, and nobody is told.
    await (await open(0.5)).score([risky]);
    expect(await outbox()).toBe(0);
    const bound = keys.webhookRisk(0.5, models.churn?.horizonDays ?? 0);
    await redis.hset(bound, risky, encodeRiskState({ above: false, since: now - 1e9 }));
    const pool = await open(0.5);
    await pool.score([risky]);
    await pool.score([risky]);
    expect(await outbox()).toBe(1);
  });

  test('a version that is not there is told at the start', async () => {
    const data = {
      redisUrl: url,
      keyPrefix: prefix,
      logLevel: 'silent' as const,
      modelsDir: modelsDir(),
      now,
    };
    const versions = { churn: newModelVersion(5e12, Math.random), customerValue: null };
    await expect(openScorePool(1, { ...data, versions, riskAbove: null })).rejects.toThrow();
  });
});
