/** Real workers (the built `nextbest worker`) on a real Redis: what happens to jobs when processes come, fail and go. */
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ReceiptId } from '../../src/domain/erasure.ts';
import type { ShopEvent } from '../../src/domain/event.ts';
import type { ItemId } from '../../src/domain/ids.ts';
import type { JobStatus } from '../../src/domain/job.ts';
import { createRecordStore } from '../../src/features/record-store.ts';
import { FEATURE_SCHEMA, RECORD_SCHEMA } from '../../src/features/registry.ts';
import { listParts, openLake } from '../../src/history/lake.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import { openErasureFiles } from '../../src/infra/erasure-files.ts';
import { appendEntries } from '../../src/infra/event-log.ts';
import { createJobQueue, queueName } from '../../src/infra/job-queue.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { newModelVersion, publishModel } from '../../src/infra/model-store.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { currentVersion } from '../../src/infra/served-versions.ts';
import { createTombstones, neverErased } from '../../src/infra/tombstones.ts';
import { makeReceipt } from '../support/erasure-receipt.ts';
import { eventually } from '../support/eventually.ts';
import { type Running, sandbox, schedules } from '../support/nextbest.ts';
import { ownRedis } from '../support/own-redis.ts';
import { silentLog, testRedis } from '../support/redis.ts';
import { publishShopChurnModel } from '../support/shop-models.ts';
import { writeSimulatedEvents } from '../support/simulated-lake.ts';

const { redis, keys, prefix, url } = testRedis();
const jobs = createJobQueue(url, keys, silentLog);
const raw = new Queue(queueName, { connection: redis, prefix: keys.queuePrefix });
const place = await sandbox();
const served = newModelVersion(Date.UTC(2026, 0, 1), () => 0.5);

beforeAll(async () => {
  // Of today's layout, so that a worker does not begin with a refresh; one test asks for that.
  await redis.set(keys.recordsBuilt, RECORD_SCHEMA);
  const lake = await openLake(place.dataDir);
  await writeSimulatedEvents(lake, { customers: 700, items: 100, days: 400, seed: 5, end: '2026-05-31' });
  lake.close();
  await publishModel(
    place.modelsDir,
    {
      name: 'churn',
      version: served,
      createdAt: '2026-01-01T00:00:00.000Z',
      featureSchema: FEATURE_SCHEMA,
      dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
      parameters: {},
      metrics: {},
      backend: 'wasm-relaxed-simd',
      gate: { passed: true, reason: 'the first' },
    },
    {},
    {},
  );
});
afterAll(async () => {
  await raw.close();
  await jobs.close();
});

async function startWorker(env: Record<string, string> = {}): Promise<Running> {
  const own = { REDIS_URL: url, KEY_PREFIX: prefix, LOG_LEVEL: 'debug' };
  const worker = place.start(['worker'], { ...own, ...env });
  await worker.line('worker');
  return worker;
}

/** Process id of the sandbox, out of the log line that it writes when it is about to learn. */
async function learningSandbox(worker: Running): Promise<number> {
  return vi.waitFor(
    () => {
      const line = worker
        .stderr()
        .split('\n')
        .find((text) => text.includes('"tensorflow.backend"'));
      expect(line).toBeDefined();
      return JSON.parse(line!).pid as number;
    },
    { timeout: 200_000, interval: 10 },
  );
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a job runs in a process of its own, tells its progress, and publishes', async () => {
  const worker = await startWorker();
  const { jobId } = await jobs.enqueue('train-churn', { cutoff: Date.UTC(2026, 3, 1) });
  const seen: JobStatus['progress'][] = [];
  const status = await jobs.waitFor(jobId, (progress) => seen.push(progress));
  expect(status).toMatchObject({ state: 'completed', attempts: 1, progress: { share: 1 } });
  expect(status.result).toMatchObject({ job: 'train-churn', published: true });
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(status.result?.version);
  expect(await learningSandbox(worker)).not.toBe(worker.process.pid);
  const shares = seen.map(({ share }) => share);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(new Set(shares).size).toBeGreaterThan(2);
  expect(await worker.stop()).toBe(0);
});

test('a worker killed in the middle of training: the served model stands, its sandbox ends, another takes the job up', async () => {
  const before = await currentVersion(place.modelsDir, 'churn');
  const killed = await startWorker();
  const { jobId } = await jobs.enqueue('train-churn', {});
  const orphan = await learningSandbox(killed);
  killed.process.kill('SIGKILL');
  await eventually(() => expect(isRunning(orphan)).toBe(false));
  expect(await jobs.get(jobId)).toMatchObject({ state: 'active' });
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(before);

  const other = await startWorker();
  const status = await jobs.waitFor(jobId);
  expect(status).toMatchObject({ state: 'completed', attempts: 2 });
  expect(status.result?.published).toBe(true);
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(status.result?.version);
  expect(status.result?.version).not.toBe(before);
  expect(other.stderr()).toContain('"job.stalled"');
  expect(await other.stop()).toBe(0);
});

test('a worker that is told to end gives its job back at once, without a failed attempt', async () => {
  const worker = await startWorker();
  const { jobId } = await jobs.enqueue('train-churn', {});
  const child = await learningSandbox(worker);
  expect(await worker.stop()).toBe(0);
  expect(isRunning(child)).toBe(false);
  expect(await jobs.get(jobId)).toMatchObject({ state: 'waiting' });
  expect((await jobs.get(jobId))?.error).toBeUndefined();
  await (await raw.getJob(jobId))?.remove();
});

describe('a payload that is none', () => {
  let worker: Running;
  beforeAll(async () => {
    worker = await startWorker();
  });
  afterAll(() => worker.stop());

  test.each([
    ['train-churn', { cutoff: -5 }, 'the payload of train-churn is not valid: cutoff'],
    ['train-churn', { customerId: 'c1' }, 'the payload of train-churn is not valid'],
    ['refresh-features', { cutoff: 1, seed: 1 }, 'refresh-features takes no cutoff'],
    ['drop-everything', {}, 'there is no job "drop-everything"'],
  ])('of %s, %j, fails without another attempt', async (name, payload, reason) => {
    const job = await raw.add(name, payload, { attempts: 3, jobId: `${name}-latest` });
    await eventually(async () => expect(await job.getState()).toBe('failed'));
    const failed = await raw.getJob(String(job.id));
    expect(failed?.failedReason).toContain(reason);
    expect(failed?.attemptsMade).toBe(1);
    await failed?.remove();
  });
});

test('a worker over a Redis that has no records of this layout begins with a refresh', async () => {
  await redis.set(keys.recordsBuilt, 'another');
  const worker = await startWorker();
  const status = await jobs.waitFor('refresh-features-latest');
  expect(status).toMatchObject({ state: 'completed' });
  expect(status.result?.metrics.customers).toBeGreaterThan(500);
  expect(await redis.get(keys.recordsBuilt)).toBe(RECORD_SCHEMA);
  await worker.stop();
});

test('it moves accepted events into the lake, sets the schedule once, and shows both in its metrics', async () => {
  const event = { type: 'visit', eventId: 'e1', customerId: 'c1', occurredAt: Date.now(), channel: 'web' };
  await appendEntries(redis, keys, [{ kind: 'event', event: event as ShopEvent }]);
  const first = await startWorker(schedules(''));
  const second = await startWorker(schedules(''));
  await eventually(async () => expect(await redis.xlen(keys.eventStream)).toBe(0));
  const lake = await openLake(join(place.dataDir));
  expect((await listParts(lake, 'events')).some((name) => name.startsWith('stream-'))).toBe(true);
  lake.close();

  const schedulers = await raw.getJobSchedulers();
  expect(schedulers.map(({ key, pattern }) => `${key} ${pattern}`).sort()).toEqual([
    'check-drift 30 2 * * *',
    'refresh-features 0 2 * * *',
    'score-customers 0 4 * * *',
    'train-churn 0 3 * * *',
    'train-collaborative 0 3 * * *',
    'train-customer-value 0 3 * * *',
    'train-offers 0 3 * * *',
    'update-collaborative 30 * * * *',
  ]);
  const texts = await Promise.all(
    [first, second].map(async (worker) => {
      const { metricsUrl } = await worker.line('metricsUrl');
      return (await fetch(String(metricsUrl))).text();
    }),
  );
  for (const text of texts) {
    expect(text).toContain('nextbest_worker_jobs{state="delayed"} 8');
    expect(text).toContain('nextbest_worker_stream_entries 0');
  }
  const drained = texts.map((text) =>
    Number(/drained_entries_total\{outcome="written"\} (\d+)/.exec(text)?.[1]),
  );
  expect(drained.reduce((sum, count) => sum + count)).toBe(1);
  await Promise.all([first.stop(), second.stop()]);
});

test('a model that no longer fits its customers is trained anew, without being asked', async () => {
  const ownKeys = createKeys(`${prefix}-drift`);
  await redis.set(ownKeys.recordsBuilt, RECORD_SCHEMA);
  const asking = createJobQueue(url, ownKeys, silentLog);
  onTestFinished(asking.close);
  // Its risks are invented: nobody was lost as it says.
  const { version } = await publishShopChurnModel(place.modelsDir);
  const worker = place.start(['worker'], { REDIS_URL: url, KEY_PREFIX: `${prefix}-drift` });
  const { metricsUrl } = await worker.line('metricsUrl');
  const { jobId } = await asking.enqueue('check-drift', {});
  const checked = await asking.waitFor(jobId);
  expect(checked).toMatchObject({
    state: 'completed',
    result: { version, reason: expect.stringMatching(/^risks are off by .*a new training is asked for$/) },
  });
  expect(await asking.get('train-churn-latest')).toMatchObject({ job: 'train-churn' });
  const metrics = await (await fetch(String(metricsUrl))).text();
  expect(metrics).toContain('nextbest_worker_churn_drift_past_bounds 1');
  expect(await worker.stop()).toBe(0);
});

test('a schedule that is none is wrong usage', async () => {
  const { exitCode, stderr } = await place.run(['worker'], {
    REDIS_URL: url,
    KEY_PREFIX: prefix,
    TRAIN_SCHEDULE: '99 99 * * *',
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('  TRAIN_SCHEDULE: ');
});

describe('over a Redis of its own', () => {
  test('a worker waits out a restart of the server and then does what it is asked', async () => {
    const server = await ownRedis();
    onTestFinished(server.remove);
    await server.start();
    const worker = place.start(['worker'], { REDIS_URL: server.url, KEY_PREFIX: prefix });
    await worker.line('worker');
    const asking = createJobQueue(server.url, keys, silentLog);
    onTestFinished(asking.close);
    await asking.waitFor('refresh-features-latest');

    await server.kill();
    await eventually(() => expect(worker.stderr()).toContain('"redis.away"'));
    await server.start();
    await eventually(async () => expect(await asking.workersCount()).toBe(1));
    const { jobId } = await asking.enqueue('refresh-features', {});
    expect(await asking.waitFor(jobId)).toMatchObject({ state: 'completed' });
    expect(await worker.stop()).toBe(0);
  });

  test('a worker whose Redis comes back empty puts back records, catalogue, schedule, and who has been erased', async () => {
    const server = await ownRedis();
    onTestFinished(server.remove);
    await server.start();
    const client = connectRedis(server.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => client.disconnect());
    const files = await openErasureFiles(place.dataDir);
    const receiptId = `erasure-${'0'.repeat(24)}` as ReceiptId;
    await files.complete(makeReceipt({ receiptId, customerHash: files.hash('gone') }, 1000));
    const catalogue = createCatalogueStore(client, keys);
    const tea = { itemId: 'tea' as ItemId, name: 'Tea', category: 'hot', inStock: true, discontinued: false };
    const records = createRecordStore(client, keys);
    const asking = createJobQueue(server.url, keys, silentLog);
    onTestFinished(asking.close);
    const erased = createTombstones(client, keys, files);
    const customerId = 'c0000002';
    const whole = async () => {
      expect(await client.get(keys.recordsBuilt)).toBe(RECORD_SCHEMA);
      expect((await asking.counts()).delayed).toBe(8);
      expect(await erased.erasedAt(['gone', 'here'])).toEqual([1000, neverErased]);
      expect(await catalogue.getItem('tea')).toEqual(tea);
      expect(await records.read(customerId)).toBeDefined();
    };

    await appendEntries(client, keys, [{ kind: 'item', item: tea, at: 1000 }]);
    const worker = place.start(['worker'], { REDIS_URL: server.url, KEY_PREFIX: prefix });
    await eventually(whole);
    await client.flushall();
    await eventually(whole);
    expect(worker.stderr()).toContain('"redis.empty"');
    expect(await worker.stop()).toBe(0);
  });

  test('a server that evicts keys is refused', async () => {
    const server = await ownRedis();
    onTestFinished(server.remove);
    await server.start();
    const client = connectRedis(server.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => client.disconnect());
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    for (const command of ['worker', 'serve']) {
      const { exitCode, stderr } = await place.run([command], { REDIS_URL: server.url });
      expect(exitCode).toBe(2);
      expect(stderr).toContain('noeviction');
    }
  });
});
