import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { ListedModel } from '../../../src/infra/model-store.ts';
import { observeOverNothing } from '../../../src/train/metrics.ts';
import { overNothing } from '../../../src/train/offers/over-nothing.ts';

const metrics = {
  longRunOverNothing: 30,
  longRunOverNothingLower: 10,
  longRunOverNothingUpper: 50,
  championLongRunOverNothing: -20,
  championLongRunOverNothingLower: -35,
  championLongRunOverNothingUpper: -5,
};
const listed = (current: boolean, told: Record<string, number> = metrics, name = 'offers') =>
  ({ manifest: { name, metrics: told }, current }) as unknown as ListedModel;

test('what is served is told of: the newest version, or what it was held against', () => {
  expect(overNothing([listed(true), listed(false, {})])).toEqual({ value: 30, lower: 10, upper: 50 });
  expect(overNothing([listed(false), listed(true, {})])).toEqual({ value: -20, lower: -35, upper: -5 });
});

test('where it is not known, nothing is told, nor exported', async () => {
  expect(overNothing([])).toBeUndefined();
  expect(overNothing([listed(true, metrics, 'churn')])).toBeUndefined();
  expect(overNothing([listed(true, { longRunOverNothing: 30 })])).toBeUndefined();
  const registry = new Registry();
  let models = [listed(false)];
  observeOverNothing(registry, async () => overNothing(models));
  expect(await registry.metrics()).toContain(
    'nextbest_worker_decisions_over_nothing_minor{bound="upper"} -5',
  );
  models = [];
  expect(await registry.metrics()).not.toContain('bound=');
});
