import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { collaborativeToFiles } from '../../../src/algorithms/collaborative-model.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { publishModel } from '../../../src/infra/model-store.ts';
import { judgeChampion, type Recipe, writeRecipe } from '../../../src/train/collaborative/champion.ts';
import { servedOf } from '../../../src/train/collaborative/evaluate.ts';
import { CollaborativeSettings } from '../../../src/train/collaborative/settings.ts';
import { createTestSet } from '../../../src/train/collaborative/test-set.ts';
import { testKernels } from '../../support/kernels.ts';
import { purchasesOf } from '../../support/purchases.ts';
import { silentLog } from '../../support/redis.ts';
import { shopModel } from '../../support/shop-models.ts';

const kernels = await testKernels();
const version = '20260101T000000Z-00000000';
const rows = Array.from({ length: 60 }, (_, n) => [`c${n % 12}`, `i${(n * 7) % 9}`, n] as const);
const set = createTestSet(purchasesOf(rows), purchasesOf([['c1', 'i7', 101]]), 100 * dayMs, 10, 1);
const settings = CollaborativeSettings.parse({ ials: { factors: 4 } });
const candidate: Recipe = { settings, ranking: 'fusion' };

/** Served with these parameters in its manifest, and with these tables instead of its own. */
async function championOf(parameters: Record<string, string> | undefined, otherTables = {}) {
  const modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-champion-'));
  onTestFinished(() => rm(modelsDir, { recursive: true }));
  if (parameters !== undefined) {
    const { arrays, tables } = collaborativeToFiles(shopModel());
    const draft = {
      name: 'collaborative' as const,
      version,
      createdAt: '2026-01-01T00:00:00.000Z',
      featureSchema: null,
      dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2025-12-31T00:00:00.000Z' },
      parameters,
      metrics: {},
      backend: 'typed-arrays',
      gate: { passed: true, reason: 'a fixture' },
    };
    await publishModel(modelsDir, draft, arrays, { ...tables, ...otherTables });
  }
  return judgeChampion({ kernels, modelsDir, seed: 1, log: silentLog }, set, candidate, () => {});
}

test('another recipe that is served is fitted to the same log and judged on the same customers', async () => {
  const other: Recipe = { ...candidate, settings: { ...settings, buyAgainHorizonDays: 7 } };
  const champion = await championOf({ recipe: writeRecipe(other) });
  if ('skipped' in champion) throw new Error(champion.skipped);
  expect(champion.version).toBe(version);
  expect(servedOf(champion.evaluation.allPurchases).customers).toBe(1);
});

test.each([
  ['nothing is served', undefined, /^no version is served yet/],
  ['the recipe is the same', { recipe: writeRecipe(candidate) }, /which is served: its recipe is the same$/],
  ['the recipe cannot be read', { recipe: '{"settings":' }, /its recipe is of an earlier kind$/],
  ['there is no recipe', {}, /its recipe is of an earlier kind$/],
])('where %s, it is passed over and says why', async (_, parameters, reason) => {
  expect(await championOf(parameters)).toEqual({ skipped: expect.stringMatching(reason) });
});

test('a served version of another layout is passed over, lest no training ever take its place', async () => {
  const other: Recipe = { ...candidate, settings: { ...settings, buyAgainHorizonDays: 7 } };
  const champion = await championOf({ recipe: writeRecipe(other) }, { settings: { factors: 4 } });
  expect(champion).toEqual({ skipped: expect.stringMatching(/none that can be read/) });
});
