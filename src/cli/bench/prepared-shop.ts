/** A simulated shop for measuring what answers: made once, kept in a folder, and blown up to as many customers as wanted. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../domain/errors.ts';
import { openLake } from '../../history/lake.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { createKeys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { benchOffers } from './bench-offers.ts';
import { copyRecords } from './copied-records.ts';
import { runCommand } from './run-command.ts';

/** Start of every Redis key of a measurement. */
export const keyPrefix = 'bench';

/** Simulates, imports and trains, unless the folder holds what an earlier run has made. */
export async function prepareShop(
  root: string,
  env: Record<string, string>,
  { shop, items, seed }: { shop: number; items: number; seed: number },
  say: (text: string) => void,
): Promise<void> {
  const mark = join(root, 'prepared.json');
  const wanted = JSON.stringify({ shop, items, seed });
  const made = await readFile(mark, 'utf8').catch(() => undefined);
  if (made !== undefined && made !== wanted)
    throw new UsageError(`${root} holds another shop (${made}); name another folder, or remove it.`);
  const simulated = join(root, 'simulated');
  if (made === undefined) {
    say(`simulating a shop of ${shop} customers and ${items} items …`);
    const flags = [
      `--customers=${shop}`,
      `--items=${items}`,
      '--days=400',
      `--seed=${seed}`,
      `--out=${simulated}`,
    ];
    await runCommand(['simulate', ...flags], env);
    const files = ['items', 'customers', 'events'].map((name) => join(simulated, `${name}.ndjson`));
    await runCommand(['import', '--preset', 'nextbest', ...files], env);
    say('training its models …');
    await runCommand(
      ['train', 'refresh-features', 'train-collaborative', 'train-churn', 'train-customer-value'],
      env,
    );
    await writeFile(mark, wanted);
  } else {
    say('making its records …');
    await runCommand(['train', 'refresh-features', '--force'], env);
  }
}

/** Copies the shop's records until there are as many customers as wanted, and puts fifty offers beside them. */
export async function fillRedis(
  redis: Redis,
  dataDir: string,
  { customers }: { customers: number },
  say: (text: string) => void,
): Promise<void> {
  say(`copying their records to ${customers} customers …`);
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
  await createCatalogueStore(redis, keys).putOffers(benchOffers(), Date.now());
}
