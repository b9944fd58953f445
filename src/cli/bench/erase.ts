/**
 * `nextbest bench erase`: customers of a simulated lake are erased, all of them due at once, by what the worker runs: found, taken out of
 * the lake, records and streams, looked for again, and receipted. Without the time that is left to readers of files (ERASURE_SETTLE_MS).
 */
import { join } from 'node:path';
import { CustomerId } from '../../domain/ids.ts';
import type { Lake } from '../../history/lake.ts';
import { readConfig } from '../../infra/config.ts';
import { openErasing } from '../../train/erase/open-erasing.ts';
import { runErasures } from '../../train/erase/run-erasures.ts';
import { openBenchPlace } from './bench-place.ts';
import { leastTimes } from './measure.ts';
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
  const config = readConfig({ ...folders, ERASURE_SETTLE_MS: '0', PATH: process.env.PATH });
  const { deps, close } = await openErasing({ config, redis, queueRedis: redis, log });
  const { lake, files } = deps;
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
    const ids = known.getRows().map(([id]) => CustomerId.parse(id));
    for (const customerId of ids) await files.request(customerId, Date.now());
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
    await close();
    await place.close();
  }
}

async function rowsOf({ connection, from }: Lake): Promise<number> {
  const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${from('events')}`);
  return Number(counted.value(0, 0));
}
