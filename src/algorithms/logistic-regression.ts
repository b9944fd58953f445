/** Logistic regression by limited-memory BFGS, with a ridge on the weights. */

import { softplus } from './customer-base/log-scale.ts';
import { minimize } from './lbfgs.ts';

export type LogisticRegression = { weights: Float64Array; intercept: number };

/**
 * Minimises mean log loss + ridge / 2 · |weights|². `inputs` is rows × width, row by row; scaled alike, or the ridge means a
 * different thing to each column. `labels` are 0 or 1, one a row.
 */
export function fitLogistic(
  inputs: Float32Array | Float64Array,
  width: number,
  labels: ArrayLike<number>,
  ridge: number,
): LogisticRegression {
  const rows = labels.length;
  if (rows === 0 || inputs.length !== rows * width)
    throw new RangeError(`logistic regression needs ${width} inputs for each of at least one label`);
  const { x } = minimize(
    (at, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (let row = 0; row < rows; row++) {
        const from = row * width;
        let z = at[width]!;
        for (let j = 0; j < width; j++) z += at[j]! * inputs[from + j]!;
        loss += softplus(z) - labels[row]! * z;
        const error = (sigmoid(z) - labels[row]!) / rows;
        for (let j = 0; j < width; j++) gradient[j]! += error * inputs[from + j]!;
        gradient[width]! += error;
      }
      loss /= rows;
      for (let j = 0; j < width; j++) {
        loss += (ridge / 2) * at[j]! ** 2;
        gradient[j]! += ridge * at[j]!;
      }
      return loss;
    },
    new Float64Array(width + 1),
    { iterationsMax: 200, tolerance: 1e-6 },
  );
  return { weights: x.slice(0, width), intercept: x[width]! };
}

/** The logit of the row that begins at `from`. */
export function logisticLogit(
  { weights, intercept }: LogisticRegression,
  inputs: Float32Array | Float64Array,
  from: number,
): number {
  let z = intercept;
  for (let j = 0; j < weights.length; j++) z += weights[j]! * inputs[from + j]!;
  return z;
}

export function sigmoid(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/** ln(p / (1 − p)). */
export function logit(p: number): number {
  return Math.log(p / (1 - p));
}
