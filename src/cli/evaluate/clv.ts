/** `nextbest evaluate clv`: the probability models of purchases and spend, beside their published estimates. */
import { Command, Option } from 'commander';
import { UsageError } from '../../domain/errors.ts';
import {
  CLV_MODELS,
  type ClvModel,
  evaluateClv,
  isFitFor,
} from '../../evaluation/customer-base/evaluate-clv.ts';
import { observe } from '../../evaluation/customer-base/observe.ts';
import { readSummary } from '../../evaluation/customer-base/read-summary.ts';
import { readTransactions } from '../../evaluation/customer-base/read-transactions.ts';
import { dayOf, dayText } from '../../evaluation/input/day.ts';
import { outputOf } from '../output.ts';
import { sayLeftOut } from './left-out.ts';

type Flags = {
  summary?: string;
  transactions?: string;
  model: ClvModel[];
  calibrationEnd?: string;
  holdoutEnd?: string;
  unit: keyof typeof DAYS_PER_UNIT;
  customer?: string;
  date?: string;
  amount?: string;
  frequency?: string;
  recency?: string;
  age?: string;
  spend?: string;
};

const DAYS_PER_UNIT = { day: 1, week: 7 } as const;

/** Results are JSON on stdout with `--json` or without: there is nothing to read in them that is not figures. */
export const evaluateClvCommand = (): Command =>
  new Command('clv')
    .description('fit models of purchases and spend, hold their forecasts to what came: docs/benchmarks.md')
    .option('--summary <file>', 'customers as frequency, recency, age and perhaps average spend')
    .option('--transactions <file>', 'customers, dates and perhaps amounts; with the two dates below')
    .option('--calibration-end <date>', 'the last day that the models know of')
    .option('--holdout-end <date>', 'the last day that they forecast')
    .addOption(
      new Option('--model <name>', 'only this one; may be repeated')
        .choices(CLV_MODELS)
        .argParser((name: string, earlier: ClvModel[]) => [...earlier, parseModel(name)])
        .default([], 'all that the file has columns for'),
    )
    .addOption(
      new Option('--unit <name>', 'unit of time in which transactions are counted')
        .choices(Object.keys(DAYS_PER_UNIT))
        .default('week'),
    )
    .option('--customer <column>', "the transactions' customers: name or number (from 1) of a column")
    .option('--date <column>', 'their days')
    .option('--amount <column>', 'their value')
    .option('--frequency <column>', "the summary's repeat purchases")
    .option('--recency <column>', 'time from first to last purchase')
    .option('--age <column>', 'time from first purchase to the end')
    .option('--spend <column>', 'average value of the repeat purchases')
    .action(async (flags: Flags, command: Command) => {
      const { say } = outputOf(command);
      const observation = await observationOf(flags, say);
      const base = flags.summary === undefined ? observation : await readSummary(flags.summary, flags);
      if (base === undefined) throw new UsageError('Name a file: --summary, --transactions or both.');
      const models = flags.model.length > 0 ? new Set(flags.model) : CLV_MODELS;
      for (const model of models) {
        if (flags.model.length === 0 && !isFitFor(model, base)) continue;
        process.stdout.write(`${JSON.stringify(evaluateClv(model, base, observation))}\n`);
      }
    });

async function observationOf(flags: Flags, say: (text: string) => void) {
  if (flags.transactions === undefined) {
    if (flags.calibrationEnd !== undefined || flags.holdoutEnd !== undefined)
      throw new UsageError('--calibration-end and --holdout-end divide a log: name it with --transactions.');
    return undefined;
  }
  const calibrationEnd = parseDay('--calibration-end', flags.calibrationEnd);
  const holdoutEnd = parseDay('--holdout-end', flags.holdoutEnd);
  if (holdoutEnd <= calibrationEnd)
    throw new UsageError('--holdout-end must be later than --calibration-end.');
  const { log, leftOut } = await readTransactions(flags.transactions, flags);
  sayLeftOut(leftOut, say);
  const observation = observe(log, { calibrationEnd, holdoutEnd, daysPerUnit: DAYS_PER_UNIT[flags.unit] });
  const { lastDay } = observation.holdout;
  if (lastDay < holdoutEnd)
    say(
      `The log ends on ${dayText(lastDay)}: forecasts are for purchases up to ${dayText(holdoutEnd)} all the same.`,
    );
  return observation;
}

function parseDay(flag: string, text: string | undefined): number {
  const day = dayOf(text ?? '');
  if (Number.isNaN(day))
    throw new UsageError(
      text === undefined
        ? `${flag} is missing: --transactions goes with --calibration-end and --holdout-end.`
        : `${flag} takes a day such as 1997-09-30, not "${text}".`,
    );
  return day;
}

function parseModel(name: string): ClvModel {
  const model = CLV_MODELS.find((one) => one === name);
  if (model === undefined)
    throw new UsageError(`There is no model "${name}"; models are ${CLV_MODELS.join(', ')}.`);
  return model;
}
