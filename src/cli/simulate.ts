/** `nextbest simulate`: a seeded shop whose truth is known, as NDJSON files. */

import { join } from 'node:path';
import { Command } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { dayMs } from '../domain/time.ts';
import { readConfig } from '../infra/config.ts';
import { SimulationOptions } from '../simulation/options.ts';
import { type FormerSimulation, formerSimulation, simulateIntoFolder } from '../simulation/output-folder.ts';
import { outputOf } from './output.ts';
import { showProgress } from './progress.ts';

const count = new Intl.NumberFormat('en').format;

/** Flags that say what the shop is like. */
export type SimulationFlags = {
  customers?: string;
  items?: string;
  days?: string;
  offerWeeks?: string;
  seed?: string;
  end?: string;
};

export function simulateCommand(): Command {
  return new Command('simulate')
    .description(
      'make a seeded shop whose truth is known: items, offers, customers, events and decisions, and truth.ndjson beside them; ' +
        'the same flags (--end among them) give the same files',
    )
    .option('--customers <n>', 'customers who ever come (default: 3000)')
    .option('--items <n>', 'products of the catalogue (default: 500)')
    .option('--days <n>', 'length of the history, up to 3650 (default: 540)')
    .option(
      '--offer-weeks <n>',
      'last weeks of the history with logged decisions on offers, drawn at random (default: 12)',
    )
    .option('--seed <n>', 'another seed is another shop (default: 1)')
    .option('--end <YYYY-MM-DD>', 'last day of the history, UTC (default: yesterday)')
    .option(
      '--out <dir>',
      'empty or new folder, or one that holds a simulation (default: <DATA_DIR>/simulated)',
    )
    .action(async (flags: SimulationFlags & { out?: string }, command: Command) => {
      const output = outputOf(command);
      const options = parseSimulationFlags(flags, Date.now());
      const folder = flags.out ?? join(readConfig(process.env).dataDir, 'simulated');
      const former = await formerSimulation(folder);
      if (former !== undefined) output.say(`Replacing ${describeFormer(former)} in ${folder}.`);
      const startedAt = performance.now();
      const progress = showProgress('simulate');
      const summary = await simulateIntoFolder(options, folder, (share, events) =>
        progress.report({ share, stage: `${count(events)} events` }),
      ).finally(() => progress.stop());
      const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
      const eventsPerMinute = Math.round((summary.events / seconds) * 60);
      output.result(
        {
          ...summary,
          seed: options.seed,
          end: options.end,
          out: folder,
          seconds: Math.round(seconds * 1000) / 1000,
          eventsPerMinute,
        },
        `${count(summary.customers)} customers, ${count(summary.items)} items, ${summary.offers} offers and ` +
          `${count(summary.events)} events of ${count(summary.days)} days until ${options.end} (seed ${options.seed}) ` +
          `are in ${folder}: ${seconds.toFixed(1)} s, ${count(eventsPerMinute)} events a minute.`,
      );
    });
}

function describeFormer(former: FormerSimulation): string {
  return former.kind === 'interrupted'
    ? 'what an interrupted simulation left'
    : `the simulation of seed ${former.seed} with ${count(former.customers)} customers`;
}

/** The options that the flags mean; UsageError names every fault at once. `now`: milliseconds since 1970. */
export function parseSimulationFlags(flags: SimulationFlags, now: number): SimulationOptions {
  const parsed = SimulationOptions.safeParse({
    customers: wholeNumber(flags.customers),
    items: wholeNumber(flags.items),
    days: wholeNumber(flags.days),
    offerWeeks: wholeNumber(flags.offerWeeks),
    seed: wholeNumber(flags.seed),
    end: flags.end ?? new Date(now - dayMs).toISOString().slice(0, 10),
  });
  if (parsed.success) return parsed.data;
  const flagOf = (path: readonly PropertyKey[]) =>
    path.join('.').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const faults = parsed.error.issues.map(({ path, message }) => `  --${flagOf(path)}: ${message}`);
  throw new UsageError(`The flags are not valid:\n${faults.join('\n')}`);
}

/** undefined stays so and takes the default; what is no whole number becomes NaN, which the schema refuses. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}
