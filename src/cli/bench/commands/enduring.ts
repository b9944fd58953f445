/** The measurements of what must hold whatever comes: strange requests, killed processes, erasures. */
import { Command } from 'commander';
import { outputOf } from '../../output.ts';
import { benchChaos, type ChaosOptions } from '../chaos.ts';
import { benchErase, type EraseBenchOptions } from '../erase.ts';
import { benchFuzz, type FuzzBenchOptions } from '../fuzz.ts';
import { count, positiveInteger } from './figures.ts';
import { keptShopFlag, seedFlag } from './flags.ts';

export const fuzzBenchCommand = () =>
  new Command('fuzz')
    .description(
      'random and spoilt requests over every call: none may be answered with 5xx, or hang the service',
    )
    .option('--requests <n>', 'how many', positiveInteger, 100_000)
    .option('--connections <n>', 'that ask at once', positiveInteger, 16)
    .addOption(keptShopFlag())
    .addOption(seedFlag('other requests'))
    .action(async (flags: FuzzBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchFuzz(
        flags,
        (line, findings) => {
          for (const { n, call, method, path, fault } of findings)
            output.say(`request ${n} (${call}): ${method} ${path}: ${fault}`);
          const statuses = Object.entries(line.statuses).map(
            ([status, times]) => `${status}: ${count(times)}`,
          );
          output.result(
            { ...line, findings },
            `${count(line.requests)} requests, ${line.calls} calls, ${line.callsAnswered} of them answered with success; ${statuses.join(', ')}; ` +
              `p99 ${line.p99Ms.toFixed(1)} ms, slowest ${Math.round(line.slowestMs)} ms, ${Math.round(line.starvedSeconds)} s without a CPU; ` +
              `${Math.round(line.warmMb)} MB when warm, ${Math.round(line.endMb)} MB at the end; ${line.faults} faults`,
          );
        },
        output.say,
      );
    });

export const chaosBenchCommand = () =>
  new Command('chaos')
    .description(
      'services, worker and Redis are killed again and again while callers post: nothing that was acknowledged may be lost',
    )
    .option('--seconds <n>', 'how long processes are killed', positiveInteger, 60)
    .option('--callers <n>', 'programs that call at once', positiveInteger, 12)
    .option('--no-append-only', 'a Redis that keeps nothing on the disk: to see that a loss is found')
    .addOption(seedFlag('another order of events'))
    .action(async (flags: ChaosOptions, command: Command) => {
      const output = outputOf(command);
      const line = await benchChaos(flags, output.say);
      const { serve, worker, redis } = line.kills;
      output.result(
        { ...line },
        `${serve} services, ${worker} workers and ${redis} Redis servers killed in ${line.seconds} s: ` +
          `${count(line.acknowledged)} events acknowledged of ${count(line.sent)} sent, ${count(line.inLake)} in the lake; ` +
          `${count(line.decisions)} decisions, ${count(line.redemptions)} redemptions, ${count(line.records)} records, ` +
          `${line.models} models; at rest after ${line.settledSeconds.toFixed(1)} s`,
      );
      if (line.loss !== null)
        throw new Error(`a promise was broken: ${line.loss} (${line.kept} has everything)`);
    });

export const eraseBenchCommand = () =>
  new Command('erase')
    .description('customers are erased from a simulated shop, all at once: how many a second')
    .option('--customers <n>', 'who are erased', positiveInteger, 200)
    .option(
      '--shop <n>',
      'simulated customers of the lake, whose records are in Redis',
      positiveInteger,
      2000,
    )
    .addOption(seedFlag())
    .action(async (flags: EraseBenchOptions, command: Command) => {
      const output = outputOf(command);
      const line = await benchErase(flags, output.say);
      output.result(
        { ...line },
        `${count(line.customers)} of ${count(line.shop)} customers erased in ${line.wallSeconds.toFixed(1)} s, ${line.cpuSeconds.toFixed(1)} s CPU: ` +
          `${line.erasuresPerSecond.toFixed(2)} a second, 10,000 in ${line.minutesFor10000.toFixed(1)} minutes; ` +
          `${count(line.erasedRows)} of ${count(line.rows)} rows of events are gone`,
      );
    });
