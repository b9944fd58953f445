/**
 * `nextbest bench erase`: customers of a simulated lake are erased, all of them due at once, by what the worker runs: found, taken out of
 * the lake, records and streams, looked for again, and receipted. Without the time that is left to readers of files (ERASURE_SETTLE_MS).
 */
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { createBudgetLedger } from '../../decide/ledger/offer-budget.ts';
import { CustomerId } from '../../domain/ids.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { openLake } from '../../history/lake.ts';
import { batchQueueName } from '../../infra/batch-queue.ts';
import { readConfig } from '../../infra/config.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import { createKeys } from '../../infra/keys.ts';
import { createTombstones } from '../../infra/tombstones.ts';
import { webhookQueueName } from '../../infra/webhook-queue.ts';
import { runErasures } from '../../train/erase/run-erasures.ts';
import { openBenchPlace } from './bench-place.ts';
import { leastTimes } from './measure.ts';
import { keyPrefix } from './prepared-shop.ts';
import { runCommand } from './run-command.ts';
import { writeSimulatedPart } from './simulated-lake.ts';

export type EraseBenchOptions = {
  /** Who are erased. */
  customers: number;
  /** Customers of the simulated shop; their records are in Redis. */
  shop: number;
  seed: number;
};

export type EraseBenchLine = {
  name: 'erase';
  customers: number;
  shop: number;
  /** Of the lake's events. */
  rows: number;
  /** That are gone with them. */
  erasedRows: number;
  wallSeconds: number;
  cpuSeconds: number;
  erasuresPerSecond: number;
  /** At this rate, in minutes. */
  minutesFor10000: number;
};

/** The worker asks once a minute what is due: more rounds than these are a fault. */
const roundsMax = 10;

export async function benchErase(
  { customers, shop, seed }: EraseBenchOptions,
  say: (text: string) => void,
): Promise<EraseBenchLine> {
  const place = await openBenchPlace(undefined);
  const { root, folders, env, redis, log } = place;
  const keys = createKeys(keyPrefix);
  const config = readConfig({ ...folders, ERASURE_SETTLE_MS: '0', PATH: process.env.PATH });
  const lake = await openLake(folders.DATA_DIR);
  const queues = [webhookQueueName, batchQueueName].map(
    (name) => new Queue(name, { connection: redis, prefix: keys.queuePrefix }),
  );
  try {
    const out = join(root, 'simulated');
    const size = { customers: shop, items: Math.max(50, Math.round(shop / 10)), days: 400, seed, out };
    say(`simulating a shop of ${shop} customers …`);
    await runCommand(['simulate', ...Object.entries(size).map(([flag, value]) => `--${flag}=${value}`)], env);
    await writeSimulatedPart(
      lake,
      'import-simulated',
      ['customers', 'events'].map((file) => join(out, `${file}.ndjson`)),
    );
    say('making its records …');
    await runCommand(['train', 'refresh-features'], env);
    const known = await lake.connection.runAndReadAll(
      `SELECT DISTINCT "customerId" FROM ${lake.from('events')} ORDER BY hash("customerId") LIMIT ${customers}`,
    );
    const rows = await rowsOf(lake);
    const files = await openErasureFiles(folders.DATA_DIR);
    const ids = known.getRows().map(([id]) => CustomerId.parse(id));
    for (const customerId of ids) await files.request(customerId, Date.now());
    const [notices, batches] = queues as [Queue, Queue];
    const deps = {
      config,
      redis,
      queueRedis: redis,
      keys,
      lake,
      files,
      tombstones: createTombstones(redis, keys, files),
      budgets: createBudgetLedger(redis, keys),
      records: createRecordStore(redis, keys),
      notices,
      batches,
      log,
      now: Date.now,
    };
    say(`erasing ${ids.length} customers …`);
    const times = await leastTimes(1, async () => {
      for (let round = 0; (await files.pending()).length > 0; round++) {
        if (round === roundsMax) throw new Error(`not all were erased in ${roundsMax} rounds`);
        await runErasures(deps);
      }
    });
    const erasuresPerSecond = ids.length / times.wallSeconds;
    return {
      name: 'erase',
      customers: ids.length,
      shop,
      rows,
      erasedRows: rows - (await rowsOf(lake)),
      ...times,
      erasuresPerSecond,
      minutesFor10000: 10_000 / erasuresPerSecond / 60,
    };
  } finally {
    for (const queue of queues) await queue.close();
    lake.close();
    await place.close();
  }
}

async function rowsOf({ connection, from }: Awaited<ReturnType<typeof openLake>>): Promise<number> {
  const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${from('events')}`);
  return Number(counted.value(0, 0));
}
