/** Trains on a simulated shop whose churn depends on what can be observed: the model must find it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { churnFromFiles } from '../../../src/algorithms/churn-files.ts';
import { churnRisk } from '../../../src/algorithms/churn-model.ts';
import { logit } from '../../../src/algorithms/logistic-regression.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, emptyRecord, featureVector } from '../../../src/features/record.ts';
import { FEATURE_NAMES, FEATURE_SCHEMA } from '../../../src/features/registry.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { listModels, loadModel } from '../../../src/infra/model-store.ts';
import { currentVersion } from '../../../src/infra/served-versions.ts';
import { churnReasons, explainChurn } from '../../../src/scoring/churn-reasons.ts';
import { trainChurn } from '../../../src/train/churn/train-churn.ts';
import { startMs } from '../../support/events.ts';
import { silentLog } from '../../support/redis.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

/** Five orders, 20 days apart, in two categories as the shop's customers buy, and `days` since the last. */
function regularCustomer(days: number): Float32Array {
  const record = emptyRecord();
  for (const n of [0, 1, 2, 3, 4])
    applyEvent(record, {
      type: 'purchase',
      eventId: `e${n}`,
      customerId: 'regular',
      channel: 'web',
      occurredAt: startMs + 20 * n * dayMs,
      lines: [{ itemId: 'tea', category: n % 2 === 0 ? 'tea' : 'coffee', quantity: 1, unitPriceMinor: 5000 }],
    } as ShopEvent);
  return featureVector(record, startMs + (80 + days) * dayMs);
}

let folder: string;
let lake: Lake;
let first: JobResult;
const progress: { share: number; stage: string }[] = [];
const modelsDir = () => join(folder, 'models');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-churn-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, { customers: 1500, items: 150, days: 400, seed: 3, end: '2026-05-31' });
  first = await train({ report: (share, stage) => void progress.push({ share, stage }) });
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

function train(change: Partial<Parameters<typeof trainChurn>[0]> = {}): Promise<JobResult> {
  return trainChurn({
    lake,
    modelsDir: modelsDir(),
    seed: 1,
    now: Date.UTC(2026, 5, 1),
    random: Math.random,
    log: silentLog,
    report: () => {},
    ...change,
  });
}

test('on a shop with a known hazard it beats recency and the base rate by far, and is published', () => {
  expect(first).toMatchObject({ job: 'train-churn', model: 'churn', published: true });
  expect(first.metrics.auc).toBeGreaterThan(first.metrics.recencyAuc! + 0.03);
  expect(first.metrics.logLoss).toBeLessThan(first.metrics.recencyLogLoss!);
  expect(first.metrics.logLoss).toBeLessThan(first.metrics.baseRateLogLoss!);
  // Calibrated: off by less than eight points in a hundred on average, on customers of a later month.
  expect(first.metrics.ece).toBeLessThan(0.08);
  expect(first.reason).toContain('beats');
  // Also for those who ordered once.
  expect(first.metrics.oneTimeCustomers).toBeGreaterThan(30);
  expect(Math.abs(first.metrics.oneTimeRisk! - first.metrics.oneTimeChurnShare!)).toBeLessThan(0.1);
});

test('what is published is what serving reads: features by name, schema, horizon, engine, figures', async () => {
  const { manifest, arrays, tables } = await loadModel(modelsDir(), 'churn');
  expect(manifest.version).toBe(first.version);
  expect(manifest.metrics).toEqual(first.metrics);
  expect(manifest.featureSchema).toBe(FEATURE_SCHEMA);
  expect(['tfjs-node', 'tfjs-wasm']).toContain(manifest.backend);
  const model = churnFromFiles(arrays, tables);
  expect(model.featureNames).toEqual(FEATURE_NAMES);
  expect(model.horizonDays).toBe(manifest.parameters.horizonDays);
  expect(model.horizons).toContain(model.horizonDays);
  expect(model.horizons).toEqual(expect.arrayContaining([30, 60, 90]));
  const [regular, overdue] = [regularCustomer(10), regularCustomer(2.5 * model.horizonDays)];
  expect(churnRisk(model, overdue)).toBeGreaterThan(churnRisk(model, regular));
  expect(churnReasons(model, overdue, 1)[0]).toMatchObject({ feature: 'daysSinceLastOrder' });
});

test('the reasons of what is published add up to the risk', async () => {
  const { arrays, tables } = await loadModel(modelsDir(), 'churn');
  const model = churnFromFiles(arrays, tables);
  const regular = regularCustomer(10);
  const { base, reasons } = explainChurn(model, regular);
  const sum = reasons.reduce((total, { contribution }) => total + contribution, base);
  expect(Math.abs(sum - logit(churnRisk(model, regular)))).toBeLessThan(1e-4);
});

test('progress never falls, and ends with the whole', () => {
  const shares = progress.map(({ share }) => share);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBe(1);
});

test('the same lake and seed give the same model to the bit, as another version', async () => {
  const again = await train();
  expect(again.version).not.toBe(first.version);
  const [one, two] = await Promise.all([
    loadModel(modelsDir(), 'churn', first.version),
    loadModel(modelsDir(), 'churn', again.version),
  ]);
  expect(two.arrays).toEqual(one.arrays);
  expect(await currentVersion(modelsDir(), 'churn')).toBe(again.version);
});

test('with too short a history nothing is published, and the reason says so', async () => {
  const before = await listModels(modelsDir());
  const result = await train({ cutoff: Date.UTC(2025, 5, 1) });
  expect(result).toMatchObject({ published: false, reason: expect.stringContaining('too short') });
  expect(result.version).toBeUndefined();
  expect(await listModels(modelsDir())).toEqual(before);
});

test('an empty lake is no failure', async () => {
  const empty = await openLake(join(folder, 'empty'));
  expect(await train({ lake: empty })).toMatchObject({
    published: false,
    reason: 'there are no purchases to learn from',
  });
  empty.close();
});
