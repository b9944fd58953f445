/** `nextbest evaluate offers`: what policies would have earned on a log of decisions. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { ESTIMATORS, type EstimatorName } from '../../algorithms/off-policy/estimators.ts';
import { evaluateOffers, type PolicyLine } from '../../evaluation/offers/evaluate-offers.ts';
import {
  type ColumnMap,
  DECISION_COLUMNS,
  DECISION_PRESETS,
  readDecisions,
} from '../../evaluation/offers/read-decisions.ts';
import { figuresOf } from '../output.ts';
import { showProgress } from '../progress.ts';
import { collected } from '../protocols.ts';

type Flags = {
  decisions: string;
  seeds: number;
  estimator: EstimatorName;
  preset?: string;
  map: ColumnMap;
  ignore: string[];
};

export const evaluateOffersCommand = (): Command =>
  new Command('offers')
    .description(
      'learn from half of the customers of a log of decisions whom to make which offer, and judge policies on the others: docs/evaluation.md',
    )
    .requiredOption(
      '--decisions <file>',
      `CSV, NDJSON or Parquet (.gz too) with ${DECISION_COLUMNS.join(', ')}; all other columns are context`,
    )
    .option('--seeds <n>', 'splits of the customers, over which figures are averaged', seeds, 3)
    .addOption(
      new Option('--estimator <name>', 'how values are estimated')
        .choices(ESTIMATORS)
        .default('doublyRobust'),
    )
    .addOption(
      new Option('--preset <name>', "the columns' names in a known format").choices(
        Object.keys(DECISION_PRESETS),
      ),
    )
    .option(
      '--map <column=name>',
      'what one of these columns is called in the file, such as reward=spend; may be repeated',
      mapped,
      {},
    )
    .option(
      '--ignore <column>',
      'not known before the decision, or not to be used; may be repeated',
      collected,
      [],
    )
    .action(async (flags: Flags, command: Command) => {
      const output = figuresOf(command);
      const map = { ...DECISION_PRESETS[flags.preset ?? ''], ...flags.map };
      const log = await readDecisions(flags.decisions, map, flags.ignore);
      output.say(
        `${log.rows} decisions on ${log.customers.length} customers, ${log.offers.length} offers${log.arm.includes(-1) ? ' and none' : ''}.`,
      );
      const progress = showProgress('evaluate');
      const { lines, notes } = await evaluateOffers(log, {
        seeds: flags.seeds,
        estimator: flags.estimator,
        onProgress: (share) => progress.report({ share, stage: 'learning' }),
      }).finally(progress.stop);
      for (const note of notes) output.say(note);
      for (const line of lines) output.result(line, textOf(line));
    });

function textOf({
  policy,
  value,
  lower,
  upper,
  upliftAt10,
  upliftAt20,
  upliftAt30,
  qini,
}: PolicyLine): string {
  const text = (figure: number | null) => (figure === null ? '–' : figure.toPrecision(4));
  return [
    policy.padEnd(12),
    `value ${text(value)} (${text(lower)} to ${text(upper)})`,
    `uplift at 10, 20, 30 %: ${[upliftAt10, upliftAt20, upliftAt30].map(text).join(', ')}`,
    `qini ${text(qini)}`,
  ].join('  ');
}

function seeds(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('must be a number from 1 to 99.');
  return Number(text);
}

function mapped(text: string, earlier: ColumnMap): ColumnMap {
  const at = text.indexOf('=');
  const column = DECISION_COLUMNS.find((one) => one === text.slice(0, at));
  if (column === undefined)
    throw new InvalidArgumentError(
      `must be one of ${DECISION_COLUMNS.join(', ')}, an equals sign and the column's name.`,
    );
  return { ...earlier, [column]: text.slice(at + 1) };
}
