/** `nextbest bench`: how fast this machine does what nextbest is made of. */
import { Command, InvalidArgumentError } from 'commander';
import { benchKernels } from './bench/kernels.ts';
import { MOVIELENS_1M } from './bench/synthetic.ts';
import { outputOf } from './output.ts';

type KernelFlags = { repeats: number; oracleStride: number; only: string[]; seed: number };

export const benchCommand = (): Command =>
  new Command('bench').description('measure speed').addCommand(
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
      }),
  );

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(2).padStart(10);
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.');
  return Number(text);
}
