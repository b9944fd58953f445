/** `nextbest tune`: searches hyper-parameters on a validation part of the training data, within a time that is given. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../domain/errors.ts';
import { days, refuseFlags, type ShopFlags, testDaysDefault } from './last-weeks.ts';
import { outputOf } from './output.ts';
import { collected, type FileFlags, PROTOCOL_NAMES, type ProtocolName, wholeNumber } from './protocols.ts';
import { tuneProtocol } from './tune/protocol.ts';
import { tuneOwnShop } from './tune/shop.ts';

export type TuneFlags = Pick<FileFlags, 'train' | 'history'> &
  ShopFlags & {
    protocol?: ProtocolName;
    model: string[];
    budgetSeconds: number;
    out?: string;
  };

export const tuneCommand = (): Command =>
  new Command('tune')
    .description('search hyper-parameters on held-out training data; stopped and started again, it goes on')
    .addOption(
      new Option(
        '--protocol <name>',
        'the public protocol to tune for; absent: the shop’s own model, on the log in DATA_DIR',
      ).choices(PROTOCOL_NAMES),
    )
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
    .option('--test-days <n>', `the shop: last days that no trial sees (default: ${testDaysDefault})`, days)
    .option('--cutoff <time>', 'the shop: as if it were this instant (ISO 8601)')
    .option('--seed <n>', 'another seed is another split and other trials', wholeNumber, 1)
    .action(async (flags: TuneFlags, command: Command) => {
      if (flags.protocol === undefined) {
        refuseFlags('Tuning the shop’s own model', flags, ['train', 'history', 'model', 'out']);
        await tuneOwnShop(flags, outputOf(command));
        return;
      }
      refuseFlags('Tuning for a protocol', flags, ['testDays', 'cutoff']);
      if (flags.out === undefined) throw new UsageError('Say where the hyper-parameters go: --out FILE.');
      await tuneProtocol(flags.protocol, flags.out, flags, outputOf(command));
    });

function seconds(text: string): number {
  if (!/^\d{1,9}(\.\d+)?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('must be a number of seconds above 0.');
  return Number(text);
}
