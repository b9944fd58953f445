/**
 * Learns a churn model from customers at instants that all lie before the one at which it is to be asked.
 *
 * The networks begin at a mean of logits: of the probability models, which know how purchases run dry, of a logistic
 * regression on recency, frequency and monetary value, and of one on everything, which knows what is peculiar to this shop. No
 * log is long enough to tell which of them to trust, and the mean is better than each. The customers are divided into folds;
 * each member learns from all folds but one, and what it says of that one teaches the calibration, which thereby sees nobody
 * whom it was fitted to.
 */
import { fitPlatt } from '../../algorithms/calibration.ts';
import { DERIVED_INPUTS } from '../../algorithms/churn-inputs.ts';
import type { ChurnModel, Prior } from '../../algorithms/churn-model.ts';
import { softplus } from '../../algorithms/customer-base/log-scale.ts';
import { fitLogistic, type LogisticRegression, logisticLogit } from '../../algorithms/logistic-regression.ts';
import { type DenseLayer, mlpLogit } from '../../algorithms/mlp.ts';
import { createRng } from '../../algorithms/rng.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import type { TensorFlow } from '../tensorflow.ts';
import type { LearnRows, Prepared } from './learn-rows.ts';
import { fitNetwork, type NetworkOptions, networkDefaults } from './network.ts';

export type LearnOptions = {
  folds: number;
  /** Weights of what the networks begin at; of sum 1. */
  start: { probabilityModels: number; rfm: number; everything: number };
  /** Ridges of the two regressions. */
  ridge: { rfm: number; everything: number };
  /** Of more rows, customers are drawn: networks of this size gain nothing from more. */
  rowsMax: number;
  network: NetworkOptions;
};

export const learnDefaults: LearnOptions = {
  folds: 4,
  start: { probabilityModels: 0.25, rfm: 0.25, everything: 0.5 },
  ridge: { rfm: 1e-4, everything: 4e-3 },
  rowsMax: 40_000,
  network: networkDefaults,
};

/** Recency, frequency and monetary value, with the age and the gap that give them a measure. */
export const RFM_FEATURES = [
  'daysSinceLastOrder',
  'repeatErrands',
  'daysSinceFirstOrder',
  'gapMeanDays',
  'averageOrderValueMinor',
  'totalSpendMinor',
] as const;
const RFM_COLUMNS = RFM_FEATURES.map((name) => DERIVED_INPUTS.length + FEATURE_NAMES.indexOf(name));

export type Targets = Pick<ChurnModel, 'horizonDays' | 'horizons' | 'gone'>;

export type Learnt = {
  model: ChurnModel;
  rows: number;
  /** Mean log loss on the customers whom each member did not learn from, calibrated. */
  heldOutLogLoss: number;
};

/** Deterministic in its seed. `onProgress` is awaited now and then, with the share of the work that is done. */
export async function learnChurn(
  tf: TensorFlow,
  { purchases, scaling, rows }: Prepared,
  targets: Targets,
  options: LearnOptions,
  seed: number,
  onProgress: (share: number) => Promise<void> | void,
): Promise<Learnt> {
  const { width, inputs, labels, customers } = rows;
  const { folds, start, network } = options;
  const prior = choosePrior(rows, start.probabilityModels);
  const foldOf = dealFolds(customers, folds, seed);
  const heldOut = new Float64Array(labels.length);
  const wide = new Float64Array(width);
  let bias = 0;
  const members: DenseLayer[][] = [];
  const offsets = new Float32Array(labels.length);
  for (let fold = 0; fold < folds; fold++) {
    const learning = Int32Array.from([...foldOf.keys()].filter((row) => foldOf[row] !== fold));
    const regressed = regressions(rows, learning, options);
    for (let row = 0; row < labels.length; row++)
      offsets[row] =
        prior.mbgNbd * rows.mbgNbd[row]! +
        prior.paretoNbd * rows.paretoNbd[row]! +
        logisticLogit(regressed, inputs, row * width);
    const fitted = await fitNetwork(
      tf,
      { inputs: width, features: inputs, offsets, labels },
      learning,
      network,
      createRng(seed, 'churn', 'member', fold).nextInt(2 ** 31),
      (epoch) => onProgress((fold + epoch / network.epochs) / folds),
    );
    for (let row = 0; row < labels.length; row++) {
      if (foldOf[row] !== fold) continue;
      const x = inputs.subarray(row * width, (row + 1) * width);
      heldOut[row] = offsets[row]! + mlpLogit([fitted.wide], x) + mlpLogit(fitted.layers, x);
    }
    for (let j = 0; j < width; j++) wide[j]! += (fitted.wide.weights[j]! + regressed.weights[j]!) / folds;
    bias += (fitted.wide.bias[0]! + regressed.intercept) / folds;
    members.push(
      fitted.layers.map((layer, l) => (l === fitted.layers.length - 1 ? part(layer, folds) : layer)),
    );
  }
  const calibration = fitPlatt(heldOut, labels);
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    const z = calibration.slope * heldOut[row]! + calibration.intercept;
    loss += softplus(z) - labels[row]! * z;
  }
  return {
    model: {
      featureNames: FEATURE_NAMES,
      purchases,
      prior,
      ...scaling,
      wide: { inputs: width, outputs: 1, weights: Float32Array.from(wide), bias: Float32Array.of(bias) },
      members,
      calibration,
      ...targets,
    },
    rows: labels.length,
    heldOutLogLoss: loss / labels.length,
  };
}

/** Both regressions as one, each with its weight in the start. */
function regressions(
  { width, inputs, labels }: LearnRows,
  learning: Int32Array,
  { start, ridge }: LearnOptions,
): LogisticRegression {
  const all = new Float32Array(learning.length * width);
  for (const [n, row] of learning.entries())
    all.set(inputs.subarray(row * width, (row + 1) * width), n * width);
  const wanted = Uint8Array.from(learning, (row) => labels[row]!);
  const everything = fitLogistic(all, width, wanted, ridge.everything);
  const rfm = fitLogistic(pickColumns(all, width, RFM_COLUMNS), RFM_COLUMNS.length, wanted, ridge.rfm);
  const weights = everything.weights.map((weight) => start.everything * weight);
  for (const [n, column] of RFM_COLUMNS.entries()) weights[column]! += start.rfm * rfm.weights[n]!;
  return { weights, intercept: start.everything * everything.intercept + start.rfm * rfm.intercept };
}

/** Of rows of `width`, those columns, row by row. */
export function pickColumns(inputs: Float32Array, width: number, columns: readonly number[]): Float32Array {
  const picked = new Float32Array((inputs.length / width) * columns.length);
  for (let from = 0, to = 0; from < inputs.length; from += width)
    for (const column of columns) picked[to++] = inputs[from + column]!;
  return picked;
}

/** A layer whose output is one of `of` that are added up to their mean. */
function part({ weights, bias, ...shape }: DenseLayer, of: number): DenseLayer {
  return { ...shape, weights: weights.map((w) => w / of), bias: bias.map((b) => b / of) };
}

/** MBG/NBD, Pareto/NBD or the mean of both, whichever says best what came; with weights of that sum. */
function choosePrior(rows: LearnRows, total: number): Prior {
  const lossOf = ({ mbgNbd, paretoNbd }: Prior) => {
    let sum = 0;
    for (let row = 0; row < rows.labels.length; row++) {
      const z = mbgNbd * rows.mbgNbd[row]! + paretoNbd * rows.paretoNbd[row]!;
      sum += softplus(z) - rows.labels[row]! * z;
    }
    return sum;
  };
  const candidates = [
    { mbgNbd: 1, paretoNbd: 0 },
    { mbgNbd: 0, paretoNbd: 1 },
    { mbgNbd: 0.5, paretoNbd: 0.5 },
  ].map((prior) => ({ prior, loss: lossOf(prior) }));
  const { prior } = candidates.reduce((best, one) => (one.loss < best.loss ? one : best));
  return { mbgNbd: total * prior.mbgNbd, paretoNbd: total * prior.paretoNbd };
}

/** A customer's rows are alike: in two folds they would hide overfitting. */
function dealFolds(customers: Uint32Array, folds: number, seed: number): Uint8Array {
  const dealt = new Map<number, number>();
  return Uint8Array.from(customers, (customer) => {
    const fold = dealt.get(customer) ?? createRng(seed, 'churn', 'fold', customer).nextInt(folds);
    dealt.set(customer, fold);
    return fold;
  });
}
