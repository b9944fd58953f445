/**
 * `nextbest bench`: how fast this machine does what nextbest is made of. Each kind of measurement has its commands in a file of
 * `bench/commands/`.
 */
import { Command } from 'commander';
import { breakOffOnSignals } from './bench/broken-off.ts';
import { batchBenchCommand, budgetsBenchCommand, decideBenchCommand } from './bench/commands/deciding.ts';
import { chaosBenchCommand, eraseBenchCommand, fuzzBenchCommand } from './bench/commands/enduring.ts';
import {
  insightsBenchCommand,
  kernelBenchCommand,
  scoreBenchCommand,
  trainBenchCommand,
} from './bench/commands/learning.ts';
import {
  freshnessBenchCommand,
  memoryBenchCommand,
  overloadBenchCommand,
  serveBenchCommand,
} from './bench/commands/serving.ts';
import { outputOf } from './output.ts';

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
    .addCommand(eraseBenchCommand())
    .addCommand(chaosBenchCommand())
    .addCommand(overloadBenchCommand());
