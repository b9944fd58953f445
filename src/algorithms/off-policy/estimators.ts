/**
 * What a policy would have earned a decision, from decisions of another policy (Dudík, Langford and Li, ICML 2011; Swaminathan
 * and Joachims, NIPS 2015). Weights are wᵢ = π(aᵢ | xᵢ) / π₀(aᵢ | xᵢ).
 */
import { type Estimate, estimateOf, meanOf, unknownEstimate } from './estimate.ts';
import {
  effectiveSampleSize,
  importanceWeights,
  type LoggedActions,
  type Policy,
  type RewardModel,
} from './logged-actions.ts';

export const ESTIMATORS = ['ips', 'snips', 'direct', 'doublyRobust'] as const;
export type EstimatorName = (typeof ESTIMATORS)[number];

export type PolicyValue = Estimate & {
  estimator: EstimatorName;
  /** Of the weights; `direct` has none, and counts the decisions. */
  effectiveSampleSize: number;
};

/** Inverse propensity scores: Σ wᵢrᵢ / n. Unbiased where π₀ is right and gives everything to what π may do. */
export function ips(log: LoggedActions, policy: Policy): PolicyValue {
  const weights = importanceWeights(log, policy);
  return {
    estimator: 'ips',
    ...meanOf(
      weights.map((weight, row) => weight * log.reward[row]!),
      log.customer,
    ),
    effectiveSampleSize: effectiveSampleSize(weights),
  };
}

/** Self-normalised: Σ wᵢrᵢ / Σ wᵢ, whose influence is wᵢ(rᵢ − V) / w̄. Steadier than `ips`, biased by O(1/n). */
export function snips(log: LoggedActions, policy: Policy): PolicyValue {
  const weights = importanceWeights(log, policy);
  let total = 0;
  let earned = 0;
  for (let row = 0; row < weights.length; row++) {
    total += weights[row]!;
    earned += weights[row]! * log.reward[row]!;
  }
  const value = earned / total;
  const mean = total / weights.length;
  const estimate =
    total > 0
      ? estimateOf(
          value,
          weights.map((weight, row) => (weight * (log.reward[row]! - value)) / mean),
          log.customer,
        )
      : unknownEstimate;
  return { estimator: 'snips', ...estimate, effectiveSampleSize: effectiveSampleSize(weights) };
}

/** Direct method: the mean of what the model expects of the policy. The interval takes the model for the truth. */
export function direct(log: LoggedActions, policy: Policy, model: RewardModel): PolicyValue {
  const expected = Float64Array.from(log.action, (_action, row) => expectedReward(policy, model, row));
  return {
    estimator: 'direct',
    ...meanOf(expected, log.customer),
    effectiveSampleSize: log.action.length,
  };
}

/** The model's expectation, and what weighted rewards say of its faults: right where either the model or π₀ is. */
export function doublyRobust(log: LoggedActions, policy: Policy, model: RewardModel): PolicyValue {
  return {
    estimator: 'doublyRobust',
    ...meanOf(doublyRobustTerms(log, policy, model), log.customer),
    effectiveSampleSize: effectiveSampleSize(importanceWeights(log, policy)),
  };
}

/**
 * What each decision says of the policy's value, the mean of which `doublyRobust` is: two policies are compared by the
 * difference of theirs.
 */
export function doublyRobustTerms(log: LoggedActions, policy: Policy, model: RewardModel): Float64Array {
  return importanceWeights(log, policy).map((weight, row) => {
    const fault = weight === 0 ? 0 : weight * (log.reward[row]! - model(row, log.action[row]!));
    return expectedReward(policy, model, row) + fault;
  });
}

/** By the name of an estimator. */
export function policyValue(
  estimator: EstimatorName,
  log: LoggedActions,
  policy: Policy,
  model: RewardModel,
): PolicyValue {
  switch (estimator) {
    case 'ips':
      return ips(log, policy);
    case 'snips':
      return snips(log, policy);
    case 'direct':
      return direct(log, policy, model);
    case 'doublyRobust':
      return doublyRobust(log, policy, model);
  }
}

/** Σ_a π(a | x) · model(x, a). */
function expectedReward(policy: Policy, model: RewardModel, row: number): number {
  let sum = 0;
  for (let action = 0; action < policy.actions; action++) {
    const probability = policy.probability(row, action);
    if (probability > 0) sum += probability * model(row, action);
  }
  return sum;
}
