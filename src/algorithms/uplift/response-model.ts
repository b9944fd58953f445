/** What a customer brings whatever is done: the mean reward over the arms as they were logged, given the context. */
import {
  type BoostedTrees,
  BoostedTreesOptions,
  fitBoostedTrees,
  scoreBoosted,
} from '../boosted-trees/boosted-trees.ts';
import { factorise, solve } from './cholesky.ts';
import type { ContextBasis } from './context-basis.ts';

/** `linear`: in the numbers of the basis before its turn. */
export type ResponseModel =
  | { kind: 'linear'; intercept: number; weights: Float64Array }
  | { kind: 'trees'; trees: BoostedTrees };

export type ResponseRows = {
  rows: number;
  columns: number;
  contexts: Float32Array;
  /** rows × size: the contexts in the basis. */
  axes: Float32Array;
  size: number;
  reward: Float64Array;
  weight: Float64Array;
  /** By row: the part that it is judged in, 0 to `parts` − 1. */
  part: Uint8Array;
  parts: number;
  /** Whether trees are tried: they take far longer, to learn and to ask. */
  trees: boolean;
};

export type CrossFit = {
  /** Fitted to all rows; a line is in the axes. */
  model: ResponseModel;
  /** By row: expected by a model that has not seen its part. */
  expected: Float64Array;
  /** Weighted mean squared error of both kinds on parts that they had not seen, beside the variance. */
  relativeError: { linear: number; trees?: number };
};

/** Rows that count for nothing, beside those of the log: of the ridge on the axes. */
const ridgeRows = 30;
/** Rows that trees learn from, at most: more teach them little and take long. */
const treeRowsMax = 150_000;

const treeOptions = BoostedTreesOptions.parse({
  loss: 'squared',
  trees: 120,
  leaves: 6,
  learningRate: 0.08,
  l2: 50,
  minHessian: 50,
  patience: 8,
});

/**
 * Fits both kinds on all parts but one, in turn, takes the kind that foretells the parts left out better, and fits it to
 * everything. How many trees is told by the part left out: one number, that its rows cannot hide in.
 */
export async function crossFitResponse(data: ResponseRows): Promise<CrossFit> {
  const linear = new Float64Array(data.rows);
  for (let part = 0; part < data.parts; part++) {
    const line = fitLinear(data, (row) => data.part[row] !== part);
    for (let row = 0; row < data.rows; row++)
      if (data.part[row] === part) linear[row] = linearResponse(line, data.axes, row * data.size);
  }
  if (!data.trees || data.columns === 0)
    return {
      model: fitLinear(data, () => true),
      expected: linear,
      relativeError: { linear: relativeErrorOf(data, linear) },
    };
  const grown = await crossFitTrees(data);
  const relativeError = {
    linear: relativeErrorOf(data, linear),
    trees: relativeErrorOf(data, grown.expected),
  };
  return relativeError.trees < relativeError.linear
    ? { model: { kind: 'trees', trees: await grown.all() }, expected: grown.expected, relativeError }
    : { model: fitLinear(data, () => true), expected: linear, relativeError };
}

/** By row, what trees that have not seen its part expect; `all` fits as many trees, in the mean, to everything. */
export async function crossFitTrees(
  data: Omit<ResponseRows, 'axes' | 'size' | 'trees'>,
): Promise<{ expected: Float64Array; rounds: number; all: () => Promise<BoostedTrees> }> {
  const expected = new Float64Array(data.rows);
  let trees = 0;
  // Without a column there is nothing to divide by.
  if (data.columns === 0) return { expected, rounds: 0, all: () => fitTrees(data, undefined, 1) };
  for (let part = 0; part < data.parts; part++) {
    const boosted = await fitTrees(data, part);
    trees += boosted.roots.length / data.parts;
    for (let row = 0; row < data.rows; row++)
      if (data.part[row] === part) expected[row] = scoreBoosted(boosted, data.contexts, row * data.columns);
  }
  const rounds = Math.round(trees);
  return { expected, rounds, all: () => fitTrees(data, undefined, Math.max(1, rounds)) };
}

/** Of the context that begins at `contexts[at]` and whose features, as the basis writes them, are these. */
export function responseOf(
  model: ResponseModel,
  contexts: Float32Array,
  at: number,
  features: ArrayLike<number>,
): number {
  return model.kind === 'trees'
    ? scoreBoosted(model.trees, contexts, at)
    : linearResponse(model, features, 0);
}

/** The same line in the features that the axes are turned from: however many axes there are, asking takes as long. */
export function turnedBack(
  { intercept, weights }: Line,
  { axes, centre, features }: Pick<ContextBasis, 'axes' | 'centre' | 'features'>,
): Line {
  const ofFeatures = new Float64Array(features);
  let start = intercept;
  for (let k = 0; k < weights.length; k++) {
    start -= weights[k]! * centre[k]!;
    for (let f = 0; f < features; f++) ofFeatures[f]! += weights[k]! * axes[k * features + f]!;
  }
  return { kind: 'linear', intercept: start, weights: ofFeatures };
}

type Line = Extract<ResponseModel, { kind: 'linear' }>;

function linearResponse({ intercept, weights }: Line, axes: ArrayLike<number>, at: number): number {
  let sum = intercept;
  for (let k = 0; k < weights.length; k++) sum += weights[k]! * axes[at + k]!;
  return sum;
}

function fitLinear(data: ResponseRows, isLearned: (row: number) => boolean) {
  const { rows, size, axes, reward, weight } = data;
  const width = size + 1;
  const gram = new Float64Array(width * width);
  const moment = new Float64Array(width);
  const z = new Float64Array(width);
  z[size] = 1;
  for (let row = 0; row < rows; row++) {
    if (!isLearned(row)) continue;
    for (let k = 0; k < size; k++) z[k] = axes[row * size + k]!;
    for (let i = 0; i < width; i++) {
      const x = weight[row]! * z[i]!;
      moment[i]! += x * reward[row]!;
      for (let j = 0; j <= i; j++) gram[i * width + j]! += x * z[j]!;
    }
  }
  for (let k = 0; k < size; k++) gram[k * width + k]! += ridgeRows;
  gram[width * width - 1]! += Number.EPSILON;
  factorise(gram, width);
  solve(gram, width, moment);
  return { kind: 'linear' as const, intercept: moment[size]!, weights: moment.slice(0, size) };
}

/** Without a part, `rounds` trees of all rows. */
async function fitTrees(
  data: Omit<ResponseRows, 'axes' | 'size' | 'trees'>,
  part?: number,
  rounds?: number,
): Promise<BoostedTrees> {
  const { columns, contexts, reward, weight } = data;
  const step = Math.max(1, Math.ceil(data.rows / treeRowsMax));
  const rows = Math.ceil(data.rows / step);
  const taken = <T extends Float32Array | Float64Array | Uint8Array>(values: T): T =>
    (step === 1 ? values : values.filter((_value, row) => row % step === 0)) as T;
  const sampled =
    step === 1
      ? contexts
      : Float32Array.from({ length: rows * columns }, (_, at) => {
          const row = Math.floor(at / columns);
          return contexts[row * step * columns + (at % columns)]!;
        });
  const parts = taken(data.part);
  const heldOut = parts.map((own) => (own === part ? 1 : 0));
  return fitBoostedTrees(
    { rows, columns, values: sampled },
    taken(reward),
    heldOut,
    { ...treeOptions, trees: rounds ?? treeOptions.trees },
    () => {},
    taken(weight),
  );
}

function relativeErrorOf({ reward, weight }: ResponseRows, expected: Float64Array): number {
  let total = 0;
  let sum = 0;
  for (let row = 0; row < reward.length; row++) {
    total += weight[row]!;
    sum += weight[row]! * reward[row]!;
  }
  const mean = sum / total;
  let error = 0;
  let variance = 0;
  for (let row = 0; row < reward.length; row++) {
    error += weight[row]! * (reward[row]! - expected[row]!) ** 2;
    variance += weight[row]! * (reward[row]! - mean) ** 2;
  }
  return variance > 0 ? error / variance : 1;
}
