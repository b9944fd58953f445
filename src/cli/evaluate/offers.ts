/** `nextbest evaluate offers`: what policies would have earned on a log of decisions. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { ESTIMATORS, type EstimatorName } from '../../algorithms/off-policy/estimators.ts';
import { loadDecisionPolicy } from '../../decide/policy.ts';
import { UsageError } from '../../domain/errors.ts';
import {
  evaluateOffers,
  type OffersEvaluation,
  type OffersOptions,
  type PolicyLine,
} from '../../evaluation/offers/evaluate-offers.ts';
import {
  type ColumnMap,
  DECISION_COLUMNS,
  DECISION_PRESETS,
  readDecisions,
} from '../../evaluation/offers/read-decisions.ts';
import { openLake } from '../../history/lake.ts';
import { readConfig } from '../../infra/config.ts';
import { createLogger } from '../../infra/logger.ts';
import { evaluateDecisions } from '../../train/offers/evaluate-decisions.ts';
import { figuresOf } from '../output.ts';
import { showProgress } from '../progress.ts';
import { collected } from '../protocols.ts';

type Flags = {
  decisions?: string;
  lake?: true;
  model?: string;
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
    .option(
      '--decisions <file>',
      `CSV, NDJSON or Parquet (.gz too) with ${DECISION_COLUMNS.join(', ')}; all other columns are context`,
    )
    .option('--lake', "the service's own decisions and what came of them, in DATA_DIR")
    .option('--model <version>', 'of the offer model, judged beside the others (default: the newest)')
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
      const progress = showProgress('evaluate');
      const options: OffersOptions = {
        seeds: flags.seeds,
        estimator: flags.estimator,
        onProgress: (share) => progress.report({ share, stage: 'learning' }),
      };
      const evaluate = flags.lake ? evaluateLake : evaluateFile;
      const { lines, notes } = await evaluate(flags, options, output.say).finally(progress.stop);
      for (const note of notes) output.say(note);
      for (const line of lines) output.result(line, textOf(line));
    });

async function evaluateFile(
  { decisions, preset, map: own, ignore, model }: Flags,
  options: OffersOptions,
  say: (text: string) => void,
): Promise<OffersEvaluation> {
  if (decisions === undefined)
    throw new UsageError("Say whose decisions: --decisions FILE, or --lake for the service's own.");
  if (model !== undefined) throw new UsageError('--model is of the service: it goes with --lake.');
  const map = { ...DECISION_PRESETS[preset ?? ''], ...own };
  const log = await readDecisions(decisions, map, ignore);
  say(
    `${log.rows} decisions on ${log.customers.length} customers, ${log.offers.length} offers${log.arm.includes(-1) ? ' and none' : ''}.`,
  );
  return evaluateOffers(log, options);
}

async function evaluateLake(
  { decisions, preset, map, ignore, model }: Flags,
  options: OffersOptions,
  say: (text: string) => void,
): Promise<OffersEvaluation> {
  if (decisions !== undefined || preset !== undefined || ignore.length > 0 || Object.keys(map).length > 0)
    throw new UsageError(
      '--decisions, --preset, --map and --ignore are of a file: leave them out with --lake.',
    );
  const config = readConfig(process.env);
  const lake = await openLake(config.dataDir);
  try {
    const found = await evaluateDecisions(
      {
        lake,
        policy: loadDecisionPolicy(config.decisionPolicyFile),
        currency: config.currency,
        seed: 1,
        modelsDir: config.modelsDir,
        log: createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'evaluate'),
        end: Date.now(),
        ...(model !== undefined && { version: model }),
      },
      options,
    );
    say(
      `${found.decisions} decisions on ${found.customers} customers, in minor units of ${config.currency}.`,
    );
    return found;
  } finally {
    lake.close();
  }
}

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
