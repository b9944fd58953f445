/** `nextbest bench`: how fast this machine does what nextbest is made of. */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type BatchBenchOptions, benchBatch } from './bench/batch.ts';
import { openBenchPlace } from './bench/bench-place.ts';
import { breakOffOnSignals } from './bench/broken-off.ts';
import { type BudgetBenchOptions, benchBudgets } from './bench/budgets.ts';
import { benchChaos, type ChaosOptions } from './bench/chaos.ts';
import { benchDecide, type DecideBenchOptions } from './bench/decide.ts';
import { benchFreshness, type FreshFigures, type FreshnessOptions } from './bench/freshness.ts';
import { benchFuzz, type FuzzBenchOptions } from './bench/fuzz.ts';
import { benchInsights } from './bench/insights.ts';
import { benchKernels } from './bench/kernels.ts';
import { benchMemory, type MemoryBenchOptions } from './bench/memory.ts';
import { benchOverload, type OverloadBenchOptions } from './bench/overload.ts';
import { benchScore, type ScoreBenchOptions } from './bench/score.ts';
import { benchServe, type ServeBenchLine, type ServeBenchOptions } from './bench/serve.ts';
import { serveGrowth } from './bench/serve-growth.ts';
import { MOVIELENS_1M } from './bench/synthetic.ts';
import { benchTrain, TRAIN_STAGES, type TrainStage } from './bench/train.ts';
import { outputOf } from './output.ts';

type TrainFlags = { interactions: number[]; only: TrainStage[]; folder?: string; seed: number };
type InsightsFlags = { events: number[]; repeats: number; folder?: string; seed: number };
type ServeFlags = Omit<ServeBenchOptions, 'items'> & { items: number[] };
type KernelFlags = { repeats: number; oracleStride: number; only: string[]; seed: number };

export const benchCommand = (): Command =>
  new Command('bench')
    .description('measure speed')
    .hook('preAction', (_bench, measured) => breakOffOnSignals(outputOf(measured).say))
    .addCommand(trainBenchCommand())
    .addCommand(kernelBenchCommand())
    .addCommand(insightsBenchCommand())
    .addCommand(scoreBenchCommand())
    .addCommand(serveBenchCommand())
    .addCommand(memoryBenchCommand())
    .addCommand(batchBenchCommand())
    .addCommand(budgetsBenchCommand())
    .addCommand(freshnessBenchCommand())
    .addCommand(fuzzBenchCommand())
    .addCommand(decideBenchCommand())
    .addCommand(chaosBenchCommand())
    .addCommand(overloadBenchCommand());

const trainBenchCommand = () =>
  new Command('train')
    .description('from a simulated log to a model at growing sizes: time and memory of each stage')
    .option(
      '--interactions <n,n…>',
      'lines of purchases, views and carts, such as 1e6,3e6; each size is one shop',
      numbers,
      [1e6],
    )
    .addOption(
      new Option('--only <stage...>', 'only these stages; those before must have been run in --folder')
        .choices(TRAIN_STAGES)
        .default([], 'all'),
    )
    .option('--folder <dir>', 'keep data and models in <dir>/<interactions>')
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async ({ interactions, folder, ...flags }: TrainFlags, command: Command) => {
      const output = outputOf(command);
      for (const size of interactions) {
        const own = folder === undefined ? undefined : join(folder, String(size));
        await benchTrain(
          { ...flags, interactions: size, folder: own },
          (line) =>
            output.result(
              { ...line },
              `${count(line.interactions)} interactions, ${count(line.customers)} customers, ${count(line.items)} items: ` +
                `${line.stage.padEnd(13)} ${line.wallSeconds.toFixed(1)} s, ${line.cpuSeconds.toFixed(1)} s CPU, ` +
                `${line.microsPerInteraction.toFixed(1)} µs CPU an interaction, ${count(Math.round(line.peakMb))} MB`,
            ),
          output.say,
        );
      }
    });

const kernelBenchCommand = () =>
  new Command('kernels')
    .description(
      "the numeric kernels beside their plain typed-array versions, at MovieLens-1M's size (6,040 × 3,706, 994k pairs, synthetic)",
    )
    .option('--repeats <n>', 'runs of each kernel; the least times count', positiveInteger, 5)
    .option(
      '--oracle-stride <n>',
      'the slow typed-array versions do an n-th of their rows, and the rest is reckoned; 1 does all',
      positiveInteger,
      8,
    )
    .option('--only <name...>', 'only kernels whose names begin so, such as ials or scan', [])
    .option('--seed <n>', 'another seed is other data', positiveInteger, 1)
    .action(async (flags: KernelFlags, command: Command) => {
      const output = outputOf(command);
      await benchKernels({ ...flags, size: MOVIELENS_1M }, (line) =>
        output.result(
          { ...line },
          `${line.name.padEnd(24)} ${line.threads} ${line.threads === 1 ? 'thread ' : 'threads'} ` +
            `${milliseconds(line.cpuSeconds)} ms CPU ${milliseconds(line.wallSeconds)} ms wall, typed arrays ` +
            `${milliseconds(line.oracleCpuSeconds)} ms CPU: ${line.speedup.toFixed(1)} ×`,
        ),
      );
    });

const insightsBenchCommand = () =>
  new Command('insights')
    .description(
      'the figures of `nextbest insights` and of an experiment over a simulated lake, beside a plain scan of the same lake',
    )
    .option('--events <n,n…>', 'events, such as 1e6,30e6; each size is one shop', numbers, [1e6])
    .option('--repeats <n>', 'runs of each question; the least times count', positiveInteger, 3)
    .option('--folder <dir>', 'keep the lake in <dir>/<events>; one that is there is used again')
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async ({ events, folder, ...flags }: InsightsFlags, command: Command) => {
      const output = outputOf(command);
      for (const size of events) {
        const own = folder === undefined ? undefined : join(folder, String(size));
        await benchInsights(
          { ...flags, events: size, folder: own },
          (line) =>
            output.result(
              { ...line },
              `${count(line.events)} events, ${count(line.customers)} customers: ${line.question.padEnd(10)} ` +
                `${line.wallSeconds.toFixed(2)} s, ${line.cpuSeconds.toFixed(2)} s CPU, ` +
                `${line.ratioToScan.toFixed(1)} × the scan, ${count(Math.round(line.peakMb))} MB`,
            ),
          output.say,
        );
      }
    });

const scoreBenchCommand = () =>
  new Command('score')
    .description('score every customer, as the worker does each night: time and memory')
    .option('--customers <n>', 'how many there are', positiveInteger, 100_000)
    .option('--shop <n>', 'simulated customers whose records are copied', positiveInteger, 2000)
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async (flags: ScoreBenchOptions, command: Command) => {
      const output = outputOf(command);
      const line = await benchScore(flags, output.say);
      output.result(
        { ...line },
        `${count(line.customers)} customers scored in ${line.wallSeconds.toFixed(1)} s, ${line.cpuSeconds.toFixed(1)} s CPU, ` +
          `${line.microsPerCustomer.toFixed(1)} µs each, ${count(Math.round(line.peakMb))} MB; reading the records alone ` +
          `${line.readSeconds.toFixed(1)} s; the first thousand by value in ${line.listSeconds.toFixed(2)} s`,
      );
    });

const freshnessBenchCommand = () =>
  new Command('freshness')
    .description(
      'posts to one process and asks another at once, under load: every next answer must know of it',
    )
    .option('--asks <n>', 'how many', positiveInteger, 10_000)
    .option('--processes <n>', 'of the service', positiveInteger, 2)
    .option('--callers <n>', 'that post and ask at once', positiveInteger, 4)
    .option('--load <n>', 'pages a second, evenly, that are served beside it', positiveInteger, 200)
    .option(
      '--load-returning <share>',
      'of these, 0 to 1, whose customers were asked about a little before; the others are first pages',
      share,
      0,
    )
    .option('--items <n>', 'of the catalogue', positiveInteger, 2000)
    .option('--shop <n>', 'simulated customers whose records are copied', positiveInteger, 1000)
    .option('--folder <dir>', 'keep the shop and its models; one that is there is used again')
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async (flags: FreshnessOptions, command: Command) => {
      const output = outputOf(command);
      const line = await benchFreshness(flags, output.say);
      const told = ({ asks, share, p50Ms, p99Ms }: FreshFigures) =>
        `${count(asks)} asks, ${(100 * share).toFixed(2)} % fresh, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
      const kinds = Object.entries(line.kinds).map(([kind, figures]) => `${kind}: ${told(figures)}`);
      output.result(
        { ...line },
        `${told(line)}; ${kinds.join('; ')}; ${Math.round(line.loadPerSecond)} pages/s beside it ` +
          `(p50 ${line.loadP50Ms.toFixed(1)} ms, p99 ${line.loadP99Ms.toFixed(1)} ms, ${line.loadErrors} errors), services ${line.serviceCpu.toFixed(2)} cores`,
      );
      if (line.share < 1)
        throw new Error('an answer did not know of what had been posted before it was asked for');
    });

const fuzzBenchCommand = () =>
  new Command('fuzz')
    .description(
      'random and spoilt requests over every call: none may be answered with 5xx, or hang the service',
    )
    .option('--requests <n>', 'how many', positiveInteger, 100_000)
    .option('--connections <n>', 'that ask at once', positiveInteger, 16)
    .option('--folder <dir>', 'keep the shop and its models; one that is there is used again')
    .option('--seed <n>', 'another seed is other requests', positiveInteger, 1)
    .action(async (flags: FuzzBenchOptions, command: Command) => {
      const output = outputOf(command);
      const held = await benchFuzz(
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
      if (!held) throw new Error(`with --seed ${flags.seed} the service did not hold what it should`);
    });

const serveBenchCommand = () =>
  new Command('serve')
    .description('the two calls of every page and every e-mail, beside a bare server under the same load')
    .option('--customers <n>', 'whose records there are', positiveInteger, 1_000_000)
    .option(
      '--items <n,n…>',
      'of the catalogue, such as 1e4,1e6; each size is one shop, and what the larger take is set beside the smallest',
      numbers,
      [50_000],
    )
    .option('--simulated-items <n>', 'of these; the others are copies of them', positiveInteger, 50_000)
    .option('--shop <n>', 'simulated customers whose records are copied', positiveInteger, 20_000)
    .option('--connections <n>', 'that ask at once', positiveInteger, 32)
    .option('--seconds <n>', 'of one measurement', positiveInteger, 5)
    .option('--rounds <n>', 'over all servers; the median counts', positiveInteger, 3)
    .option(
      '--returning <n>',
      'customers of a round who are asked about again and again',
      positiveInteger,
      5000,
    )
    .option(
      '--folder <dir>',
      'keep the shop and its models, of several sizes in <dir>/<items>, for the next time',
    )
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async ({ items: sizes, folder, ...flags }: ServeFlags, command: Command) => {
      const output = outputOf(command);
      const measured: { items: number; lines: ServeBenchLine[] }[] = [];
      for (const items of sizes) {
        const own = folder === undefined || sizes.length === 1 ? folder : join(folder, String(items));
        const lines: ServeBenchLine[] = [];
        measured.push({ items, lines });
        if (sizes.length > 1) output.say(`${count(items)} items:`);
        await benchServe(
          { ...flags, items, ...(own !== undefined && { folder: own }) },
          (line) => {
            lines.push(line);
            output.result(
              { ...line, ...(sizes.length > 1 && { items }) },
              `${line.name.padEnd(35)} ${count(Math.round(line.requestsPerSecond)).padStart(7)} requests/s, p50 ${line.p50Ms.toFixed(1)} ms, ` +
                `p99 ${line.p99Ms.toFixed(1)} ms, ${Math.round(line.cpuMicrosPerRequest)} µs CPU a request, ` +
                `${line.ratioToNodeHttpGet.toFixed(2)} × node:http+GET, ${line.errors} errors` +
                Object.entries(line.from ?? {})
                  .map(([from, share]) => `, ${Math.round(100 * share)} % ${from}`)
                  .join(''),
            );
          },
          output.say,
        );
      }
      const [fewest, ...larger] = measured.sort((a, b) => a.items - b.items);
      if (fewest === undefined) return;
      for (const more of larger)
        for (const line of serveGrowth(fewest, more))
          output.result(
            { ...line },
            `${line.name.padEnd(35)} from ${line.items.map(count).join(' to ')} items: p50 ${line.p50Ratio.toFixed(2)} ×, ` +
              `${line.p50RatioBesideNodeHttpGet.toFixed(2)} × beside node:http+GET, ${line.cpuRatio.toFixed(2)} × the CPU`,
          );
    });

const memoryBenchCommand = () =>
  new Command('memory')
    .description('what customers take in Redis, by what their keys are of')
    .option('--customers <n>', 'whose records there are', positiveInteger, 100_000)
    .option('--items <n>', 'of the catalogue', positiveInteger, 5000)
    .option('--shop <n>', 'simulated customers whose records are copied', positiveInteger, 2000)
    .option(
      '--served <n>',
      'customers who are served, to see what that leaves in Redis',
      positiveInteger,
      1000,
    )
    .option('--folder <dir>', 'keep the shop and its models; one that is there is used again')
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async (flags: MemoryBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchMemory(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.kind.padEnd(15)} ${line.bytesPerKey === null ? '' : `${Math.round(line.bytesPerKey)} bytes × ${line.keysPerCustomer?.toFixed(2)} a customer`}` +
              `${line.livesHours === null ? '' : ` (lives ${Math.round(line.livesHours)} h)`}: ` +
              `${Math.round(line.bytesPerCustomer)} bytes a customer, ${line.gibPerMillion.toFixed(3)} GiB a million`,
          ),
        output.say,
      );
    });

const batchBenchCommand = () =>
  new Command('batch')
    .description("a campaign's list, as the worker makes it: customers a second, memory")
    .option('--customers <n>', 'on the list', positiveInteger, 100_000)
    .option('--items <n>', 'of the catalogue', positiveInteger, 5000)
    .option('--shop <n>', 'simulated customers whose records are copied', positiveInteger, 2000)
    .option('--folder <dir>', 'keep the shop and its models; one that is there is used again')
    .option('--seed <n>', 'another seed is another shop', positiveInteger, 1)
    .action(async (flags: BatchBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchBatch(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.name.padEnd(15)} ${count(line.customers)} customers, ${line.offers} offers, made to ${count(line.offered)}: ${line.seconds.toFixed(1)} s, ` +
              `${count(Math.round(line.customersPerSecond))} customers/s, ${Math.round(line.cpuMicrosPerCustomer)} µs CPU each, ` +
              `${count(Math.round(line.peakMb))} MB; reading the records alone ${line.readSeconds.toFixed(1)} s`,
          ),
        output.say,
      );
    });

const budgetsBenchCommand = () =>
  new Command('budgets')
    .description('many clients draw on one budget while processes are killed: it must never be overspent')
    .option('--seconds <n>', 'how long', positiveInteger, 10)
    .option('--clients <n>', 'at once', positiveInteger, 64)
    .option('--processes <n>', 'that they run in', positiveInteger, 4)
    .option('--seed <n>', 'another seed is another order of events', positiveInteger, 1)
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

const decideBenchCommand = () =>
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
          `${percent(summary.expectedShare)} in expectation; ` +
          `estimates from a log cover what was earned: ips ${percent(summary.coverage.ips)}, ` +
          `snips ${percent(summary.coverage.snips)}, direct ${percent(summary.coverage.direct)}, doubly robust ${percent(summary.coverage.doublyRobust)} of ` +
          `${summary.estimates} each; ${summary.violations} violations`,
      );
      if (summary.violations > 0) process.exitCode = 1;
    });

const chaosBenchCommand = () =>
  new Command('chaos')
    .description(
      'services, worker and Redis are killed again and again while callers post: nothing that was acknowledged may be lost',
    )
    .option('--seconds <n>', 'how long processes are killed', positiveInteger, 60)
    .option('--callers <n>', 'programs that call at once', positiveInteger, 12)
    .option('--no-append-only', 'a Redis that keeps nothing on the disk: to see that a loss is found')
    .option('--seed <n>', 'another seed is another order of events', positiveInteger, 1)
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

const overloadBenchCommand = () =>
  new Command('overload')
    .description('what a service does when twice as much is asked of it as it can answer')
    .option('--seconds <n>', 'of one measurement', positiveInteger, 10)
    .option('--connections <n>', 'over which twice as much is asked', positiveInteger, 1000)
    .action(async (flags: OverloadBenchOptions, command: Command) => {
      const output = outputOf(command);
      await benchOverload(
        flags,
        (line) =>
          output.result(
            { ...line },
            `${line.load} × the sustainable load: ${count(Math.round(line.offeredPerSecond))} requests/s, ` +
              `${count(Math.round(line.acceptedPerSecond))} accepted, p50 ${line.acceptedP50Ms.toFixed(1)} ms, p99 ${line.acceptedP99Ms.toFixed(1)} ms; ` +
              `${(100 * line.refusedShare).toFixed(1)} % refused, p99 ${line.refusedP99Ms.toFixed(1)} ms; ${line.errors} errors; sent late by ${line.sentLateP99Ms.toFixed(1)} ms (p99); ` +
              `answers again ${line.recoveredMs.toFixed(0)} ms after it`,
          ),
        output.say,
      );
    });

const major = (minor: number) => (minor / 100).toFixed(2);

const count = new Intl.NumberFormat('en').format;

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(2).padStart(10);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('must be a number from 0 to 1.');
  return value;
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.');
  return Number(text);
}

function numbers(text: string): number[] {
  const values = text.split(',').map(Number);
  if (!values.every((value) => Number.isInteger(value) && value >= 1 && value <= 1e9))
    throw new InvalidArgumentError('must be whole numbers such as 1e6,3e6.');
  return values;
}
