/** Trains on a simulated shop up to a day, and brings the model up to date with what was bought after it. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collaborativeFromFiles, similarItems } from '../../../src/algorithms/collaborative-model.ts';
import { CustomerId } from '../../../src/domain/ids.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { type Lake, openLake, writePart } from '../../../src/history/lake.ts';
import { dueAtOf, openErasureFiles } from '../../../src/infra/erasure-files.ts';
import { loadModel } from '../../../src/infra/model-store.ts';
import { currentVersion } from '../../../src/infra/served-versions.ts';
import { trainCollaborative } from '../../../src/train/collaborative/train-collaborative.ts';
import { updateCollaborative } from '../../../src/train/collaborative/update-collaborative.ts';
import { makeReceipt } from '../../support/erasure-receipt.ts';
import { testKernels } from '../../support/kernels.ts';
import { silentLog } from '../../support/redis.ts';
import { writeSimulatedEvents } from '../../support/simulated-lake.ts';

const kernels = await testKernels();
/** Just after the last day of the shop. */
const trainedAt = Date.UTC(2026, 5, 1);
let folder: string;
let lake: Lake;
let trained: JobResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nextbest-update-'));
  lake = await openLake(folder);
  await writeSimulatedEvents(lake, { customers: 400, items: 80, days: 240, seed: 3, end: '2026-05-31' });
  trained = await run(trainCollaborative, trainedAt);
});
afterAll(async () => {
  lake.close();
  await rm(folder, { recursive: true });
});

function run(job: typeof updateCollaborative, now: number): Promise<JobResult> {
  const report = () => {};
  const modelsDir = join(folder, 'models');
  return job({
    lake,
    kernels,
    modelsDir,
    dataDir: folder,
    seed: 1,
    now,
    random: Math.random,
    log: silentLog,
    report,
  });
}

async function served() {
  const { manifest, arrays, tables } = await loadModel(join(folder, 'models'), 'collaborative');
  return { manifest, model: collaborativeFromFiles(arrays, tables) };
}

/** Those who bought `like` buy the new item, each together with it. */
function sell(newItem: string, like: string, at: number): Promise<void> {
  return writePart(
    lake,
    'events',
    `import-${newItem}`,
    `SELECT 'new-' || "customerId" AS "eventId", line::INTEGER AS line, 'purchase' AS type, "customerId",
       NULL::VARCHAR AS "sessionId", make_timestamp(${at}000) AS "occurredAt", 'web' AS channel,
       'new-' || "customerId" AS "orderId", item AS "itemId", NULL::VARCHAR AS category, 1::INTEGER AS quantity,
       NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", NULL::VARCHAR AS detail
     FROM (SELECT DISTINCT "customerId" FROM ${lake.from('events')}
           WHERE type = 'purchase' AND "itemId" = '${like}' AND "customerId" IS NOT NULL),
       (VALUES (0, '${newItem}'), (1, '${like}')) lines(line, item)`,
  );
}

test('without anything new nothing is published', async () => {
  expect(trained.published).toBe(true);
  expect(await run(updateCollaborative, trainedAt + 3_600_000)).toEqual({
    job: 'update-collaborative',
    model: 'collaborative',
    published: false,
    reason: `nothing was bought since ${trained.version} was made`,
    metrics: {},
  });
  expect(await currentVersion(join(folder, 'models'), 'collaborative')).toBe(trained.version);
});

test('a new item is served an hour later, known by those who bought it, and the version says what it is based on', async () => {
  const before = await served();
  const like = before.model.itemIds[5]!;
  await sell('novelty', like, trainedAt + 1000);
  const result = await run(updateCollaborative, trainedAt + 3_600_000);
  expect(result).toMatchObject({ job: 'update-collaborative', published: true });
  expect(result.metrics.newItemsFoldedIn).toBe(1);
  const { manifest, model } = await served();
  expect(manifest.version).toBe(result.version);
  expect(manifest.parameters.basedOn).toBe(trained.version);
  expect(manifest.parameters.trainedAt).toBe(new Date(trainedAt).toISOString());
  expect(model.ranker).toEqual(before.model.ranker);

  const novelty = model.itemIndex.get('novelty')!;
  const liked = model.itemIndex.get(like)!;
  expect([...similarItems(model, novelty, 20).indices]).toContain(liked);
  const together = model.boughtTogether;
  const [from, to] = [together.indptr[novelty], together.indptr[novelty + 1]];
  expect([...together.indices.subarray(from, to)]).toContain(liked);
  expect(model.popularity[novelty]).toBeGreaterThan(0);
  // Known items keep their factors.
  const row = ({ itemFactors, factors }: typeof model, i: number) =>
    itemFactors.subarray(i * factors, (i + 1) * factors);
  expect(row(model, liked)).toEqual(row(before.model, before.model.itemIndex.get(like)!));

  // The next training starts from it.
  const next = await run(trainCollaborative, trainedAt + 2 * dayMs);
  const retrained = await loadModel(join(folder, 'models'), 'collaborative', next.version!);
  expect(retrained.manifest.parameters.warmStartFrom).toBe(result.version);
});

test('after an erasure the next training begins from nothing', async () => {
  const completedAt = trainedAt + 3 * dayMs;
  const erasures = await openErasureFiles(folder);
  const { receiptId, customerHash } = await erasures.request(CustomerId.parse('anna'), completedAt);
  await erasures.complete(makeReceipt({ receiptId, customerHash, dueAt: dueAtOf(completedAt) }, completedAt));
  const { version } = await run(trainCollaborative, trainedAt + 4 * dayMs);
  const { manifest } = await loadModel(join(folder, 'models'), 'collaborative', version!);
  expect(manifest.parameters.warmStartFrom).toBeUndefined();
});

test('a training of days ago is not updated any more: its age is to be seen', async () => {
  const result = await run(updateCollaborative, trainedAt + 30 * dayMs);
  expect(result.published).toBe(false);
  expect(result.reason).toContain('days ago');
});
