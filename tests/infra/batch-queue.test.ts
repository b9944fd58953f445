import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BatchRequest } from '../../src/domain/batch.ts';
import { dayMs } from '../../src/domain/time.ts';
import { batchFolder } from '../../src/infra/batch-files.ts';
import { createBatchQueue } from '../../src/infra/batch-queue.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { keys, url } = testRedis();

test('what was completed a day ago is made anew, under an id of its own; what was broken off goes on', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-batch-queue-'));
  const queue = createBatchQueue(url, keys, dataDir, silentLog);
  onTestFinished(async () => {
    await queue.close();
    await rm(dataDir, { recursive: true });
  });
  const request = BatchRequest.parse({ customerIds: ['anna'], channel: 'web', campaign: 'weekly' });
  const monday = Date.UTC(2026, 10, 23, 22);
  const { jobId } = await queue.start(request, monday);
  await queue.cancel(jobId);
  expect((await queue.start(request, monday + 3 * dayMs)).jobId).toBe(jobId);
  // Nothing waits for another test to find.
  await queue.cancel(jobId);
  const finishedAt = monday + 4 * dayMs;
  await batchFolder(dataDir, jobId).finish(finishedAt);
  expect(await queue.start(request, finishedAt + dayMs - 1)).toMatchObject({ jobId, state: 'completed' });
  const anew = await queue.start(request, finishedAt + dayMs);
  expect(anew.state).toBe('waiting');
  expect(anew.jobId).not.toBe(jobId);
  expect(anew.createdAt).toBe(new Date(finishedAt + dayMs).toISOString());
  expect((await queue.start(request, finishedAt + 1.5 * dayMs)).jobId).toBe(anew.jobId);
  expect((await queue.get(jobId))?.state).toBe('completed');
  await queue.cancel(anew.jobId);
});

test('past so many lists that wait another is refused, and nothing of it is kept; one that waits is answered', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-batch-queue-'));
  const queue = createBatchQueue(url, keys, dataDir, silentLog, { waitingMax: 2 });
  onTestFinished(async () => {
    await queue.close();
    await rm(dataDir, { recursive: true });
  });
  const start = (campaign: string) =>
    queue.start(BatchRequest.parse({ customerIds: ['anna'], channel: 'web', campaign }), 0);
  const first = await start('one');
  await start('two');
  const refused = { code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 60 };
  await expect(start('three')).rejects.toMatchObject(refused);
  expect(await readdir(join(dataDir, 'batches'))).toHaveLength(2);
  expect(await start('one')).toEqual(first);
  await queue.cancel(first.jobId);
  expect((await start('three')).state).toBe('waiting');
  await expect(queue.resume(first.jobId)).rejects.toMatchObject(refused);
  expect((await queue.get(first.jobId))?.state).toBe('cancelled');
});
