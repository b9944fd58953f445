/** `nextbest tune`: searches hyper-parameters on a validation part of the training data, within a time that is given. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { outputOf } from './output.ts';
import { collected, type FileFlags, PROTOCOL_NAMES, type ProtocolName, wholeNumber } from './protocols.ts';
import { tuneProtocol } from './tune/protocol.ts';

export type TuneFlags = Pick<FileFlags, 'train' | 'history'> & {
  protocol?: ProtocolName;
  model: string[];
  budgetSeconds: number;
  out?: string;
  seed: number;
};

export const tuneCommand = (): Command =>
  new Command('tune')
    .description('search hyper-parameters on held-out training data; stopped and started again, it goes on')
    .addOption(new Option('--protocol <name>', 'the public protocol to tune for').choices(PROTOCOL_NAMES))
    .option('--train <file>', 'pairs to learn from')
    .option('--history <file>', 'baskets to learn from')
    .option('--model <name>', 'only this one; may be repeated', collected, [])
    .option(
      '--budget-seconds <n>',
      'time for all trials together, those of earlier runs included',
      seconds,
      600,
    )
    .option('--out <file>', 'where the best hyper-parameters go; every trial is kept beside it')
    .option('--seed <n>', 'another seed is another split and other trials', wholeNumber, 1)
    .action(async (flags: TuneFlags, command: Command) => {
      if (flags.protocol === undefined) throw new UsageError('Say what to tune for: --protocol NAME.');
      if (flags.out === undefined) throw new UsageError('Say where the hyper-parameters go: --out FILE.');
      await tuneProtocol(flags.protocol, flags.out, flags, outputOf(command));
    });

function seconds(text: string): number {
  if (!/^\d{1,9}(\.\d+)?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('must be a number of seconds above 0.');
  return Number(text);
}
