/** A simulated shop for measuring what answers: made once, kept in a folder, and blown up to as many customers as wanted. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../domain/errors.ts';
import { openLake } from '../../history/lake.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { createKeys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { benchOffers } from './bench-offers.ts';
import { copyItems, publishWithCopies } from './copied-items.ts';
import { copyRecords } from './copied-records.ts';
import { runCommand } from './run-command.ts';

/** Start of every Redis key of a measurement. */
export const keyPrefix = 'bench';

/** More items than these are copies of them: what a shop sells so many different things of takes millions of customers to simulate. */
const simulatedItemsMax = 50_000;

/** Items of the shop that are simulated, and copies of each that come to `items` or, at most one copy of each, more. */
function itemsOf(items: number, simulatedMax = simulatedItemsMax): { simulated: number; copies: number } {
  const simulated = Math.min(items, simulatedMax);
  return { simulated, copies: Math.ceil(items / simulated) - 1 };
}

export type ShopSize = {
  shop: number;
  items: number;
  seed: number;
  /** More items than these are copies; default 50,000. */
  simulatedItems?: number;
};

/** Simulates, imports and trains, unless the folder holds what an earlier run has made. Says what each step took. */
export async function prepareShop(
  root: string,
  env: Record<string, string>,
  { shop, items, seed, simulatedItems }: ShopSize,
  say: (text: string) => void,
): Promise<void> {
  const { simulated: itemsMade, copies } = itemsOf(items, simulatedItems);
  const mark = join(root, 'prepared.json');
  const wanted = JSON.stringify({ shop, items, seed, ...(copies > 0 && { copies }) });
  const made = await readFile(mark, 'utf8').catch(() => undefined);
  if (made !== undefined && made !== wanted)
    throw new UsageError(`${root} holds another shop (${made}); name another folder, or remove it.`);
  const simulated = join(root, 'simulated');
  const run = async (what: string, command: readonly string[]) => {
    say(`${what} …`);
    const { wallSeconds, cpuSeconds } = await runCommand(command, env);
    say(`that took ${Math.round(wallSeconds)} s, ${Math.round(cpuSeconds)} s of CPU`);
  };
  if (made === undefined) {
    const flags = [
      `--customers=${shop}`,
      `--items=${itemsMade}`,
      '--days=400',
      `--seed=${seed}`,
      `--out=${simulated}`,
    ];
    await run(`simulating a shop of ${shop} customers and ${itemsMade} items`, ['simulate', ...flags]);
    const files = ['items', 'customers', 'events'].map((name) => join(simulated, `${name}.ndjson`));
    await run('importing it', ['import', '--preset', 'nextbest', ...files]);
    const jobs = ['refresh-features', 'train-collaborative', 'train-churn', 'train-customer-value'];
    await run('training its models', ['train', ...jobs]);
    if (copies > 0) {
      say(`adding ${copies} copies of each item to the model …`);
      await publishWithCopies(env.MODELS_DIR ?? '', copies);
    }
    await writeFile(mark, wanted);
  } else {
    await run('making its records', ['train', 'refresh-features', '--force']);
  }
}

/**
 * Copies the shop's records until there are as many customers as wanted, its items likewise where `items` are wanted, and puts
 * fifty offers beside them.
 */
export async function fillRedis(
  redis: Redis,
  dataDir: string,
  {
    customers,
    items = simulatedItemsMax,
    simulatedItems,
  }: { customers: number; items?: number; simulatedItems?: number | undefined },
  say: (text: string) => void,
): Promise<void> {
  say(`copying their records to ${customers} customers …`);
  const startedAt = performance.now();
  const keys = createKeys(keyPrefix);
  const lake = await openLake(dataDir);
  try {
    const recordBytes = await copyRecords(lake, redis, keys, customers);
    const memory = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
    say(
      `a record has ${Math.round(recordBytes)} bytes; Redis holds ${Math.round(Number(memory) / 2 ** 20)} MiB`,
    );
  } finally {
    lake.close();
  }
  const store = createCatalogueStore(redis, keys);
  const { copies } = itemsOf(items, simulatedItems);
  if (copies > 0) {
    say(`adding ${copies} copies of each item to the catalogue …`);
    await copyItems(store, copies, Date.now());
  }
  await store.putOffers(benchOffers(), Date.now());
  say(`that took ${Math.round((performance.now() - startedAt) / 1000)} s`);
}
