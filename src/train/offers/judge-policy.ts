/** Whether decisions by a new offer model earn more than those by what is served, on logged decisions that it has not seen. */
import { auc, expectedCalibrationError, logLoss } from '../../algorithms/classification-metrics.ts';
import { type Estimate, meanOf } from '../../algorithms/off-policy/estimate.ts';
import { doublyRobust, doublyRobustTerms } from '../../algorithms/off-policy/estimators.ts';
import { deterministic, type Policy } from '../../algorithms/off-policy/logged-actions.ts';
import { effectScores, qini, upliftAtTop } from '../../algorithms/off-policy/ranked-uplift.ts';
import { type GateVerdict, judge } from '../gate.ts';
import { nothing, type PolicyTrial } from './try-policies.ts';

/** Decisions of which it is known whether the customer stayed, below which nothing is said about it. */
const knownMin = 500;

export type PolicyJudgement = { gate: GateVerdict; metrics: Record<string, number> };

/** `championName`: as a person reads it. Values are of one decision, in minor units. */
export function judgePolicy(trial: PolicyTrial, championName: string): PolicyJudgement {
  const { log, model, actions, candidate, champion, score, offered } = trial;
  const policies = {
    candidate: deterministic(candidate, actions),
    champion: deterministic(champion, actions),
    none: deterministic(new Int32Array(candidate.length).fill(nothing), actions),
  };
  const value = doublyRobust(log, policies.candidate, model);
  const termsOf = (policy: keyof typeof policies) => doublyRobustTerms(log, policies[policy], model);
  const [own, others, none] = [termsOf('candidate'), termsOf('champion'), termsOf('none')];
  const overChampion = difference(own, others, log.customer);
  const overNone = difference(own, none, log.customer);
  const stays = stayingAdvantage(trial, policies);
  const gate = judge('decisions by the offer model', [
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
  const effects = effectScores(log, nothing, candidate, model);
  const uplift = (share: number) => upliftAtTop(effects, { score }, share, log.customer).value;
  const redeemed = Uint8Array.from(offered, (row) => row.redeemed);
  const expected = Float64Array.from(offered, (row) => row.candidate);
  return {
    gate,
    metrics: finite({
      testDecisions: candidate.length,
      value: value.value,
      lower: value.lower,
      upper: value.upper,
      effectiveSampleSize: value.effectiveSampleSize,
      championValue: value.value - overChampion.value,
      advantage: overChampion.value,
      advantageLower: overChampion.lower,
      advantageUpper: overChampion.upper,
      overNothing: overNone.value,
      overNothingLower: overNone.lower,
      overNothingUpper: overNone.upper,
      offerShare: candidate.reduce((sum, action) => sum + (action === nothing ? 0 : 1), 0) / candidate.length,
      championOfferShare:
        champion.reduce((sum, action) => sum + (action === nothing ? 0 : 1), 0) / champion.length,
      ...(stays !== undefined && {
        staying: stays.value,
        stayingAdvantage: stays.advantage.value,
        stayingAdvantageLower: stays.advantage.lower,
        stayingAdvantageUpper: stays.advantage.upper,
      }),
      upliftAt10: uplift(0.1),
      upliftAt20: uplift(0.2),
      upliftAt30: uplift(0.3),
      qini: qini(effects, { score }),
      acceptanceAuc: auc(expected, redeemed),
      championAcceptanceAuc: auc(
        Float64Array.from(offered, (row) => row.champion),
        redeemed,
      ),
      acceptanceLogLoss: logLoss(expected, redeemed),
      acceptanceCalibrationError: expectedCalibrationError(expected, redeemed),
    }),
  };
}

/** On the decisions of which it is known; undefined where these are too few for an interval that means something. */
function stayingAdvantage(
  { log, staying, stayed }: PolicyTrial,
  policies: Record<'candidate' | 'champion', Policy>,
): { value: number; advantage: Estimate } | undefined {
  const known = Int32Array.from(stayed.keys()).filter((row) => !Number.isNaN(stayed[row]!));
  if (known.length < knownMin) return undefined;
  const part = {
    action: known.map((row) => log.action[row]!),
    propensity: Float64Array.from(known, (row) => log.propensity[row]!),
    reward: Float64Array.from(known, (row) => stayed[row]!),
    customer: known.map((row) => log.customer[row]!),
  };
  const termsOf = ({ actions, probability }: Policy) =>
    doublyRobustTerms(
      part,
      { actions, probability: (n, action) => probability(known[n]!, action) },
      (n, action) => staying(known[n]!, action),
    );
  const own = termsOf(policies.candidate);
  return {
    value: meanOf(own, part.customer).value,
    advantage: difference(own, termsOf(policies.champion), part.customer),
  };
}

function difference(a: Float64Array, b: Float64Array, customer: Int32Array): Estimate {
  return meanOf(
    a.map((term, row) => term - b[row]!),
    customer,
  );
}

function interval({ value, lower, upper }: Estimate) {
  return { mean: value, lower, upper };
}

/** A manifest holds numbers: what cannot be told (nobody redeemed anything) is left out. */
function finite(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
