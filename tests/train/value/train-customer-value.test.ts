/** Trains on a simulated shop: forecasts must be better than each customer's own past, and records must be scored as trained. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { customerValueFromFiles } from '../../../src/algorithms/customer-value/customer-value-files.ts';
import type { CustomerValueModel } from '../../../src/algorithms/customer-value/customer-value-model.ts';
import { RFM_SEGMENTS } from '../../../src/algorithms/customer-value/rfm-segment.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import { type CustomerRecord, emptyRecord } from '../../../src/features/record.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { openOrderSummaries } from '../../../src/history/order-summary.ts';
import { listModels, loadModel } from '../../../src/infra/model-store.ts';
import { customerPastOf } from '../../../src/scoring/customer-past.ts';
import { scoreCustomer } from '../../../src/scoring/score-customer.ts';
import { trainCustomerValue } from '../../../src/train/value/train-customer-value.ts';
import { silentLog } from '../../support/redis.ts';
import { replayedRecords } from '../../support/replayed-records.ts';
import { publishShopChurnModel } from '../../support/shop-models.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const end = Date.UTC(2026, 5, 1);
let folder: string;
let lake: Lake;
let first: JobResult;
let model: CustomerValueModel;
let records: Map<string, CustomerRecord>;
const progress: number[] = [];
const modelsDir = () => join(folder, 'models');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-value-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, { customers: 1500, items: 150, days: 400, seed: 3, end: '2026-05-31' });
  await publishShopChurnModel(modelsDir());
  first = await train({ report: (share) => void progress.push(share) });
  const { arrays, tables } = await loadModel(modelsDir(), 'customer-value');
  model = customerValueFromFiles(arrays, tables);
  records = await replayedRecords(lake);
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

function train(change: Partial<Parameters<typeof trainCustomerValue>[0]> = {}): Promise<JobResult> {
  return trainCustomerValue({
    lake,
    modelsDir: modelsDir(),
    seed: 1,
    now: end,
    random: Math.random,
    log: silentLog,
    report: () => {},
    ...change,
  });
}

test('it beats the mean and what each customer did so far, and is published', () => {
  expect(first).toMatchObject({ job: 'train-customer-value', model: 'customer-value', published: true });
  const { metrics } = first;
  expect(metrics.deviance).toBeLessThan(metrics.ownRateDeviance!);
  expect(metrics.deviance).toBeLessThan(metrics.meanDeviance!);
  expect(metrics.rmse).toBeLessThan(metrics.ownRateRmse!);
  expect(metrics.correlation).toBeGreaterThan(0.5);
  expect(metrics.totalRatio).toBeGreaterThan(0.7);
  expect(metrics.totalRatio).toBeLessThan(1.4);
});

test('the manifest says what was fitted, how surely, and the limits of every band', async () => {
  const { manifest } = await loadModel(modelsDir(), 'customer-value');
  const { parameters } = manifest;
  expect(parameters).toMatchObject({ horizonDays: 365, annualDiscountRate: 0.1, assumedMarginShare: 0.3 });
  for (const name of ['r', 'alpha', 'p', 'q', 'v']) {
    expect(parameters[name]).toBeGreaterThan(0);
    expect(parameters[`${name}Error`]).toBeGreaterThan(0);
  }
  expect(parameters.valueMinorLimits).toEqual(model.thresholds.valueMinor);
  for (const limits of [
    'recencyDaysLimits',
    'errandsLimits',
    'marginMinorLimits',
    'valueMinorLimits',
    'riskLimits',
  ]) {
    const values = parameters[limits] as number[];
    expect(values.length).toBeGreaterThanOrEqual(3);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  }
});

test('a record tells the past that the model was fitted to', async () => {
  const to = Math.max(...[...records.values()].map(({ lastAt }) => lastAt)) + 1;
  const summaries = await openOrderSummaries(lake, model.margins, to);
  const summary = await summaries.summaryOf({ asOf: to, until: to });
  summaries.close();
  const pasts = [...records]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap(([, record]) => customerPastOf(record, model.margins, to) ?? []);
  expect(pasts).toHaveLength(summary.errands.length);
  for (const [row, past] of pasts.entries()) {
    expect(past.errands).toBe(summary.errands[row]);
    expect(Math.abs(past.recencyDays - summary.recencyDays[row]!)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(past.ageDays - summary.ageDays[row]!)).toBeLessThanOrEqual(0.5);
    // Costs are whole minor units in the one.
    expect(Math.abs(past.averageMarginMinor - summary.averageMarginMinor[row]!)).toBeLessThan(20);
  }
});

test('scored with it, the bands hold the shares that they are named for, and segments are many', () => {
  const models = { churn: undefined, value: model };
  const scores = [...records.values()].map((record) => scoreCustomer(models, record, end));
  const scored = scores.filter(({ value }) => value !== null);
  const share = (tier: string) => scored.filter(({ valueTier }) => valueTier === tier).length / scored.length;
  expect(share('top')).toBeCloseTo(0.05, 1);
  expect(share('low')).toBeGreaterThan(0.4);
  expect(share('low')).toBeLessThan(0.6);
  const named = new Set(scored.map(({ rfmSegment }) => rfmSegment));
  expect(named.size).toBeGreaterThan(7);
  for (const segment of named) expect(RFM_SEGMENTS).toContain(segment);
  for (const { value, nextPurchase } of scored) {
    expect(value!.lowMinor).toBeLessThanOrEqual(value!.highMinor);
    expect(nextPurchase!.earliestAt).toBeGreaterThanOrEqual(end);
    expect(nextPurchase!.earliestAt).toBeLessThan(nextPurchase!.latestAt);
  }
});

test('without a model, or without an order, there is nothing to tell', () => {
  const record = [...records.values()][0]!;
  const nothing = { value: null, nextPurchase: null, rfmSegment: null, valueTier: null, riskBand: null };
  expect(scoreCustomer({ churn: undefined, value: undefined }, record, end)).toEqual({
    churn: null,
    ...nothing,
  });
  expect(scoreCustomer({ churn: undefined, value: model }, emptyRecord(), end)).toMatchObject(nothing);
});

test('progress never falls, and ends with the whole', () => {
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  expect(progress.at(-1)).toBe(1);
});

test('the same lake and seed give the same model to the bit, another discount another value', async () => {
  const again = await train({ discountRate: 0.5 });
  const [one, two] = await Promise.all(
    [first, again].map(({ version }) => loadModel(modelsDir(), 'customer-value', version)),
  );
  const { valueMinorLimits, annualDiscountRate, ...same } = one!.manifest.parameters;
  expect(two!.manifest.parameters).toMatchObject(same);
  expect(two!.manifest.parameters.annualDiscountRate).toBe(0.5);
  expect((two!.manifest.parameters.valueMinorLimits as number[])[0]).toBeLessThan(
    (valueMinorLimits as number[])[0]!,
  );
});

test.each([
  ['with too short a history', Date.UTC(2025, 4, 15), 'too short'],
  ['before the first purchase', Date.UTC(2020, 0, 1), 'there are no purchases to learn from'],
])('%s nothing is published, and the reason says so', async (_case, cutoff, reason) => {
  const before = await listModels(modelsDir());
  expect(await train({ cutoff })).toMatchObject({
    published: false,
    reason: expect.stringContaining(reason),
  });
  expect(await listModels(modelsDir())).toEqual(before);
});

test('a damaged version is refused', async () => {
  const { arrays, tables } = await loadModel(modelsDir(), 'customer-value');
  expect(() => customerValueFromFiles(arrays, { ...tables, value: {} })).toThrow(AppError);
});
