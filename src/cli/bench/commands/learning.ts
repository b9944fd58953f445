/** The measurements of what learns and reckons: training, kernels, insights, scoring. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { outputOf } from '../../output.ts';
import { benchInsights } from '../insights.ts';
import { benchKernels } from '../kernels.ts';
import { benchScore, type ScoreBenchOptions } from '../score.ts';
import { MOVIELENS_1M } from '../synthetic.ts';
import { benchTrain, TRAIN_STAGES, type TrainStage } from '../train.ts';
import { count, milliseconds, numbers, positiveInteger } from './figures.ts';
import { seedFlag, shopFlag } from './flags.ts';

type TrainFlags = { interactions: number[]; only: TrainStage[]; folder?: string; seed: number };
type InsightsFlags = { events: number[]; repeats: number; folder?: string; seed: number };
type KernelFlags = { repeats: number; oracleStride: number; only: string[]; seed: number };

export const trainBenchCommand = () =>
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
    .addOption(seedFlag())
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

export const kernelBenchCommand = () =>
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
    .addOption(seedFlag('other data'))
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

export const insightsBenchCommand = () =>
  new Command('insights')
    .description(
      'the figures of `nextbest insights` and of an experiment over a simulated lake, beside a plain scan of the same lake',
    )
    .option('--events <n,n…>', 'events, such as 1e6,30e6; each size is one shop', numbers, [1e6])
    .option('--repeats <n>', 'runs of each question; the least times count', positiveInteger, 3)
    .option('--folder <dir>', 'keep the lake in <dir>/<events>; one that is there is used again')
    .addOption(seedFlag())
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

export const scoreBenchCommand = () =>
  new Command('score')
    .description('score every customer, as the worker does each night: time and memory')
    .option('--customers <n>', 'how many there are', positiveInteger, 100_000)
    .addOption(shopFlag(2000))
    .addOption(seedFlag())
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
