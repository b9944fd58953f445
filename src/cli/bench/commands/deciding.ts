/** The measurements of decisions on offers: lists, budgets, and what they earn. */
import { Command, Option } from 'commander';
import { outputOf } from '../../output.ts';
import { type BatchBenchOptions, benchBatch } from '../batch.ts';
import { openBenchPlace } from '../bench-place.ts';
import { type BudgetBenchOptions, benchBudgets } from '../budgets.ts';
import { benchDecide, type DecideBenchOptions } from '../decide.ts';
import { count, major, positiveInteger, share } from './figures.ts';
import { itemsFlag, keptShopFlag, seedFlag, shopFlag } from './flags.ts';

export const batchBenchCommand = () =>
  new Command('batch')
    .description("a campaign's list, as the worker makes it: customers a second, memory")
    .option('--customers <n>', 'on the list', positiveInteger, 100_000)
    .addOption(itemsFlag(5000))
    .addOption(shopFlag(2000))
    .addOption(keptShopFlag())
    .addOption(seedFlag())
    .action(async (flags: BatchBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchBatch(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.name.padEnd(15)} ${count(line.customers)} customers, ${line.offers} offers, made to ${count(line.offered)}: ${line.seconds.toFixed(1)} s, ` +
              `${count(Math.round(line.customersPerSecond))} customers/s, ${Math.round(line.cpuMicrosPerCustomer)} µs CPU each and ${Math.round(line.redisMicrosPerCustomer)} of Redis, ` +
              `${count(Math.round(line.peakMb))} MB; reading the records alone ${line.readSeconds.toFixed(1)} s`,
          ),
        output.say,
      );
    });

export const budgetsBenchCommand = () =>
  new Command('budgets')
    .description('many clients draw on one budget while processes are killed: it must never be overspent')
    .option('--seconds <n>', 'how long', positiveInteger, 10)
    .option('--clients <n>', 'at once', positiveInteger, 64)
    .option('--processes <n>', 'that they run in', positiveInteger, 4)
    .addOption(seedFlag('another order of events'))
    .addOption(
      new Option('--period <period>', 'of the budget; four of them go by')
        .choices(['total', 'day', 'week', 'month'])
        .default('total'),
    )
    .addOption(new Option('--pacing <pacing>', 'of the budget').choices(['none', 'even']).default('none'))
    .action(async (flags: Omit<BudgetBenchOptions, 'redisUrl' | 'keyPrefix'>, command: Command) => {
      const output = outputOf(command);
      const place = await openBenchPlace(undefined);
      try {
        const line = await benchBudgets({ ...flags, redisUrl: place.url, keyPrefix: 'bench' }, output.say);
        output.result(
          { ...line },
          `${count(line.looks)} looks, ${line.kills} processes killed: at most ${count(line.mostMinor)} of ${count(line.budget.amountMinor)} and ` +
            `${count(line.mostCount)} of ${count(line.budget.count)} out and spent; ${count(line.confirmedCount)} confirmed`,
        );
        if (line.violation !== null) throw new Error(`the budget did not hold: ${line.violation}`);
      } finally {
        await place.close();
      }
    });

export const decideBenchCommand = () =>
  new Command('decide')
    .description(
      'what policies on offers earn in the long run on simulated shops, the engine among them, beside an oracle that knows the truth',
    )
    .option('--customers <n>', 'simulated customers of a shop', positiveInteger, 4000)
    .option(
      '--weeks <n>',
      'weeks in which policies decide; a year without offers follows',
      positiveInteger,
      8,
    )
    .option('--seeds <n>', 'shops', positiveInteger, 4)
    .option('--first-seed <n>', 'seed of the first of them', positiveInteger, 1)
    .option(
      '--contacts-keep <share>',
      'of what keeps customers about contacts, how much there is in these shops: 0, they keep nobody',
      share,
      1,
    )
    .option('--learn-every <weeks>', 'weeks from one learning of the engine to the next', positiveInteger, 4)
    .action(async (flags: DecideBenchOptions, command: Command) => {
      const output = outputOf(command);
      const summary = await benchDecide(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.policy.padEnd(16)} ${major(line.value)} a customer (${major(line.lower)} to ${major(line.upper)}), ` +
              `${major(line.gain)} above none (${major(line.gainLower)} to ${major(line.gainUpper)}), ` +
              `${major(line.expectedGain)} expected, ${count(line.contacts)} contacts, ${line.violations} violations`,
          ),
        output.say,
      );
      const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
      output.result(
        { ...summary },
        `nextbest comes ${percent(summary.share)} of the way from ${summary.bestOther} to the oracle, ` +
          `${percent(summary.expectedShare)} in expectation (gated ${percent(summary.gatedShare)}, ${percent(summary.gatedExpectedShare)}); ` +
          `estimates from a log cover what was earned: ips ${percent(summary.coverage.ips)}, ` +
          `snips ${percent(summary.coverage.snips)}, direct ${percent(summary.coverage.direct)}, doubly robust ${percent(summary.coverage.doublyRobust)} of ` +
          `${summary.estimates} each; ${summary.violations} violations`,
      );
      if (summary.violations > 0) process.exitCode = 1;
    });
