/**
 * Why a customer's churn risk is what it is, in words that a clerk can say. What the inputs contribute
 * (`algorithms/churn-model.ts`) is added up over groups that are one thing to a person: how overdue an order is cannot be
 * told apart from the usual gap and the last order. The groups of a customer, with the base, add up to the logit of the risk.
 */

import { type ChurnModel, churnContributions } from '../algorithms/churn-model.ts';
import { type FeatureValue, groupOf, type ReasonGroup } from './churn-words.ts';

export type ChurnReason = {
  /** The group, by the feature that leads it. */
  feature: string;
  /** Of that feature, as the model reads it: a stand-in where it was never observed (`features/known-features.ts`). */
  value: number;
  /** Part of the logit; above 0 = raises the risk. */
  contribution: number;
  text: string;
};

export type ChurnExplanation = {
  /** The logit of a customer who is the mean of all in everything. */
  base: number;
  /** Largest first; with `base` they add up to the logit of the risk. */
  reasons: ChurnReason[];
};

/** Everything that moves this customer's risk at the model's own horizon. */
export function explainChurn(model: ChurnModel, vector: Float32Array): ChurnExplanation {
  const { base, inputs } = churnContributions(model, vector);
  const value: FeatureValue = (name) => vector[model.featureNames.indexOf(name)] ?? 0;
  const contributions = new Map<ReasonGroup, number>();
  for (const { name, contribution } of inputs) {
    const group = groupOf(name);
    contributions.set(group, (contributions.get(group) ?? 0) + contribution);
  }
  const reasons = [...contributions].map(([group, contribution]) => ({
    feature: group.lead,
    value: value(group.lead),
    contribution,
    text: group.say(value, contribution > 0),
  }));
  return { base, reasons: reasons.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)) };
}

/** The `k` groups that move the risk most. */
export function churnReasons(model: ChurnModel, vector: Float32Array, k: number): ChurnReason[] {
  return explainChurn(model, vector)
    .reasons.filter(({ contribution }) => contribution !== 0)
    .slice(0, k);
}
