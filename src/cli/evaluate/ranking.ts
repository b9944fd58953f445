/** `nextbest evaluate ranking`: every model that fits a public protocol, on the files of a published split. */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { createKernels } from '../../algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../../infra/kernel-runtime.ts';
import { days, refuseFlags, type ShopFlags, testDaysDefault } from '../last-weeks.ts';
import { figuresOf } from '../output.ts';
import { showProgress } from '../progress.ts';
import {
  collected,
  type FileFlags,
  filesOf,
  PROTOCOL_NAMES,
  type ProtocolName,
  RUNNABLE,
  wholeNumber,
} from '../protocols.ts';
import { evaluateLastWeeks } from './last-weeks.ts';

type Flags = FileFlags &
  ShopFlags & { protocol: ProtocolName | 'last-weeks'; model: string[]; params?: string };

const fileFlags = ['train', 'test', 'negatives', 'history', 'future'];

export const evaluateRankingCommand = (): Command =>
  new Command('ranking')
    .description('train every model that fits the protocol and print its figures: docs/evaluation.md')
    .addOption(
      new Option('--protocol <name>', 'how it is measured; last-weeks: on the shop’s own log, in DATA_DIR')
        .choices([...PROTOCOL_NAMES, 'last-weeks'])
        .makeOptionMandatory(),
    )
    .option('--train <file>', 'pairs to learn from')
    .option('--test <file>', 'pairs to foretell')
    .option('--negatives <file>', 'what each test pair is ranked among; drawn where there is no such file')
    .option('--history <file>', 'baskets to learn from')
    .option('--future <file>', "each user's next basket")
    .option('--model <name>', 'only this one; may be repeated', collected, [])
    .option('--params <file>', 'hyper-parameters, as `nextbest tune` writes them; else the defaults')
    .option('--test-days <n>', `last-weeks: length of the test (default: ${testDaysDefault})`, days)
    .option('--cutoff <time>', 'last-weeks: as if it were this instant (ISO 8601)')
    .option('--seed <n>', 'another seed is other random numbers', wholeNumber, 1)
    .action(async (flags: Flags, command: Command) => {
      const output = figuresOf(command);
      if (flags.protocol === 'last-weeks') {
        refuseFlags('The protocol last-weeks', flags, [...fileFlags, 'model', 'params']);
        await evaluateLastWeeks(flags, output);
        return;
      }
      refuseFlags(`The protocol ${flags.protocol}`, flags, ['testDays', 'cutoff']);
      const protocol = RUNNABLE[flags.protocol];
      const files = filesOf(flags.protocol, flags);
      const kernels = await createKernels(await openKernelRuntime(), { threads: availableParallelism() });
      let progress: { model: string; display: ReturnType<typeof showProgress> } | undefined;
      const endProgress = () => {
        progress?.display.stop();
        progress = undefined;
      };
      try {
        await protocol.measure({
          files,
          only: flags.model,
          paramsPath: flags.params,
          seed: flags.seed,
          kernels,
          clock: () => performance.now(),
          onData: (summary) => {
            output.say(summary);
            output.heading(headingOf(protocol.metrics));
          },
          onSkipped: (model, reason) => output.say(`${model} is left out. ${reason}`),
          onProgress: (model, share) => {
            if (progress?.model !== model) {
              endProgress();
              progress = { model, display: showProgress(model) };
            }
            progress.display.report({ share, stage: 'fitting' });
          },
          onMeasured: ({ model, figures, fitSeconds }) => {
            endProgress();
            const ordered = protocol.metrics.map(
              (metric) => [metric, figures[metric] ?? Number.NaN] as const,
            );
            output.result(
              { model, ...Object.fromEntries(ordered), fitSeconds },
              [
                model.padEnd(24),
                ...ordered.map(([, value]) => value.toFixed(4).padStart(11)),
                fitSeconds.toFixed(1).padStart(11),
              ].join(' '),
            );
          },
        });
      } finally {
        endProgress();
        await kernels.close();
      }
    });

function headingOf(metrics: readonly string[]): string {
  return ['model'.padEnd(24), ...[...metrics, 'fitSeconds'].map((name) => name.padStart(11))].join(' ');
}
