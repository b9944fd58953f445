/**
 * What erasing needs beside its clients, opened out of the settings: for the worker's child process, and for whoever measures
 * the same work.
 */
import { Queue } from 'bullmq';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { openLake } from '../../history/lake.ts';
import { batchQueueName } from '../../infra/batch-queue.ts';
import type { Config } from '../../infra/config.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import { createKeys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { createTombstones } from '../../infra/tombstones.ts';
import { webhookQueueName } from '../../infra/webhook-queue.ts';
import type { ErasureDeps } from './run-erasures.ts';

export type Erasing = {
  deps: ErasureDeps;
  /** Closes what was opened here; the clients are the caller's. */
  close: () => Promise<void>;
};

export async function openErasing({
  config,
  redis,
  queueRedis,
  log,
}: {
  config: ErasureDeps['config'] & Pick<Config, 'keyPrefix'>;
  redis: Redis;
  queueRedis: Redis;
  log: ErasureDeps['log'];
}): Promise<Erasing> {
  const keys = createKeys(config.keyPrefix);
  const open = (name: string) => {
    const queue = new Queue(name, { connection: queueRedis, prefix: keys.queuePrefix });
    // The client logs that Redis is away; without a listener an error would end the process.
    queue.on('error', () => {});
    return queue;
  };
  const lake = await openLake(config.dataDir);
  const notices = open(webhookQueueName);
  const batches = open(batchQueueName);
  const close = async () => {
    await notices.close();
    await batches.close();
    lake.close();
  };
  try {
    const files = await openErasureFiles(config.dataDir);
    const tombstones = createTombstones(redis, keys, files);
    const budgets = createBudgetLedger(redis, keys);
    const records = createRecordStore(redis, keys);
    const stores = { keys, lake, files, tombstones, budgets, records, notices, batches };
    return { deps: { config, redis, queueRedis, ...stores, log, now: Date.now }, close };
  } catch (err) {
    await close();
    throw err;
  }
}
