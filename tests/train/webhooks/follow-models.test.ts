import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { churnToFiles } from '../../../src/algorithms/churn-files.ts';
import { FEATURE_SCHEMA } from '../../../src/features/registry.ts';
import { newModelVersion, publishModel } from '../../../src/infra/model-store.ts';
import { followModels } from '../../../src/train/webhooks/follow-models.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/redis.ts';
import { publishShopChurnModel, shopChurnModel } from '../../support/shop-models.ts';

async function modelsDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-models-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function follow(folder: string) {
  const served = await followModels(folder, silentLog, 10);
  onTestFinished(served.stop);
  return served;
}

test('what is published is there at the start, and what is published later is taken', async () => {
  const folder = await modelsDir();
  const early = await follow(folder);
  expect(early.current()).toEqual({ churn: undefined, value: undefined });
  await publishShopChurnModel(folder);
  await eventually(() => expect(early.current().churn?.horizonDays).toBe(60));
  expect((await follow(folder)).current().churn?.horizonDays).toBe(60);

  const { arrays, tables } = churnToFiles({ ...shopChurnModel(), horizonDays: 90 });
  const createdAt = '2027-01-01T00:00:00.000Z';
  const draft = {
    name: 'churn' as const,
    version: newModelVersion(Date.parse(createdAt), Math.random),
    createdAt,
    featureSchema: FEATURE_SCHEMA,
    dataRange: { from: createdAt, to: createdAt },
    parameters: {},
    metrics: {},
    backend: 'wasm-simd' as const,
    gate: { passed: true, reason: 'a fixture' },
  };
  await publishModel(folder, draft, arrays, tables);
  await eventually(() => expect(early.current().churn?.horizonDays).toBe(90));
});

test('a model of other features is passed over, and the one before it stays', async () => {
  const folder = await modelsDir();
  await publishShopChurnModel(folder);
  await publishShopChurnModel(folder, 'deadbeef');
  expect((await follow(folder)).current().churn?.horizonDays).toBe(60);
});
