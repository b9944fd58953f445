import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { createJobQueue, queueName } from '../../src/infra/job-queue.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, keys, prefix, url } = testRedis();
const queue = createJobQueue(url, keys, silentLog);
const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close(true)));
  const raw = new Queue(queueName, { connection: redis, prefix: keys.queuePrefix });
  await raw.obliterate({ force: true });
  await raw.close();
});
afterAll(() => queue.close());

type Process = (job: Job) => Promise<unknown>;

/** A worker in this process that does `work`; the real one is tested where it lives. */
function work(process: Process): void {
  const connection = connectRedis(url, 'tests', { kind: 'patient' }, silentLog);
  const worker = new Worker(queueName, process, {
    connection,
    prefix: keys.queuePrefix,
  });
  worker.on('error', () => {});
  worker.on('closed', () => connection.disconnect());
  workers.push(worker);
}

const result = { job: 'train-churn', published: true, metrics: { auc: 0.8 } };

describe('a second click', () => {
  test('while the job waits is the same job', async () => {
    const first = await queue.enqueue('train-churn', {});
    const second = await queue.enqueue('train-churn', {});
    expect(second).toEqual(first);
    expect(first).toEqual({ jobId: 'train-churn-latest', state: 'waiting' });
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
  });

  test('by many at once is one job', async () => {
    const clicks = await Promise.all(Array.from({ length: 20 }, () => queue.enqueue('train-churn', {})));
    expect(new Set(clicks.map(({ jobId }) => jobId)).size).toBe(1);
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
  });

  test('while it runs is the same job', async () => {
    let finish = () => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    work(async () => {
      await held;
      return result;
    });
    const { jobId } = await queue.enqueue('train-churn', {});
    await eventually(async () => expect((await queue.get(jobId))?.state).toBe('active'));
    expect(await queue.enqueue('train-churn', {}, { force: true })).toEqual({ jobId, state: 'active' });
    finish();
    expect(await queue.waitFor(jobId)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, completed: 1 });
  });

  test('with another cut-off or seed is another job', async () => {
    const ids = [
      await queue.enqueue('train-churn', {}),
      await queue.enqueue('train-churn', { cutoff: 1_700_000_000_000 }),
      await queue.enqueue('train-churn', { cutoff: 1_700_000_000_000, seed: 7 }),
      await queue.enqueue('refresh-features', {}),
    ].map(({ jobId }) => jobId);
    expect(ids).toEqual([
      'train-churn-latest',
      'train-churn-1700000000000',
      'train-churn-1700000000000-seed7',
      'refresh-features-latest',
    ]);
    expect((await queue.list()).map(({ jobId }) => jobId).sort()).toEqual([...ids].sort());
  });
});

describe('a job that has completed', () => {
  const runs: string[] = [];
  const count = async (job: Job) => {
    runs.push(String(job.id));
    return result;
  };
  afterEach(() => void runs.splice(0));

  test('on all that there is runs again when asked', async () => {
    work(count);
    for (let n = 0; n < 2; n++) await queue.waitFor((await queue.enqueue('train-churn', {})).jobId);
    expect(runs).toEqual(['train-churn-latest', 'train-churn-latest']);
  });

  test('up to a fixed cut-off stands, unless it is forced', async () => {
    work(count);
    const payload = { cutoff: 1_700_000_000_000 };
    const { jobId } = await queue.enqueue('train-churn', payload);
    await queue.waitFor(jobId);
    expect(await queue.enqueue('train-churn', payload)).toEqual({ jobId, state: 'completed' });
    expect((await queue.get(jobId))?.result).toEqual(result);
    expect(runs).toHaveLength(1);
    await queue.enqueue('train-churn', payload, { force: true });
    await queue.waitFor(jobId);
    expect(runs).toHaveLength(2);
  });
});

test('a job that has failed runs again when asked', async () => {
  let fail = true;
  work(async () => {
    if (fail) throw new UnrecoverableError('no purchases');
    return result;
  });
  const { jobId } = await queue.enqueue('train-churn', { cutoff: 1_700_000_000_000 });
  expect(await queue.waitFor(jobId)).toMatchObject({ state: 'failed', error: 'no purchases', attempts: 1 });
  fail = false;
  await queue.enqueue('train-churn', { cutoff: 1_700_000_000_000 });
  expect(await queue.waitFor(jobId)).toMatchObject({ state: 'completed', result });
});

test('whoever waits hears of the progress', async () => {
  let heard = () => {};
  const half = new Promise<void>((resolve) => {
    heard = resolve;
  });
  work(async (job) => {
    await job.updateProgress({ share: 0.5, stage: 'training' });
    await half;
    return result;
  });
  const { jobId } = await queue.enqueue('train-churn', {});
  const shares: number[] = [];
  await queue.waitFor(jobId, ({ share, stage }) => {
    shares.push(share);
    if (share === 0.5 && stage === 'training') heard();
  });
  expect(shares).toContain(0.5);
});

test('workers are counted while they are connected', async () => {
  expect(await queue.workersCount()).toBe(0);
  work(async () => result);
  await eventually(async () => expect(await queue.workersCount()).toBe(1));
});

test('names and payloads that are none are refused', async () => {
  await expect(queue.enqueue('drop-everything' as never, {})).rejects.toThrow('must be one of');
  await expect(queue.enqueue('train-churn', { cutoff: -1 })).rejects.toThrow('must be above 0');
  await expect(queue.enqueue('train-churn', { customerId: 'c1' } as never)).rejects.toThrow('has no');
});

test('ids that are none of ours find nothing, whatever BullMQ keeps under that name', async () => {
  await queue.enqueue('train-churn', {});
  for (const id of ['meta', 'wait', 'events', 'repeat', 'train-churn-', 'train-churn-latest:lock', ''])
    expect(await queue.get(id)).toBeUndefined();
  await expect(queue.waitFor('meta')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a wait can be given up', async () => {
  const { jobId } = await queue.enqueue('train-churn', {});
  await expect(queue.waitFor(jobId, () => {}, AbortSignal.abort(new Error('given up')))).rejects.toThrow(
    'given up',
  );
});

test('with no server to reach, asking fails as unavailable instead of waiting', async () => {
  const away = createJobQueue('redis://127.0.0.1:1', createKeys(prefix), silentLog);
  const err = await away.enqueue('train-churn', {}).catch((reason: unknown) => reason);
  expect(err).toBeInstanceOf(AppError);
  expect((err as AppError).code).toBe('STORE_UNAVAILABLE');
  await away.close();
});
