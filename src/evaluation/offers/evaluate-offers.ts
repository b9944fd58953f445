/** What policies would have earned on a log of decisions: learnt on half of its customers, judged on the others. */
import { type Estimate, meanOf, unknownEstimate } from '../../algorithms/off-policy/estimate.ts';
import { type EstimatorName, type PolicyValue, policyValue } from '../../algorithms/off-policy/estimators.ts';
import {
  deterministic,
  type LoggedActions,
  type Policy,
  uniform,
} from '../../algorithms/off-policy/logged-actions.ts';
import { effectScores, qini, upliftAtTop } from '../../algorithms/off-policy/ranked-uplift.ts';
import { z95 } from '../../algorithms/proportion-interval.ts';
import { createRng } from '../../algorithms/rng.ts';
import { fitUplift, UpliftOptions } from '../../algorithms/uplift/fit-uplift.ts';
import { noContact, type UpliftLog } from '../../algorithms/uplift/uplift-log.ts';
import { createUpliftReader, effectOf, type UpliftModel } from '../../algorithms/uplift/uplift-model.ts';
import { UsageError } from '../../domain/errors.ts';
import { type Contexts, contextsOf } from './decision-contexts.ts';
import type { DecisionLog } from './read-decisions.ts';

export const OFFER_POLICIES = ['uplift', 'response', 'best-single', 'random', 'none', 'logged'] as const;
export type OfferPolicy = (typeof OFFER_POLICIES)[number];

/** Rewards a decision, in the log's unit. null: cannot be told from this log. */
export type PolicyLine = {
  /** One of `OFFER_POLICIES`, or the name of one that was given. */
  policy: OfferPolicy | (string & {});
  value: number | null;
  lower: number | null;
  upper: number | null;
  /** `mean`: of what was logged nothing needs to be estimated. */
  estimator: EstimatorName | 'mean';
  effectiveSampleSize: number | null;
  upliftAt10: number | null;
  upliftAt20: number | null;
  upliftAt30: number | null;
  qini: number | null;
};

export type OffersEvaluation = {
  lines: PolicyLine[];
  /** What whoever asked should know, in sentences. */
  notes: string[];
};

/** A policy that was there before: it learns nothing from the log. */
export type GivenPolicy = {
  name: string;
  /** By row of the log: position among the offers, or `noContact`. */
  choice: Int32Array;
  /** By row: what it ranks by. */
  score: Float64Array;
};

export type OffersOptions = {
  /** Judged beside the others. The log must have rows of no contact. */
  policies?: readonly GivenPolicy[];
  /** One split of the customers each. */
  seeds: number;
  estimator: EstimatorName;
  onProgress: (share: number) => void;
};

const shares = [0.1, 0.2, 0.3] as const;
/** Fewer on either side teach nothing that an interval would hold. */
const customersMin = 50;
/** Difference of means, in deviations, past which a context looks like an outcome. */
const imbalanceMax = 0.1;

/** Part of the arms by which the mean of 1/π₀ may be off them: some offers are not for everybody. */
const armsTolerance = 0.1;

/** UsageError where there is too little to learn from. */
export async function evaluateOffers(log: DecisionLog, options: OffersOptions): Promise<OffersEvaluation> {
  const contexts = log.contexts === undefined ? contextsOf(log) : { ...log.contexts, dropped: [] };
  const hasNone = log.arm.includes(noContact);
  if (log.offers.length === 0)
    throw new UsageError('Nobody was contacted in this log: there is no offer to evaluate.');
  if (!hasNone && log.offers.length === 1)
    throw new UsageError(
      'Everybody got the same offer in this log: there is nothing to compare it with. Rows without contact have an empty offerId or "none".',
    );
  if (log.customers.length < 2 * customersMin)
    throw new UsageError(
      `The log has ${log.customers.length} customers; at least ${2 * customersMin} are needed to learn from half of them and judge on the others.`,
    );
  // Without rows of no contact, effects are against the commonest offer.
  const order = hasNone ? log.offers.map((_, a) => a) : commonestLast(log);
  const reference = hasNone ? noContact : order.pop()!;
  const action = log.arm.map((arm) => (arm === reference ? 0 : order.indexOf(arm) + 1));
  const { policies: given = [] } = options;
  if (given.length > 0 && !hasNone)
    throw new UsageError('Nobody was left alone in this log: there is nothing to judge a policy against.');
  const names = [...given.map(({ name }) => name), ...OFFER_POLICIES];
  const found = new Map(names.map((name): [string, Judgement[]] => [name, []]));
  for (let seed = 1; seed <= options.seeds; seed++) {
    const isJudged = log.customers.map((id) => createRng(seed, 'half', id).next() < 0.5);
    const rows = [...log.arm.keys()];
    const learned = rows.filter((row) => !isJudged[log.customer[row]!]);
    const judged = rows.filter((row) => isJudged[log.customer[row]!]);
    const model = await learn(log, contexts, action, order, learned, seed, (share) =>
      options.onProgress((seed - 1 + 0.9 * share) / options.seeds),
    );
    const judgements = judge(log, contexts, action, model, judged, { ...options, hasNone, given });
    for (const name of names) found.get(name)?.push(judgements[name]!);
    options.onProgress(seed / options.seeds);
  }
  return {
    lines: [...found].map(([policy, judgements]) => lineOf(policy, judgements, options.estimator)),
    notes: notesOf(log, contexts, hasNone, reference),
  };
}

type Judgement = {
  value: PolicyValue | undefined;
  uplift: (number | null)[];
  qini: number | null;
};

async function learn(
  log: DecisionLog,
  contexts: Contexts,
  action: Int32Array,
  order: readonly number[],
  rows: readonly number[],
  seed: number,
  onProgress: (share: number) => void,
): Promise<UpliftModel> {
  const columns = contexts.names.length;
  const part: UpliftLog = {
    rows: rows.length,
    columns,
    contexts: new Float32Array(rows.length * columns),
    arm: Int32Array.from(rows, (row) => action[row]! - 1),
    propensity: Float64Array.from(rows, (row) => log.propensity[row]!),
    reward: Float64Array.from(rows, (row) => log.reward[row]!),
    customer: Int32Array.from(rows, (row) => log.customer[row]!),
  };
  rows.forEach((row, n) => {
    part.contexts.set(contexts.values.subarray(row * columns, (row + 1) * columns), n * columns);
  });
  const arms = order.map((arm) => ({ id: log.offers[arm]!, traits: {} }));
  try {
    return await fitUplift(part, arms, UpliftOptions.parse({}), createRng(seed, 'uplift'), onProgress);
  } catch (err) {
    if (err instanceof RangeError)
      throw new UsageError(
        `Half of the customers are too few to learn from (${err.message}). Give a larger log.`,
        { cause: err },
      );
    throw err;
  }
}

function judge(
  log: DecisionLog,
  contexts: Contexts,
  action: Int32Array,
  model: UpliftModel,
  rows: readonly number[],
  {
    estimator,
    hasNone,
    given,
  }: { estimator: EstimatorName; hasNone: boolean; given: readonly GivenPolicy[] },
): Record<string, Judgement> {
  const columns = contexts.names.length;
  const actions = model.arms.length + 1;
  const logged: LoggedActions = {
    action: Int32Array.from(rows, (row) => action[row]!),
    propensity: Float64Array.from(rows, (row) => log.propensity[row]!),
    reward: Float64Array.from(rows, (row) => log.reward[row]!),
    customer: Int32Array.from(rows, (row) => log.customer[row]!),
  };
  const read = createUpliftReader(model);
  const expected = new Float64Array(rows.length * actions);
  const best = new Int32Array(rows.length);
  const effect = new Float64Array(rows.length);
  const response = new Float64Array(rows.length);
  const total = new Float64Array(actions);
  rows.forEach((row, n) => {
    const subject = read(contexts.values, row * columns);
    expected[n * actions] = subject.untouched;
    best[n] = 1;
    effect[n] = Number.NEGATIVE_INFINITY;
    model.arms.forEach((arm, a) => {
      const own = effectOf(arm, subject);
      total[a + 1]! += own;
      expected[n * actions + a + 1] = subject.untouched + own;
      if (own > effect[n]!) {
        effect[n] = own;
        best[n] = a + 1;
      }
    });
    response[n] = subject.untouched + effect[n]!;
  });
  const single = hasNone
    ? 1 + argmax(total.subarray(1))
    : // The reference itself has an effect of 0.
      argmax(total);
  const always = new Int32Array(rows.length).fill(single);
  const reward = (row: number, a: number) => expected[row * actions + a]!;
  const worth = (policy: Policy) => policyValue(estimator, logged, policy, reward);
  const scoresOf = (assigned: Int32Array) => effectScores(logged, 0, assigned, reward);
  const ranked = (effects: Float64Array, score: Float64Array): Omit<Judgement, 'value'> =>
    hasNone
      ? {
          uplift: shares.map((share) => upliftAtTop(effects, { score }, share, logged.customer).value),
          qini: qini(effects, { score }),
        }
      : { uplift: shares.map(() => null), qini: null };
  const alike = new Float64Array(rows.length);
  const anyOffer = meanOfArms(model.arms.map((_, a) => scoresOf(new Int32Array(rows.length).fill(a + 1))));
  const chosen = scoresOf(best);
  const everything = Array.from({ length: actions }, (_, a) => a);
  // Without contact there is an offer for everybody: the best, or the reference where that is better.
  const responded = best.map((arm, row) => (hasNone || effect[row]! > 0 ? arm : 0));
  const ofGiven = given.map(({ name, choice, score }): [string, Judgement] => {
    // There is no contact in the log: actions are the offers in their order.
    const assigned = Int32Array.from(rows, (row) => choice[row]! + 1);
    const ownScore = Float64Array.from(rows, (row) => score[row]!);
    return [
      name,
      { value: worth(deterministic(assigned, actions)), ...ranked(scoresOf(assigned), ownScore) },
    ];
  });
  return {
    ...Object.fromEntries(ofGiven),
    uplift: {
      value: worth(
        deterministic(
          best.map((arm, row) => (effect[row]! > 0 ? arm : 0)),
          actions,
        ),
      ),
      ...ranked(chosen, effect),
    },
    response: { value: worth(deterministic(responded, actions)), ...ranked(chosen, response) },
    'best-single': { value: worth(deterministic(always, actions)), ...ranked(scoresOf(always), alike) },
    random: { value: worth(uniform(everything, actions)), ...ranked(anyOffer, alike) },
    none: {
      value: hasNone ? worth(uniform([0], actions)) : undefined,
      ...ranked(alike, alike),
    },
    logged: {
      value: {
        estimator: 'ips',
        ...meanOf(logged.reward, logged.customer),
        effectiveSampleSize: rows.length,
      },
      uplift: shares.map(() => null),
      qini: null,
    },
  };
}

/**
 * The mean over the seeds. Their halves overlap, so that the interval is no narrower than that of one of them: of the mean
 * standard error.
 */
function lineOf(policy: string, judgements: readonly Judgement[], estimator: EstimatorName): PolicyLine {
  const estimates = judgements.map(({ value }): Estimate => value ?? unknownEstimate);
  const value = mean(estimates.map((one) => one.value));
  const half = z95 * mean(estimates.map(({ standardError }) => standardError));
  const [at10, at20, at30] = shares.map((_, k) => meanOrNull(judgements.map(({ uplift }) => uplift[k]!)));
  return {
    policy,
    value: finite(value),
    lower: finite(value - half),
    upper: finite(value + half),
    estimator: policy === 'logged' ? 'mean' : estimator,
    effectiveSampleSize: finite(
      mean(judgements.map(({ value }) => value?.effectiveSampleSize ?? Number.NaN)),
    ),
    upliftAt10: at10!,
    upliftAt20: at20!,
    upliftAt30: at30!,
    qini: meanOrNull(judgements.map((one) => one.qini)),
  };
}

function notesOf(log: DecisionLog, contexts: Contexts, hasNone: boolean, reference: number): string[] {
  const notes = contexts.dropped.map(({ column, reason }) => `Column ${column} is left out: ${reason}.`);
  if (contexts.names.length === 0)
    notes.push('There is no column of context: everybody is expected to respond alike.');
  notes.push(...impossibleProbabilities(log, hasNone));
  if (!hasNone) {
    notes.push(
      `Nobody was left alone in this log (no row has an empty offerId or "none"): the value of none, upliftAt10 to 30 and qini cannot be told and are null; effects are against ${log.offers[reference]}, which is commonest.`,
    );
    return notes;
  }
  for (const name of imbalanced(log, contexts))
    notes.push(
      `${name} differs between those with and without contact, by more than the probabilities explain: was it known before the decision? Else leave it out with --ignore, or it gives the outcome away.`,
    );
  return notes;
}

/** Where every arm may be drawn for everybody, the mean of 1/π₀ is the number of arms, whatever the probabilities are. */
function impossibleProbabilities({ propensity, rows, offers }: DecisionLog, hasNone: boolean): string[] {
  const arms = offers.length + (hasNone ? 1 : 0);
  let sum = 0;
  let squares = 0;
  for (const own of propensity) {
    sum += 1 / own;
    squares += (1 / own) ** 2;
  }
  const found = sum / rows;
  const chance = 5 * Math.sqrt(Math.max(0, squares / rows - found ** 2) / rows);
  const tolerated = Math.max(armsTolerance * arms, chance);
  if (Math.abs(found - arms) <= tolerated) return [];
  const means = found < arms ? 'too high, unless some could not be given every one of them' : 'too low';
  return [
    `The mean of 1/loggingPropensity is ${found.toFixed(2)}, and there are ${arms} arms (offers, and no contact if it occurs), which it should be: the probabilities are ${means}. Values and intervals are no better than they are: give the probability with which each decision was drawn.`,
  ];
}

/**
 * Contexts whose means, weighed by 1/π₀, differ between contact and none by more than chance and a tenth of their deviation.
 */
function imbalanced(log: DecisionLog, { names, values }: Contexts): string[] {
  const width = names.length;
  return names.filter((_, c) => {
    const sums = [new Float64Array(4), new Float64Array(4)] as const;
    for (let row = 0; row < log.rows; row++) {
      const side = sums[log.arm[row] === noContact ? 0 : 1];
      const weight = 1 / log.propensity[row]!;
      const x = values[row * width + c]!;
      side[0]! += weight;
      side[1]! += weight * x;
      side[2]! += weight * x * x;
      side[3]! += weight * weight;
    }
    const [none, contact] = sums.map(([w = 0, wx = 0, wxx = 0, ww = 0]) => ({
      mean: wx / w,
      variance: wxx / w - (wx / w) ** 2,
      size: w ** 2 / ww,
    }));
    const deviation = Math.sqrt((none!.variance + contact!.variance) / 2);
    const chance = 5 * Math.sqrt(1 / none!.size + 1 / contact!.size);
    return Math.abs(contact!.mean - none!.mean) > Math.max(imbalanceMax, chance) * deviation;
  });
}

function commonestLast(log: DecisionLog): number[] {
  const counts = new Int32Array(log.offers.length);
  for (const arm of log.arm) counts[arm]!++;
  return log.offers.map((_, a) => a).sort((a, b) => counts[a]! - counts[b]!);
}

function meanOfArms(scores: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(scores[0]!.length);
  for (const own of scores)
    own.forEach((value, row) => {
      sum[row]! += value / scores.length;
    });
  return sum;
}

function argmax(values: Float64Array): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  return finite(mean(values.map((value) => value ?? Number.NaN)));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
