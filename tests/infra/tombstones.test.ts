/** Who has been erased stays known when Redis is lost: customers, and the sessions that they were known in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CustomerId } from '../../src/domain/ids.ts';
import { openErasureFiles } from '../../src/infra/erasure-files.ts';
import { createTombstones, neverErased } from '../../src/infra/tombstones.ts';
import { makeReceipt } from '../support/erasure-receipt.ts';
import { testRedis } from '../support/redis.ts';

const { redis, keys } = testRedis();

test('a lost Redis learns from requests and receipts whose events to refuse, until the latest of them', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tombstones-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const files = await openErasureFiles(dataDir);
  const tombstones = createTombstones(redis, keys, files);
  const erasedAt = () => tombstones.erasedAt(['anna', 'session:a', 'bert', 'session:b', 'carl']);

  const begun = await files.request('bert' as CustomerId, 2000);
  await files.update({ ...begun, sessionHashes: [files.hash('session:b')] });
  const asked = await files.request('anna' as CustomerId, 1000);
  const receipt = makeReceipt(
    {
      receiptId: asked.receiptId,
      customerHash: asked.customerHash,
      sessionHashes: [files.hash('session:a')],
    },
    1000,
  );
  await files.complete(receipt);
  expect(await erasedAt()).toEqual([neverErased, neverErased, neverErased, neverErased, neverErased]);
  await tombstones.restore();
  expect(await erasedAt()).toEqual([1000, 1000, 2000, 2000, neverErased]);

  // Erased anew since, and a receipt from before sessions were written down.
  const { sessionHashes: _, ...old } = { ...receipt, requestedAt: new Date(3000).toISOString() };
  await files.complete(old);
  await tombstones.restore();
  expect(await erasedAt()).toEqual([3000, 1000, 2000, 2000, neverErased]);
});
