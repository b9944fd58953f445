/** Whether decisions by a new offer model earn more than those by what is served, on logged decisions that it has not seen. */
import { auc, expectedCalibrationError, logLoss } from '../../algorithms/classification-metrics.ts';
import { type Estimate, meanOf } from '../../algorithms/off-policy/estimate.ts';
import { doublyRobust, doublyRobustTerms, type PolicyValue } from '../../algorithms/off-policy/estimators.ts';
import { deterministic, type Policy, type RewardModel } from '../../algorithms/off-policy/logged-actions.ts';
import { effectScores, qini, upliftAtTop } from '../../algorithms/off-policy/ranked-uplift.ts';
import { type GateVerdict, judge } from '../gate.ts';
import { nothing } from './try-decision.ts';
import type { PolicyTrial } from './try-policies.ts';

/** Decisions of which it is known whether the customer stayed, below which nothing is said about it. */
const knownMin = 500;

/** Decisions on which the candidate would make an offer, below which nothing is said about that offer. */
const offerMin = 100;

export type PolicyJudgement = {
  gate: GateVerdict;
  metrics: Record<string, number>;
  /** Offers that cost more than they bring, beyond doubt, where the candidate would make them. */
  withheld: string[];
};

/**
 * `championName`: as a person reads it. Values are of one decision, in minor units.
 *
 * There are two ways through the gate. In the long run: earnings within the window and what staying is worth, together, beyond
 * doubt above the champion's. Few logs tell that much, since staying is worth so many orders; so it is enough, too, that the
 * earnings are beyond doubt above and that customers stay as well. The first way is that of offers which are to keep: within
 * the window a call only costs. Each is wrong once in forty times, so that a policy which is no better passes once in twenty at
 * most.
 *
 * Where in the long run the champion costs more than saying nothing, beyond doubt, there is a third way: nobody is served by
 * waiting until something is beyond doubt better than a loss. It is enough to be estimated above the champion, and not beyond
 * doubt below nothing.
 */
export function judgePolicy(trial: PolicyTrial, championName: string): PolicyJudgement {
  const compared = compare(trial);
  const { longRun } = compared;
  const ways = [
    byWindow(compared, championName),
    longRun && byLongRun(longRun, championName),
    longRun && inPlaceOfLoss(longRun, compared, championName),
  ];
  return {
    gate: anyOf(ways.filter((verdict) => verdict !== undefined)),
    withheld: withheldOffers(trial),
    metrics: finite({
      ...earningsMetrics(compared),
      ...offerShares(trial),
      ...stayingMetrics(compared),
      ...rankingMetrics(trial),
      ...acceptanceMetrics(trial),
    }),
  };
}

/** Earnings of the candidate's decisions, less those of others; within the window, and in the long run as far as it is known. */
type Comparison = {
  testDecisions: number;
  value: PolicyValue;
  overChampion: Estimate;
  overNone: Estimate;
  championOverNone: Estimate;
  stays: Advantage | undefined;
  longRun: Advantage | undefined;
  longRunOverNone: Estimate | undefined;
  championLongRun: Estimate | undefined;
};

function compare(trial: PolicyTrial): Comparison {
  const { log, model, actions, candidate, champion } = trial;
  const policies = {
    candidate: deterministic(candidate, actions),
    champion: deterministic(champion, actions),
    none: deterministic(new Int32Array(candidate.length).fill(nothing), actions),
  };
  const termsOf = (policy: keyof typeof policies) => doublyRobustTerms(log, policies[policy], model);
  const [own, others, none] = [termsOf('candidate'), termsOf('champion'), termsOf('none')];
  return {
    testDecisions: candidate.length,
    value: doublyRobust(log, policies.candidate, model),
    overChampion: difference(own, others, log.customer),
    overNone: difference(own, none, log.customer),
    championOverNone: difference(others, none, log.customer),
    stays: stayingAdvantage(trial, policies),
    longRun: longRunAdvantage(trial, policies.candidate, policies.champion),
    longRunOverNone: longRunAdvantage(trial, policies.candidate, policies.none)?.advantage,
    championLongRun: longRunAdvantage(trial, policies.champion, policies.none)?.advantage,
  };
}

const judged = 'decisions by the offer model';

function byWindow({ value, overChampion, overNone, stays }: Comparison, championName: string): GateVerdict {
  return judge(judged, [
    {
      metric: 'earnings of a decision within its window in minor units',
      candidate: value.value,
      against: championName,
      baseline: value.value - overChampion.value,
      difference: interval(overChampion),
    },
    {
      metric: 'its earnings',
      candidate: value.value,
      against: 'offering nothing',
      baseline: value.value - overNone.value,
      difference: interval(overNone),
      rule: 'none',
    },
    ...(stays === undefined
      ? []
      : [
          {
            metric: 'share of customers who stay',
            candidate: stays.value,
            against: championName,
            baseline: stays.value - stays.advantage.value,
            difference: interval(stays.advantage),
            rule: 'notBelow' as const,
          },
        ]),
  ]);
}

function byLongRun({ value, advantage }: Advantage, championName: string): GateVerdict {
  return judge(judged, [
    {
      metric: 'earnings and what staying is worth, of a decision in minor units',
      candidate: value,
      against: championName,
      baseline: value - advantage.value,
      difference: interval(advantage),
    },
  ]);
}

/** undefined where it is not beyond doubt that the champion costs more than saying nothing. */
function inPlaceOfLoss(
  { value, advantage }: Advantage,
  { longRunOverNone, championLongRun }: Comparison,
  championName: string,
): GateVerdict | undefined {
  if (longRunOverNone === undefined || championLongRun === undefined || !(championLongRun.upper < 0))
    return undefined;
  return judge(judged, [
    {
      metric: 'earnings and what staying is worth',
      candidate: value,
      against: `${championName}, which cost more than offering nothing beyond doubt, by themselves`,
      baseline: value - advantage.value,
    },
    {
      metric: 'the same',
      candidate: value,
      against: 'offering nothing',
      baseline: value - longRunOverNone.value,
      difference: interval(longRunOverNone),
      rule: 'notBelow',
    },
  ]);
}

function earningsMetrics({
  testDecisions,
  value,
  overChampion,
  overNone,
  championOverNone,
  longRunOverNone,
  championLongRun,
}: Comparison): Record<string, number> {
  return {
    testDecisions,
    value: value.value,
    lower: value.lower,
    upper: value.upper,
    effectiveSampleSize: value.effectiveSampleSize,
    ...named('championOverNothing', championOverNone),
    ...(longRunOverNone !== undefined && named('longRunOverNothing', longRunOverNone)),
    ...(championLongRun !== undefined && named('championLongRunOverNothing', championLongRun)),
    championValue: value.value - overChampion.value,
    ...named('advantage', overChampion),
    ...named('overNothing', overNone),
  };
}

function stayingMetrics({ stays, longRun }: Comparison): Record<string, number> {
  return {
    ...(stays !== undefined && { staying: stays.value, ...named('stayingAdvantage', stays.advantage) }),
    ...(longRun !== undefined && {
      longRunValue: longRun.value,
      ...named('longRunAdvantage', longRun.advantage),
    }),
  };
}

function offerShares({ candidate, champion }: PolicyTrial): Record<string, number> {
  const share = (actions: Int32Array) =>
    actions.reduce((sum, action) => sum + (action === nothing ? 0 : 1), 0) / actions.length;
  return { offerShare: share(candidate), championOfferShare: share(champion) };
}

function rankingMetrics({ log, model, candidate, score }: PolicyTrial): Record<string, number> {
  const effects = effectScores(log, nothing, candidate, model);
  const uplift = (share: number) => upliftAtTop(effects, { score }, share, log.customer).value;
  return {
    upliftAt10: uplift(0.1),
    upliftAt20: uplift(0.2),
    upliftAt30: uplift(0.3),
    qini: qini(effects, { score }),
  };
}

function acceptanceMetrics({ offered }: PolicyTrial): Record<string, number> {
  const redeemed = Uint8Array.from(offered, (row) => row.redeemed);
  const expected = Float64Array.from(offered, (row) => row.candidate);
  return {
    acceptanceAuc: auc(expected, redeemed),
    championAcceptanceAuc: auc(
      Float64Array.from(offered, (row) => row.champion),
      redeemed,
    ),
    acceptanceLogLoss: logLoss(expected, redeemed),
    acceptanceCalibrationError: expectedCalibrationError(expected, redeemed),
  };
}

/** The first verdict that passes, else that on the window; the others are told with it. */
function anyOf(verdicts: readonly GateVerdict[]): GateVerdict {
  const passing = verdicts.filter(({ passed }) => passed);
  const [told, ...beside] = [...passing, ...verdicts.filter(({ passed }) => !passed)];
  if (told === undefined) throw new RangeError('a gate without verdicts would pass anything');
  return {
    passed: told.passed,
    reason: [told.reason, ...beside.map(({ reason }) => afterName(reason))].join('; '),
  };
}

function afterName(reason: string): string {
  return reason.slice(reason.indexOf(': ') + 2);
}

type Advantage = { value: number; advantage: Estimate };

/** On the decisions of which it is known; undefined where these are too few for an interval that means something. */
function stayingAdvantage(
  trial: PolicyTrial,
  policies: Record<'candidate' | 'champion', Policy>,
): Advantage | undefined {
  const { stayed, staying } = trial;
  return knownAdvantage(trial, policies.candidate, policies.champion, (row) => stayed[row]!, staying);
}

/** Of money within the window, and of what the customer is yet to bring if she stays. */
function longRunAdvantage(trial: PolicyTrial, of: Policy, beside: Policy): Advantage | undefined {
  const { log, model, stayed, staying, remainingMinor } = trial;
  return knownAdvantage(
    trial,
    of,
    beside,
    (row) => log.reward[row]! + stayed[row]! * remainingMinor[row]!,
    (row, action) => model(row, action) + staying(row, action) * remainingMinor[row]!,
  );
}

/**
 * Offer by offer, on the decisions on which the candidate would make it: its earnings and what staying is worth, less those of
 * saying nothing. Where it is not known who stayed, nothing is said: within the window an offer that keeps only costs. Doubly
 * robust, so that what the candidate expects of its own choice is corrected by what came of it.
 */
function withheldOffers(trial: PolicyTrial): string[] {
  const { log, model, stayed, staying, remainingMinor, candidate, actions, offerIds } = trial;
  const rowsOf = new Map<number, number[]>();
  for (const [row, action] of candidate.entries()) {
    if (action === nothing || Number.isNaN(stayed[row]!)) continue;
    const rows = rowsOf.get(action);
    if (rows === undefined) rowsOf.set(action, [row]);
    else rows.push(row);
  }
  const withheld: string[] = [];
  for (const [action, rows] of rowsOf) {
    if (rows.length < offerMin) continue;
    const part = {
      action: Int32Array.from(rows, (row) => log.action[row]!),
      propensity: Float64Array.from(rows, (row) => log.propensity[row]!),
      reward: Float64Array.from(rows, (row) => log.reward[row]! + stayed[row]! * remainingMinor[row]!),
      customer: Int32Array.from(rows, (row) => log.customer[row]!),
    };
    const termsOf = (always: number) =>
      doublyRobustTerms(part, deterministic(new Int32Array(rows.length).fill(always), actions), (n, made) => {
        const row = rows[n]!;
        return model(row, made) + staying(row, made) * remainingMinor[row]!;
      });
    const { upper } = difference(termsOf(action), termsOf(nothing), part.customer);
    if (upper < 0) withheld.push(offerIds[action]!);
  }
  return withheld.sort();
}

function knownAdvantage(
  { log, stayed }: PolicyTrial,
  of: Policy,
  beside: Policy,
  reward: (row: number) => number,
  model: RewardModel,
): Advantage | undefined {
  const known = Int32Array.from(stayed.keys()).filter((row) => !Number.isNaN(stayed[row]!));
  if (known.length < knownMin) return undefined;
  const part = {
    action: known.map((row) => log.action[row]!),
    propensity: Float64Array.from(known, (row) => log.propensity[row]!),
    reward: Float64Array.from(known, reward),
    customer: known.map((row) => log.customer[row]!),
  };
  const termsOf = ({ actions, probability }: Policy) =>
    doublyRobustTerms(
      part,
      { actions, probability: (n, action) => probability(known[n]!, action) },
      (n, action) => model(known[n]!, action),
    );
  const own = termsOf(of);
  return {
    value: meanOf(own, part.customer).value,
    advantage: difference(own, termsOf(beside), part.customer),
  };
}

function difference(a: Float64Array, b: Float64Array, customer: Int32Array): Estimate {
  return meanOf(
    a.map((term, row) => term - b[row]!),
    customer,
  );
}

function named(name: string, { value, lower, upper }: Estimate): Record<string, number> {
  return { [name]: value, [`${name}Lower`]: lower, [`${name}Upper`]: upper };
}

function interval({ value, lower, upper }: Estimate) {
  return { mean: value, lower, upper };
}

/** A manifest holds numbers: what cannot be told (nobody redeemed anything) is left out. */
function finite(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
