/**
 * P(redeemed | made): a logistic regression whose coefficients are those of the offer,
 *
 *   P = sigmoid(slope · zᵀ(Σⱼ dₐⱼ θⱼ + δₐ) + intercept)
 *
 * z is 1, the axes of the customer's context (uplift/context-basis.ts) and how well the offer's categories suit the customer;
 * dₐ are the offer's traits, of which the first is 1. δₐ is drawn to 0, θ less so: an offer that was made a few times is taken
 * for what offers like it do.
 */
import type { PlattCalibration } from '../calibration.ts';
import { softplus } from '../customer-base/log-scale.ts';
import { minimize } from '../lbfgs.ts';
import { sigmoid } from '../logistic-regression.ts';

export type AcceptanceModel = {
  /** Numbers of z. */
  size: number;
  /** traits × size: θ, one after another. */
  shared: Float64Array;
  /** arms × size: δ. */
  own: Float64Array;
  calibration: PlattCalibration;
};

/** Rows of offers that were made. */
export type AcceptanceRows = {
  rows: number;
  size: number;
  /** rows × size. */
  numbers: Float64Array;
  arm: Int32Array;
  redeemed: Uint8Array;
};

/** Weights of the squares, beside the log loss summed over the rows. */
export type AcceptancePenalty = {
  /** Of what all offers share, but for the average, which is free. */
  common: number;
  /** Of z's first number: by how many logits kinds, and offers of a kind, differ on average. */
  traitAverage: number;
  ownAverage: number;
  trait: number;
  own: number;
};

/** By maximum likelihood under the penalty. `traits` are one row an arm. The calibration is that of the model's own logits: none. */
export function fitAcceptance(
  { rows, size, numbers, arm, redeemed }: AcceptanceRows,
  traits: readonly Float64Array[],
  penalty: AcceptancePenalty,
): AcceptanceModel {
  const shared = (traits[0]?.length ?? 1) * size;
  const width = shared + traits.length * size;
  const weightOf = Float64Array.from({ length: width }, (_, at) => {
    if (at < size) return at === 0 ? 0 : penalty.common;
    const [average, other] =
      at < shared ? [penalty.traitAverage, penalty.trait] : [penalty.ownAverage, penalty.own];
    return at % size === 0 ? average : other;
  });
  const z = new Float64Array(traits.length * size);
  const errors = new Float64Array(traits.length * size);
  const { x } = minimize(
    (at, gradient) => {
      z.set(coefficients(size, at.subarray(0, shared), at.subarray(shared), traits));
      errors.fill(0);
      let loss = 0;
      for (let row = 0; row < rows; row++) {
        const from = arm[row]! * size;
        let logit = 0;
        for (let k = 0; k < size; k++) logit += z[from + k]! * numbers[row * size + k]!;
        loss += softplus(logit) - redeemed[row]! * logit;
        const error = sigmoid(logit) - redeemed[row]!;
        for (let k = 0; k < size; k++) errors[from + k]! += error * numbers[row * size + k]!;
      }
      gradient.fill(0);
      for (const [a, ofArm] of traits.entries())
        for (let k = 0; k < size; k++) {
          const error = errors[a * size + k]!;
          gradient[shared + a * size + k]! += error;
          for (let j = 0; j < ofArm.length; j++) gradient[j * size + k]! += ofArm[j]! * error;
        }
      for (let w = 0; w < width; w++) {
        loss += (weightOf[w]! / 2) * at[w]! ** 2;
        gradient[w]! += weightOf[w]! * at[w]!;
      }
      // By the rows, so that one tolerance does for logs of any length.
      for (let w = 0; w < width; w++) gradient[w]! /= rows;
      return loss / rows;
    },
    new Float64Array(width),
    { iterationsMax: 200, tolerance: 1e-5 },
  );
  return {
    size,
    shared: x.slice(0, shared),
    own: x.slice(shared),
    calibration: { slope: 1, intercept: 0 },
  };
}

/** An offer's coefficients; `arm` undefined: one that was not learnt from. */
export function acceptanceCoefficients(
  { size, shared, own }: AcceptanceModel,
  traits: Float64Array,
  arm: number | undefined,
): Float64Array {
  const none = new Float64Array(size);
  return coefficients(size, shared, arm === undefined ? none : own.subarray(arm * size, (arm + 1) * size), [
    traits,
  ]);
}

/** `axes` begin at `from`; `suits` is the number of the pair. */
export function acceptanceLogit(
  coefficients: Float64Array,
  axes: ArrayLike<number>,
  from: number,
  suits: number,
): number {
  const last = coefficients.length - 1;
  let logit = coefficients[0]! + coefficients[last]! * suits;
  for (let k = 1; k < last; k++) logit += coefficients[k]! * axes[from + k - 1]!;
  return logit;
}

export function acceptPropensity({ slope, intercept }: PlattCalibration, logit: number): number {
  return sigmoid(slope * logit + intercept);
}

/** Σⱼ dₐⱼ θⱼ + δₐ, one arm after another. */
function coefficients(
  size: number,
  shared: Float64Array,
  own: Float64Array,
  traits: readonly Float64Array[],
): Float64Array {
  const all = own.slice();
  for (const [a, ofArm] of traits.entries())
    for (let j = 0; j < ofArm.length; j++) {
      const weight = ofArm[j]!;
      if (weight !== 0) for (let k = 0; k < size; k++) all[a * size + k]! += weight * shared[j * size + k]!;
    }
  return all;
}
