/**
 * `nextbest bench score`: the nightly scoring of everybody. A small shop is simulated and its models trained; its customers'
 * records are then copied under new ids until there are as many as wanted, and the job is run as a shop runs it.
 */
import { join } from 'node:path';
import { createRecordStore } from '../../features/record-store.ts';
import { openLake, writePart } from '../../history/lake.ts';
import { fromSnapshot, readSnapshot } from '../../history/score-snapshots.ts';
import { createKeys, type Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { openBenchPlace } from './bench-place.ts';
import { copyId, copyRecords } from './copied-records.ts';
import { runCommand } from './run-command.ts';

export type ScoreBenchOptions = {
  customers: number;
  /** Customers of the simulated shop that the others are copies of. */
  shop: number;
  seed: number;
};

export type ScoreBenchLine = {
  customers: number;
  /** Mean size of a record. */
  recordBytes: number;
  /** The command from start to end, and the processes of the job without Redis. */
  wallSeconds: number;
  cpuSeconds: number;
  peakMb: number;
  microsPerCustomer: number;
  /** The floor in the same run: the same records read and decoded, one after the other, and nothing done with them. */
  readSeconds: number;
  /** Asking the snapshot for the first thousand by value. */
  listSeconds: number;
};

const keyPrefix = 'bench';
const written = 1000;

/** UsageError where there is no /proc to measure by. */
export async function benchScore(
  { customers, shop, seed }: ScoreBenchOptions,
  say: (text: string) => void,
): Promise<ScoreBenchLine> {
  const place = await openBenchPlace(undefined);
  const { root, env, redis } = place;
  const dataDir = place.folders.DATA_DIR;
  const keys = createKeys(keyPrefix);
  try {
    const simulated = join(root, 'simulated');
    say(`simulating a shop of ${shop} customers and training its models …`);
    await runCommand(
      ['simulate', `--customers=${shop}`, '--days=400', `--seed=${seed}`, `--out=${simulated}`],
      env,
    );
    const files = ['items', 'offers', 'customers', 'events'].map((name) => join(simulated, `${name}.ndjson`));
    await runCommand(['import', '--preset', 'nextbest', ...files], env);
    await runCommand(['train', 'refresh-features', 'train-churn', 'train-customer-value'], env);
    say(`copying their records to ${customers} customers …`);
    const recordBytes = await copyCustomers(dataDir, redis, keys, customers);
    say('reading them …');
    const readSeconds = await readAll(redis, keys, customers);
    say('scoring them …');
    const usage = await runCommand(['train', 'score-customers', '--force'], env);
    const snapshot = await readSnapshot(dataDir);
    if (snapshot === undefined || snapshot.customers < customers)
      throw new Error(`scored ${snapshot?.customers ?? 0} of ${customers} customers`);
    return {
      customers: snapshot.customers,
      recordBytes,
      ...usage,
      microsPerCustomer: (usage.wallSeconds * 1e6) / snapshot.customers,
      readSeconds,
      listSeconds: await listSeconds(dataDir, fromSnapshot(dataDir, snapshot.id)),
    };
  } finally {
    await place.close();
  }
}

/** Answers the mean size of a record. */
async function copyCustomers(dataDir: string, redis: Redis, keys: Keys, customers: number): Promise<number> {
  const lake = await openLake(dataDir);
  try {
    const bytes = await copyRecords(lake, redis, keys, customers);
    // So that the lake knows them: the job asks it who there is.
    await writePart(
      lake,
      'events',
      'import-copies',
      `SELECT 'v' || n AS "eventId", 0::INTEGER AS line, 'visit' AS type, printf('copy-%08d', n) AS "customerId",
         NULL::VARCHAR AS "sessionId", TIMESTAMP '2026-01-01' AS "occurredAt", 'web' AS channel, NULL::VARCHAR AS "orderId",
         NULL::VARCHAR AS "itemId", NULL::VARCHAR AS category, NULL::INTEGER AS quantity,
         NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", NULL::VARCHAR AS detail
       FROM range(${Math.floor(customers)}) copies(n)`,
    );
    return bytes;
  } finally {
    lake.close();
  }
}

async function readAll(redis: Redis, keys: Keys, customers: number): Promise<number> {
  const records = createRecordStore(redis, keys);
  const startedAt = performance.now();
  for (let n = 0; n < customers; n += written) {
    const ids = Array.from({ length: Math.min(written, customers - n) }, (_, copy) => copyId(n + copy));
    await records.readMany(ids);
  }
  return (performance.now() - startedAt) / 1000;
}

async function listSeconds(dataDir: string, scores: string): Promise<number> {
  const lake = await openLake(dataDir, { threads: 1, memoryMb: 256 });
  try {
    const startedAt = performance.now();
    await lake.connection.runAndReadAll(
      `SELECT * FROM ${scores} WHERE risk > 0.5 ORDER BY "valueMinor" DESC, "customerId" LIMIT 1000`,
    );
    return (performance.now() - startedAt) / 1000;
  } finally {
    lake.close();
  }
}
