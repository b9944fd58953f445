/** What evaluating and tuning the shop's own model have in common: its lake, the kernels, how much of the log is seen. */
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { createLogger } from '../infra/logger.ts';
import type { RankingTools } from '../train/collaborative/learn-ranking.ts';
import { openKernels } from '../train/open-kernels.ts';
import { timeOf } from './time-flag.ts';

export type ShopFlags = { testDays?: number; cutoff?: string; seed: number };

export const testDaysDefault = 28;

/** Opens DATA_DIR's lake and the kernels for `work`, and closes them after it. */
export async function withShop<T>(
  { cutoff, seed }: ShopFlags,
  work: (tools: RankingTools, shop: { dataDir: string; before: number }) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env);
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'cli');
  const lake = await openLake(config.dataDir);
  try {
    const kernels = await openKernels();
    try {
      const before = timeOf('--cutoff', cutoff) ?? Date.now();
      return await work({ lake, kernels, seed, log }, { dataDir: config.dataDir, before });
    } finally {
      await kernels.close();
    }
  } finally {
    lake.close();
  }
}

export function days(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('must be a whole number of days from 1.');
  return Number(text);
}

/** UsageError for flags that belong to a public protocol's files, or to the shop alone. */
export function refuseFlags(what: string, flags: object, foreign: readonly string[]): void {
  const given = foreign.filter((name) => {
    const value: unknown = Reflect.get(flags, name);
    return value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
  if (given.length > 0) {
    const names = given.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
    throw new UsageError(`${what} does not take --${names.join(', --')}.`);
  }
}
