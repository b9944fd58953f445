/** Factors of another engine: here ours, written to a file as Spark writes its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CollaborativeModel,
  collaborativeFromFiles,
  foldInUser,
  scoreAllItems,
} from '../../../src/algorithms/collaborative-model.ts';
import { topK } from '../../../src/algorithms/top-k.ts';
import { type Lake, openLake } from '../../../src/history/lake.ts';
import { loadModel } from '../../../src/infra/model-store.ts';
import { currentVersion } from '../../../src/infra/served-versions.ts';
import { fitCollaborative } from '../../../src/train/collaborative/fit-model.ts';
import { importFactors } from '../../../src/train/collaborative/import-factors.ts';
import { readFactors } from '../../../src/train/collaborative/read-factors.ts';
import { defaultSettings } from '../../../src/train/collaborative/settings.ts';
import { loadShopLog } from '../../../src/train/collaborative/shop-log.ts';
import { testKernels } from '../../support/kernels.ts';
import { silentLog } from '../../support/redis.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const now = Date.UTC(2026, 5, 1);
const learnedBefore = Date.UTC(2026, 4, 4);
/** No multiple of four. */
const size = 14;

const kernels = await testKernels();
let folder: string;
let lake: Lake;
let ours: CollaborativeModel;
/** By item, as JSON lists. */
let rows: [itemId: string, factors: number[]][];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-import-factors-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, { customers: 500, items: 100, days: 240, seed: 3, end: '2026-05-31' });
  const log = await loadShopLog(lake, { before: learnedBefore, withBrowsing: true });
  const settings = { ...defaultSettings, ials: { ...defaultSettings.ials, factors: size } };
  ours = await fitCollaborative(kernels, log, settings, learnedBefore, 1, () => {});
  const width = ours.factors;
  rows = ours.itemIds.map((id, i) => [id, [...ours.itemFactors.subarray(i * width, i * width + size)]]);
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

const training = () => ({
  lake,
  kernels,
  modelsDir: join(folder, 'models'),
  seed: 1,
  now,
  random: Math.random,
  log: silentLog,
  report: () => {},
});

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const ndjson = () => rows.map(([id, features]) => JSON.stringify({ id, features })).join('\n');

test('CSV, NDJSON and Parquet say the same', async () => {
  const lines = rows.map(([id, factors]) => `${id};"[${factors.join(',')}]"`);
  const csv = await fileOf('factors.csv', `itemId;factors\n${lines.join('\n')}\n`);
  const json = await fileOf('factors.ndjson', ndjson());
  const parquet = join(folder, 'factors.parquet');
  await lake.connection.run(
    `COPY (SELECT id AS "itemId", features::FLOAT[] AS factors FROM read_json('${json}')) TO '${parquet}' (FORMAT parquet)`,
  );
  const read = await readFactors([csv], lake.connection);
  expect(read.size).toBe(size);
  expect([...read.byItem]).toEqual(rows.map(([id, factors]) => [id, Float32Array.from(factors)]));
  expect(await readFactors([json], lake.connection)).toEqual(read);
  expect(await readFactors([parquet], lake.connection)).toEqual(read);
});

test('a model around them recommends as the engine would, beats popularity on what came after, and is served', async () => {
  const factors = await readFactors([await fileOf('served.ndjson', ndjson())], lake.connection);
  const result = await importFactors(training(), { factors, alpha: 10, regularization: 0.01, learnedBefore });
  expect(result).toMatchObject({ model: 'collaborative', published: true });
  expect(result.metrics.recallAt10).toBeGreaterThan(result.metrics.popularityRecallAt10 ?? 1);
  expect(await currentVersion(training().modelsDir, 'collaborative')).toBe(result.version);
  const { arrays, tables, manifest } = await loadModel(training().modelsDir, 'collaborative');
  expect(manifest.parameters).toMatchObject({ importedFactors: rows.length, givenFactors: size, alpha: 10 });
  const model = collaborativeFromFiles(arrays, tables);
  expect(model.factors).toBe(16);
  const bought = ['a', 'b'].map((_, n) => n * 7);
  const best = (one: CollaborativeModel) => {
    const items = Int32Array.from(bought, (item) => one.itemIndex.get(ours.itemIds[item] ?? '') ?? -1);
    const scores = scoreAllItems(one, foldInUser(one, items, Float32Array.of(1, 1)));
    return [...topK(scores, 10).indices].map((item) => one.itemIds[item]);
  };
  // Folded in with other weights than ours: mostly the same items.
  expect(best(model).filter((id) => best(ours).includes(id)).length).toBeGreaterThan(5);
});

test('without a word of when they were learned, they are kept and not served', async () => {
  const before = await currentVersion(training().modelsDir, 'collaborative');
  const factors = await readFactors([await fileOf('kept.ndjson', ndjson())], lake.connection);
  const since = Date.UTC(2026, 3, 1);
  const result = await importFactors(training(), { factors, alpha: 1, regularization: 0.1, since });
  expect(result).toMatchObject({ published: false, reason: expect.stringContaining('not judged') });
  expect(await currentVersion(training().modelsDir, 'collaborative')).toBe(before);
  const { manifest } = await loadModel(training().modelsDir, 'collaborative', result.version as never);
  expect(Date.parse(manifest.dataRange.from)).toBeGreaterThanOrEqual(since);
});

test.each([
  ['itemId,vector\na,"[1,2]"', /no column factors \(nor features\)\. Its columns are itemId, vector/],
  ['itemId,factors\na,"[1,2]"\nb,"[1]"', /item "b" has 1 factors, where others have 2/],
  ['itemId,factors\na,"[1,2]"\na,"[1,3]"', /item "a" is there twice/],
  ['itemId,factors\na,lots', /item "a" are no list/],
  ['itemId,factors\na,"[1,NaN]"', /item "a" are no list/],
  ['itemId,factors\n,"[1,2]"', /no item id/],
  ['itemId,factors\n', /no factors in it/],
])('%j is refused with the cure', async (text, message) => {
  const path = await fileOf('wrong.csv', text);
  await expect(readFactors([path], lake.connection)).rejects.toThrow(message);
});

test('ids that are not the shop’s are refused', async () => {
  const path = await fileOf(
    'numbered.csv',
    `itemId,factors\n${rows.map((_, i) => `${i},"[1,2,3,4]"`).join('\n')}`,
  );
  const factors = await readFactors([path], lake.connection);
  await expect(importFactors(training(), { factors, alpha: 1, regularization: 1 })).rejects.toThrow(
    /Only 0 % of the \d+ items .* the shop’s own item ids/,
  );
});
