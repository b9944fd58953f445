/** `nextbest evaluate churn`: who comes back within a horizon, by the network and by what knows less. */
import { Command } from 'commander';
import { UsageError } from '../../domain/errors.ts';
import { readTransactions } from '../../evaluation/customer-base/read-transactions.ts';
import { dayOf, dayText } from '../../evaluation/input/day.ts';
import { createLogger } from '../../infra/logger.ts';
import { evaluateChurnLog } from '../../train/churn/evaluate-log.ts';
import { loadTensorFlow } from '../../train/tensorflow.ts';
import { outputOf } from '../output.ts';
import { showProgress } from '../progress.ts';
import { wholeNumber } from '../protocols.ts';
import { sayLeftOut } from './left-out.ts';

type Flags = {
  transactions: string;
  customer?: string;
  date?: string;
  amount?: string;
  calibrationEnd: number;
  horizonDays: number;
  seed: number;
};

/** Results are JSON on stdout with `--json` or without: there is nothing to read in them that is not figures. */
export const evaluateChurnCommand = (): Command =>
  new Command('churn')
    .description(
      'learn who comes back, on the earlier days of a log; test on its later ones: docs/evaluation.md',
    )
    .requiredOption('--transactions <file>', 'customers, dates and perhaps amounts')
    .option('--customer <column>', 'name or number (from 1) of the column of customers')
    .option('--date <column>', 'that of days')
    .option('--amount <column>', 'that of amounts')
    .requiredOption('--calibration-end <date>', 'the last day that the models know of', parseDay)
    .requiredOption('--horizon-days <n>', 'days after it; lost is who does not buy in them', parseHorizon)
    .option('--seed <n>', 'another seed is other random numbers', wholeNumber, 1)
    .action(async (flags: Flags, command: Command) => {
      const { say } = outputOf(command);
      const { calibrationEnd, horizonDays, seed } = flags;
      const { log, leftOut } = await readTransactions(flags.transactions, flags);
      sayLeftOut(leftOut, say);
      const { tf } = await loadTensorFlow(createLogger('warn', 'evaluate'));
      const progress = showProgress('network');
      const evaluation = await evaluateChurnLog(tf, log, { calibrationEnd, horizonDays, seed }, (share) =>
        progress.report({ share, stage: 'learning' }),
      ).finally(progress.stop);
      const { lastDay, testCustomers, lost, looks, learnRows } = evaluation;
      if (lastDay < calibrationEnd + horizonDays)
        say(
          `The log ends on ${dayText(lastDay)}, before the horizon does: whoever had not come back by then counts as lost.`,
        );
      say(
        `${testCustomers} customers, of whom ${(100 * lost).toFixed(1)} % were lost; learnt from ${learnRows} rows at ${looks} earlier looks.`,
      );
      for (const line of evaluation.lines) process.stdout.write(`${JSON.stringify(line)}\n`);
    });

function parseDay(text: string): number {
  const day = dayOf(text);
  if (Number.isNaN(day))
    throw new UsageError(`--calibration-end takes a day such as 1997-09-30, not "${text}".`);
  return day;
}

function parseHorizon(text: string): number {
  const days = wholeNumber(text);
  if (days < 1) throw new UsageError(`--horizon-days takes a number of days from 1, not ${text}.`);
  return days;
}
