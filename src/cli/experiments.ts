/** `nextbest experiments`: what an experiment, the control group or the holdout of an offer tells. Reads the lake; needs no service. */
import { Command } from 'commander';
import { loadDecisionPolicy } from '../decide/policy.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { AppError, UsageError } from '../domain/errors.ts';
import type { Offer } from '../domain/offer.ts';
import { latestOffers } from '../history/catalogue.ts';
import { type Lake, openLake } from '../history/lake.ts';
import { readConfig } from '../infra/config.ts';
import { answerReadout, type Days, type ReadoutQuestion } from '../insights/experiments/questions.ts';
import { stateOf } from '../insights/experiments/readout.ts';
import { periodFaults } from '../insights/period.ts';
import { DEFAULT_MARGIN_RATE } from '../offers/shop-statistics.ts';
import { parseDay } from './day-flag.ts';
import { experimentLine, readoutTable } from './experiments-table.ts';
import { outputOf } from './output.ts';

type ExperimentsFlags = Days & { controlGroup?: boolean; offer?: string };

export const experimentsCommand = (): Command =>
  new Command('experiments')
    .description(
      'the experiments of the decision policy; with a name what that one has done to repeat purchases, margin, churn and ' +
        'satisfaction: docs/experiments.md',
    )
    .argument('[name]', 'an experiment')
    .option('--control-group', 'what all offers together have earned, beside the customers who get none')
    .option('--offer <id>', 'what this offer has earned, beside its holdout')
    .option(
      '--from <YYYY-MM-DD>',
      'of control group and offers: first day, UTC (default: since offers are made)',
      parseDay,
    )
    .option('--to <YYYY-MM-DD>', 'of control group and offers: last day, UTC (default: until now)', parseDay)
    .action(async (name: string | undefined, flags: ExperimentsFlags, command: Command) => {
      checkFlags(name, flags);
      const output = outputOf(command);
      const config = readConfig(process.env);
      const { policy } = loadDecisionPolicy(config.decisionPolicyFile);
      const now = Date.now();
      if (name === undefined && flags.controlGroup !== true && flags.offer === undefined) {
        if (policy.experiments.length === 0)
          output.say('The decision policy names no experiment: docs/experiments.md tells how to set one up.');
        for (const experiment of policy.experiments) {
          const end = experiment.to === undefined ? undefined : Date.parse(experiment.to);
          const state = stateOf({ from: Date.parse(experiment.from), end }, now);
          output.result({ ...experiment, state }, experimentLine(experiment, state));
        }
        return;
      }
      const lake = await openLake(config.dataDir);
      try {
        const question = await questionOf(lake, name, flags);
        const readout = await answer(lake, question, policy, now);
        output.result(
          { ...readout, currency: config.currency },
          readoutTable(titleOf(name, flags), readout, config.currency),
        );
      } finally {
        lake.close();
      }
    });

function checkFlags(name: string | undefined, { controlGroup, offer, from, to }: ExperimentsFlags): void {
  const asked = [name, controlGroup, offer].filter((one) => one !== undefined);
  if (asked.length > 1) throw new UsageError('Give one of: a name, --control-group, --offer.');
  const [fault] = periodFaults({ from, to });
  if (fault !== undefined) throw new UsageError(`--${fault.path} ${fault.message}.`);
  if ((from ?? to) !== undefined && controlGroup !== true && offer === undefined)
    throw new UsageError(
      '--from and --to go with --control-group or --offer: an experiment has its own days.',
    );
}

async function questionOf(
  lake: Lake,
  name: string | undefined,
  { controlGroup, offer: offerId, from, to }: ExperimentsFlags,
): Promise<ReadoutQuestion> {
  if (name !== undefined) return { of: 'experiment', name };
  if (controlGroup === true || offerId === undefined) return { of: 'controlGroup', from, to };
  const { holdoutShare, validFrom } = await offerInLake(lake, offerId);
  return { of: 'offerHoldout', offerId, holdoutShare, validFrom, from, to };
}

async function offerInLake(lake: Lake, offerId: string): Promise<Offer> {
  for await (const changes of latestOffers(lake))
    for (const change of changes)
      if (change.kind === 'offer' && change.offer.offerId === offerId) return change.offer;
  throw new UsageError(`The lake holds no offer "${offerId}".`);
}

/** What there is not is a wrong argument here. */
async function answer(lake: Lake, question: ReadoutQuestion, policy: DecisionPolicy, now: number) {
  try {
    return await answerReadout(lake, question, policy, { assumedShare: DEFAULT_MARGIN_RATE, now });
  } catch (err) {
    if (err instanceof AppError && err.code === 'NOT_FOUND') throw new UsageError(err.public);
    throw err;
  }
}

function titleOf(name: string | undefined, { offer }: ExperimentsFlags): string {
  return name ?? (offer === undefined ? 'Control group: all offers together' : `Holdout of ${offer}`);
}
