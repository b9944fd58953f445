import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BatchRequest } from '../../src/domain/batch.ts';
import { createBatchQueue } from '../../src/infra/batch-queue.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { keys, url } = testRedis();

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
