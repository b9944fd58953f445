/** What can be read out: an experiment, the control group, the holdout of an offer; and since when. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DecisionPolicy } from '../../domain/decision-policy.ts';
import { AppError } from '../../domain/errors.ts';
import { dayMs } from '../../domain/time.ts';
import { type Lake, sqlText } from '../../history/lake.ts';
import { type Readout, type ReadoutSettings, readOut } from './readout.ts';
import { controlGroupSplit, experimentSplit, offerHoldoutSplit, type Span, type Split } from './split.ts';

/** First and last day, UTC, both count: `YYYY-MM-DD`. */
export type Days = { from?: string | undefined; to?: string | undefined };

export type ReadoutQuestion =
  | { of: 'experiment'; name: string }
  | ({ of: 'controlGroup' } & Days)
  | ({
      of: 'offerHoldout';
      offerId: string;
      holdoutShare: number;
      validFrom?: string | undefined;
      /** When the offer was first saved, as far as the asker knows: the lake has it seconds later. Milliseconds since 1970. */
      savedAt?: number | undefined;
    } & Days);

/** Throws AppError NOT_FOUND where the policy has no such experiment or nobody is kept out. */
export async function answerReadout(
  lake: Pick<Lake, 'from' | 'connect'>,
  question: ReadoutQuestion,
  policy: DecisionPolicy,
  settings: ReadoutSettings,
  signal?: AbortSignal,
): Promise<Readout> {
  return await readOut(lake, await splitOf(lake, question, policy, settings.now), settings, signal);
}

async function splitOf(
  lake: Pick<Lake, 'from' | 'connect'>,
  question: ReadoutQuestion,
  policy: DecisionPolicy,
  now: number,
): Promise<Split> {
  switch (question.of) {
    case 'experiment': {
      const experiment = policy.experiments.find(({ name }) => name === question.name);
      if (experiment === undefined) throw noSuchExperiment(question.name, policy);
      return experimentSplit(experiment, policy);
    }
    case 'controlGroup': {
      if (policy.controlGroupShare === 0)
        throw new AppError('NOT_FOUND', {
          public: 'There is no control group: controlGroupShare of the decision policy is 0.',
        });
      return controlGroupSplit(policy, await spanOf(lake, question, firstDecision(lake), { now }));
    }
    case 'offerHoldout': {
      const { offerId, holdoutShare, validFrom, savedAt } = question;
      if (holdoutShare === 0)
        throw new AppError('NOT_FOUND', {
          public: `Nobody is kept out of the offer ${offerId}: its holdoutShare is 0.`,
        });
      const first = firstOfOffer(lake, offerId);
      const span = await spanOf(lake, question, first, { now, savedAt, validFrom });
      return offerHoldoutSplit({ offerId, holdoutShare }, policy, span);
    }
  }
}

function noSuchExperiment(name: string, { experiments }: DecisionPolicy): AppError {
  const names = experiments.map((experiment) => experiment.name);
  return new AppError('NOT_FOUND', {
    public:
      names.length === 0
        ? 'There are no experiments: the decision policy (DECISION_POLICY_FILE) names none.'
        : `There is no experiment "${name.slice(0, 50)}". There are: ${names.join(', ')}.`,
  });
}

/** The days asked for; else since the offers began, until now: where nothing tells that they have, there is nothing before now. */
async function spanOf(
  lake: Pick<Lake, 'connect'>,
  { from, to }: Days,
  began: string,
  { now, savedAt, validFrom }: { now: number; savedAt?: number | undefined; validFrom?: string | undefined },
): Promise<Span> {
  const end = to === undefined ? undefined : Date.parse(`${to}T00:00:00Z`) + dayMs;
  if (from !== undefined) return { from: Date.parse(`${from}T00:00:00Z`), end };
  const connection = await lake.connect();
  try {
    const first = Math.min((await instantOf(connection, began)) ?? now, savedAt ?? now);
    return { from: Math.max(first, Date.parse(validFrom ?? '') || 0), end };
  } finally {
    connection.closeSync();
  }
}

async function instantOf(connection: DuckDBConnection, query: string): Promise<number | undefined> {
  const value = (await connection.runAndReadAll(query)).value(0, 0);
  return typeof value === 'number' ? value : undefined;
}

function firstDecision(lake: Pick<Lake, 'from'>): string {
  return `SELECT epoch_ms(min(decidedAt))::DOUBLE FROM ${lake.from('decisions')}`;
}

function firstOfOffer(lake: Pick<Lake, 'from'>, offerId: string): string {
  return `SELECT epoch_ms(min(updatedAt))::DOUBLE FROM ${lake.from('offers')} WHERE offerId = ${sqlText(offerId)}`;
}
