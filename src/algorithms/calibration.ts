/** Makes probabilities out of a model's logits, by rows that it did not learn from. */
import { fitLogistic } from './logistic-regression.ts';

/** Platt's (1999): probability = sigmoid(slope · logit + intercept). Monotone, and two numbers: it cannot overfit. */
export type PlattCalibration = { slope: number; intercept: number };

/**
 * By maximum likelihood on logits of rows that were not learnt from. Labels count as Platt's (n₊ + 1) / (n₊ + 2) and
 * 1 / (n₋ + 2), which keeps the slope finite where they could be told apart without fault.
 */
export function fitPlatt(logits: Float64Array, labels: ArrayLike<number>): PlattCalibration {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i]!;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (labels.length - positives + 2);
  const softened = Float64Array.from(labels, (label) => (label === 1 ? high : low));
  const { weights, intercept } = fitLogistic(logits, 1, softened, 0);
  const slope = weights[0]!;
  // Logits that say the opposite of what came are worth nothing, not their contrary.
  return slope > 0
    ? { slope, intercept }
    : { slope: 0, intercept: Math.log((positives + 1) / (labels.length - positives + 1)) };
}
