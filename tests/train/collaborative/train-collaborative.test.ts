/** Trains on a simulated shop whose customers have tastes and rhythms: collaborative filtering must find them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collaborativeFromFiles } from '../../../src/algorithms/collaborative-model.ts';
import { fuseSources, rankSources, scoreSources } from '../../../src/algorithms/collaborative-ranking.ts';
import { contentFactorsOf } from '../../../src/algorithms/content-factors.ts';
import { RANKER_SOURCES } from '../../../src/algorithms/ranker/sources.ts';
import { createRng, cumulativeWeights } from '../../../src/algorithms/rng.ts';
import { Item, type ItemInput } from '../../../src/domain/item.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import { type Lake, openLake, writePart } from '../../../src/history/lake.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { listModels, loadModel } from '../../../src/infra/model-store.ts';
import { currentVersion } from '../../../src/infra/served-versions.ts';
import { trainCollaborative } from '../../../src/train/collaborative/train-collaborative.ts';
import { simulated } from '../../simulation/in-memory.ts';
import { testKernels } from '../../support/kernels.ts';
import { testLake } from '../../support/lake.ts';
import { silentLog } from '../../support/redis.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const shop = { customers: 800, items: 120, days: 300, seed: 3, end: '2026-05-31' };
const now = Date.UTC(2026, 5, 1);
const cutoff = Date.UTC(2026, 4, 10);

const kernels = await testKernels();
let folder: string;
let lake: Lake;
let items: ItemInput[];
let first: JobResult;
const progress: { share: number; stage: string }[] = [];
const modelsDir = () => join(folder, 'models');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-collaborative-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, shop);
  ({ items } = await simulated({ ...shop, customers: 1 }));
  await writeCatalogue(lake);
  first = await train({ report: (share, stage) => void progress.push({ share, stage }) });
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

function writeCatalogue(to: Lake): Promise<void> {
  const catalogue = items.map((item) => ({ kind: 'item' as const, item: Item.parse(item), at: now }));
  return writeEntries(to, 'import-items', { events: [], catalogue, decisions: [] });
}

function train(change: Partial<Parameters<typeof trainCollaborative>[0]> = {}): Promise<JobResult> {
  return trainCollaborative({
    lake,
    kernels,
    modelsDir: modelsDir(),
    seed: 1,
    now,
    random: Math.random,
    log: silentLog,
    report: () => {},
    ...change,
  });
}

test('it beats popularity in recall and NDCG by far, with factors alone too, and is published', async () => {
  expect(first).toMatchObject({ job: 'train-collaborative', model: 'collaborative', published: true });
  const { metrics } = first;
  for (const figure of ['RecallAt10', 'NdcgAt10']) {
    const popularity = metrics[`popularity${figure}`]!;
    expect(metrics[figure.charAt(0).toLowerCase() + figure.slice(1)]).toBeGreaterThan(1.5 * popularity);
    expect(metrics[`ials${figure}`]).toBeGreaterThan(1.2 * popularity);
    expect(metrics[`newItems${figure}`]).toBeGreaterThan(metrics[`newItemsPopularity${figure}`]!);
  }
  expect(first.reason).toMatch(/beats popularity \(.*, 95 % \+.* to \+/);
  expect(first.reason).toContain('no version is served yet');
  expect(await currentVersion(modelsDir(), 'collaborative')).toBe(first.version);
});

test('what content tells of factors is published with them, for items that nobody has bought', async () => {
  const { arrays, tables } = await loadModel(modelsDir(), 'collaborative');
  const { content, factors } = collaborativeFromFiles(arrays, tables);
  const [item] = items;
  if (content === undefined || item === undefined) throw new Error('no content');
  expect(content.tokens).toContain(`category:${item.category}`);
  expect(contentFactorsOf(content, { category: item.category ?? '', name: 'new' })).toHaveLength(factors);
});

test('what is published is what serving reads, and it ranks', async () => {
  const { manifest, arrays, tables } = await loadModel(modelsDir(), 'collaborative');
  expect(manifest).toMatchObject({
    version: first.version,
    metrics: first.metrics,
    backend: expect.stringContaining(`wasm-${kernels.build}`),
  });
  const model = collaborativeFromFiles(arrays, tables);
  expect(model.itemIds).toHaveLength(Number(manifest.parameters.items));
  expect(manifest.parameters.ease).toBe('fitted');
  expect(model.asOf).toBe(Date.parse(manifest.dataRange.to) + 1);
  const item = 5;
  const history = [{ item, purchaseCount: 1, firstAt: model.asOf, lastAt: model.asOf }];
  const lists = rankSources(scoreSources(model, { history, now }), 60);
  expect(fuseSources(model.fusion, lists, 10)).toHaveLength(10);
});

test('the learned ranker is above every source alone', async () => {
  const { manifest, arrays, tables } = await loadModel(modelsDir(), 'collaborative');
  expect(manifest.parameters.ranking).not.toBe('fusion');
  expect(manifest.parameters.rankingChoice).toMatch(/^the (linear|network) ranker by the mean of recall@10/);
  const ranker = collaborativeFromFiles(arrays, tables).ranker;
  expect(ranker?.featureNames.join(' ')).toBe(manifest.parameters.rankerFeatures);
  for (const source of RANKER_SOURCES)
    expect(first.metrics.ndcgAt10, source).toBeGreaterThan(first.metrics[`${source}NdcgAt10`]!);
});

test('progress rises from 0 to 1 and names every stage', () => {
  const shares = progress.map(({ share }) => share);
  expect(shares[0]).toBe(0);
  expect(shares.at(-1)).toBe(1);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(new Set(progress.map(({ stage }) => stage)).size).toBeGreaterThanOrEqual(6);
});

test('with a cutoff it is as if later events did not exist', async () => {
  const small = { ...shop, customers: 250, items: 60 };
  const all = await testLake();
  const past = await testLake();
  for (const one of [all, past]) {
    await writeSimulatedEvents(one, small);
    // The catalogue is today's in both: what an item is does not change with the cut-off.
    await writeCatalogue(one);
  }
  await past.connection.run(`CREATE TABLE past AS SELECT * FROM ${past.from('events')}`);
  await writePart(
    past,
    'events',
    'import-simulated',
    `SELECT * FROM past WHERE "occurredAt" < make_timestamp(${cutoff}000)`,
  );
  const eventsIn = async (one: Lake) =>
    (
      await one.connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${one.from('events')}`)
    ).getRows()[0]?.[0];
  expect(Number(await eventsIn(all))).toBeGreaterThan(1.05 * Number(await eventsIn(past)));
  const cut = await train({ lake: all, cutoff, modelsDir: join(folder, 'cut') });
  const whole = await train({ lake: past, modelsDir: join(folder, 'past') });
  expect(cut.metrics).toEqual(whole.metrics);
  const files = async (name: string) => (await loadModel(join(folder, name), 'collaborative')).manifest.files;
  expect(await files('cut')).toEqual(await files('past'));
});

test('where customers have no taste, popularity is not beaten: the version is kept, not served, and says why', async () => {
  const rng = createRng(2);
  const popularity = cumulativeWeights(Array.from({ length: 40 }, (_, i) => 1 / (i + 1)));
  const rows = Array.from(
    { length: 4000 },
    (_, n) =>
      `('${n}', 'c${rng.nextInt(200)}', ${rng.nextInt(200 * 86_400)}, 'i${rng.categorical(popularity)}')`,
  );
  const tasteless = await testLake();
  await writePart(
    tasteless,
    'events',
    'import-tasteless',
    `SELECT 'e' || id AS "eventId", 0::INTEGER AS line, 'purchase' AS type, customer AS "customerId",
       NULL::VARCHAR AS "sessionId", TIMESTAMP '2025-01-01' + to_seconds(second) AS "occurredAt", 'web' AS channel,
       id AS "orderId", item AS "itemId", NULL::VARCHAR AS category, 1::INTEGER AS quantity,
       NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", NULL::VARCHAR AS detail
     FROM (VALUES ${rows.join(', ')}) t(id, customer, second, item)`,
  );
  const dir = join(folder, 'tasteless');
  const result = await train({ lake: tasteless, modelsDir: dir });
  expect(result).toMatchObject({
    published: false,
    reason: expect.stringContaining('does not beat popularity'),
  });
  expect(await currentVersion(dir, 'collaborative')).toBeUndefined();
  expect((await listModels(dir)).map(({ manifest }) => [manifest.version, manifest.gate.reason])).toEqual([
    [result.version, result.reason],
  ]);
});

test('an empty lake, and one with too few customers, are answered in words', async () => {
  const empty = await testLake();
  expect(await train({ lake: empty })).toEqual({
    job: 'train-collaborative',
    model: 'collaborative',
    published: false,
    reason: 'there are no purchases by known customers to learn from',
    metrics: {},
  });
  const young = await testLake();
  await writeSimulatedEvents(young, { ...shop, customers: 10 });
  const result = await train({ lake: young });
  expect(result.published).toBe(false);
  expect(result.reason).toMatch(
    /too few (customers to test on|items to recommend from): \d+ .* of at least \d+/,
  );
});
