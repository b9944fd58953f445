/**
 * `nextbest bench batch`: a campaign's list for many customers, by the worker's job as a shop runs it, beside reading and decoding
 * the same records and doing nothing with them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../domain/errors.ts';
import { Offer } from '../../domain/offer.ts';
import { createRecordStore } from '../../features/record-store.ts';
import { batchFolder } from '../../infra/batch-files.ts';
import { createBatchQueue } from '../../infra/batch-queue.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { createKeys } from '../../infra/keys.ts';
import { slices } from '../../infra/redis-together.ts';
import { benchOffers } from './bench-offers.ts';
import { openBenchPlace } from './bench-place.ts';
import { bound } from './broken-off.ts';
import { copyId } from './copied-records.ts';
import { fillRedis, keyPrefix, prepareShop } from './prepared-shop.ts';
import { cpuSecondsOfRedis, MARK, watchUsage } from './process-usage.ts';
import { runCommand } from './run-command.ts';

export type BatchBenchOptions = {
  customers: number;
  shop: number;
  items: number;
  folder?: string;
  seed: number;
};

export type BatchBenchLine = {
  /** `batch`: no offer has a budget; `batch, budgets`: three in five have one that does not suffice, and are shared out. */
  name: 'batch' | 'batch, budgets';
  customers: number;
  offers: number;
  /** Customers who are made one of them. */
  offered: number;
  seconds: number;
  customersPerSecond: number;
  cpuMicrosPerCustomer: number;
  /** Of Redis, with what wrote its append-only file anew and had ended by then; not in the other. */
  redisMicrosPerCustomer: number;
  /** Of the worker and its threads, the sum of each process's own peak. */
  peakMb: number;
  /** The same records read and decoded, one after the other, and nothing done with them. */
  readSeconds: number;
};

const readAtOnce = 1000;

/** UsageError where there is no /proc to measure by. */
export async function benchBatch(
  options: BatchBenchOptions,
  onLine: (line: BatchBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new UsageError('this measurement reads /proc: it needs Linux.');
  const { customers } = options;
  const place = await openBenchPlace(options.folder);
  const { root, folders, env, redis, redisDir, log } = place;
  const keys = createKeys(keyPrefix);
  const queue = createBatchQueue(place.queueUrl, keys, folders.DATA_DIR, log);
  let worker: ChildProcess | undefined;
  try {
    await prepareShop(root, env, options, say);
    await fillRedis(redis, folders.DATA_DIR, options, say);
    const ids = Array.from({ length: customers }, (_, n) => copyId(n));
    const idsFile = join(redisDir, 'ids.txt');
    await writeFile(idsFile, `${ids.join('\n')}\n`);
    say('reading the records alone …');
    const records = createRecordStore(redis, keys);
    const startedAt = performance.now();
    for (let n = 0; n < customers; n += readAtOnce) await records.readMany(ids.slice(n, n + readAtOnce));
    const readSeconds = (performance.now() - startedAt) / 1000;

    for (const name of ['batch', 'batch, budgets'] as const) {
      if (name === 'batch, budgets')
        await createCatalogueStore(redis, keys).putOffers(scarce(benchOffers(), customers), Date.now());
      const mark = randomUUID();
      worker = startWorker({ ...env, [MARK]: mark });
      await workerReady(worker);
      const watch = watchUsage(mark);
      say(`deciding for ${customers} customers (${name}) …`);
      const redisBegan = await cpuSecondsOfRedis(redis);
      const began = performance.now();
      const campaign = name === 'batch' ? 'spring' : 'summer';
      await runCommand(['offers', 'batch', `--campaign=${campaign}`, `--ids=${idsFile}`], env);
      const seconds = (performance.now() - began) / 1000;
      const redisSeconds = (await cpuSecondsOfRedis(redis)) - redisBegan;
      const usage = await watch.stop();
      await end(worker);
      // Each is removed when it has been measured.
      const [batchId = ''] = await readdir(join(folders.DATA_DIR, 'batches'));
      const { counts } = await batchFolder(folders.DATA_DIR, batchId).counts();
      if (counts.decided !== customers)
        throw new Error(`decided ${counts.decided} of ${customers} customers`);
      onLine({
        name,
        customers,
        offers: benchOffers().length,
        offered: counts.offers,
        seconds,
        customersPerSecond: customers / seconds,
        cpuMicrosPerCustomer: (usage.cpuSeconds * 1e6) / customers,
        redisMicrosPerCustomer: (redisSeconds * 1e6) / customers,
        peakMb: usage.peakMb,
        readSeconds,
      });
      await batchFolder(folders.DATA_DIR, batchId).remove();
      // The next campaign is to find the same customers, not such as have just been written to.
      for (const some of slices(ids)) await redis.unlink(...some.map((id) => keys.contacts(id)));
    }
  } finally {
    worker?.kill('SIGKILL');
    await queue.close();
    await place.close();
  }
}

/** Three offers in five suffice for one customer in fifty. */
function scarce(offers: readonly Offer[], customers: number): Offer[] {
  return offers.map((offer, n) =>
    offer.fallback || n % 5 > 2
      ? offer
      : Offer.parse({ ...offer, budget: { count: Math.max(1, Math.floor(customers / 50)) } }),
  );
}

function startWorker(env: Record<string, string>): ChildProcess {
  const binary = fileURLToPath(new URL('../../../bin/nextbest', import.meta.url));
  return bound(
    spawn(process.execPath, ['--no-warnings', binary, 'worker', '--json'], {
      env: { ...process.env, WORKER_METRICS_PORT: '0', LOG_LEVEL: 'info', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  );
}

async function workerReady(worker: ChildProcess): Promise<void> {
  let text = '';
  for await (const chunk of worker.stderr ?? []) {
    text += chunk;
    if (text.includes('"worker.ready"')) break;
  }
  if (!text.includes('"worker.ready"')) throw new Error(`the worker did not start: ${text.slice(-500)}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
