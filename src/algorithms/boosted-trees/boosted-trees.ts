/** Gradient-boosted trees for a yes or no, or for a mean (Friedman 2001; histograms as in LightGBM, Ke et al. 2017). */
import { z } from 'zod';
import { binRows, chooseEdges, type FeatureRows } from './feature-bins.ts';
import { growTree, type Tree } from './grow-tree.ts';

export const BoostedTreesOptions = z.strictObject({
  /** `logistic`: log-odds of labels 0 and 1. `squared`: the mean of labels of any size. */
  loss: z.enum(['logistic', 'squared']).default('logistic'),
  /** Trees, at most: fewer where the held-out rows say so. */
  trees: z.int().positive().default(150),
  /** Leaves of a tree, at most. */
  leaves: z.int().min(2).default(16),
  /** What each tree counts for. */
  learningRate: z.number().positive().max(1).default(0.12),
  /** λ of the leaves' values. */
  l2: z.number().min(0).default(5),
  /** Least sum of second derivatives in a leaf: of p(1 − p), or of rows where the loss is squared. */
  minHessian: z.number().min(0).default(5),
  /** Bins of a feature. */
  bins: z.int().min(2).max(256).default(64),
  /** Trees that may be added without the held-out loss getting better. */
  patience: z.int().positive().default(10),
});
export type BoostedTreesOptions = z.output<typeof BoostedTreesOptions>;

/** Told the share of the work that is done; waited for. */
export type OnShare = (share: number) => void | Promise<void>;

/** All trees' nodes in one table. */
export type BoostedTrees = {
  columns: number;
  /** Log-odds (or mean) before any tree. */
  bias: number;
  /** First node of each tree. */
  roots: Int32Array;
  /** By node: the feature that decides, −1 for a leaf. */
  feature: Int32Array;
  /** Values below it go left. */
  threshold: Float32Array;
  left: Int32Array;
  right: Int32Array;
  /** By leaf: what it adds to the log-odds (or mean). */
  value: Float32Array;
};

/**
 * Fits log-odds of `label` = 1 by the logistic loss, or the mean of `label` by the squared one. Rows count by their `weight`
 * where it is given. Rows of which `heldOut` is 1 are not learned from: the trees end where the loss of these rows is lowest.
 * Without such rows all trees are kept. RangeError without rows to learn from; what `onProgress` throws ends the fit.
 */
export async function fitBoostedTrees(
  data: FeatureRows,
  label: ArrayLike<number>,
  heldOut: Uint8Array,
  options: BoostedTreesOptions,
  onProgress: OnShare = () => {},
  weight: ArrayLike<number> = new Uint8Array(data.rows).fill(1),
): Promise<BoostedTrees> {
  const { rows } = data;
  const loss = lossOf(options.loss);
  const learned = Int32Array.from(
    Int32Array.from({ length: rows }, (_, r) => r).filter((r) => heldOut[r] === 0),
  );
  const judged = Int32Array.from(
    Int32Array.from({ length: rows }, (_, r) => r).filter((r) => heldOut[r] === 1),
  );
  if (learned.length === 0) throw new RangeError('boosted trees need rows to learn from');
  const edges = chooseEdges(data, options.bins);
  const columns = binRows(data, edges);
  let total = 0;
  let labels = 0;
  for (const r of learned) {
    total += weight[r]!;
    labels += weight[r]! * label[r]!;
  }
  const bias = loss.start(labels, total);
  const score = new Float64Array(rows).fill(bias);
  const gradient = new Float32Array(rows);
  const hessian = new Float32Array(rows);
  const trees: Tree[] = [];
  let lowest = { loss: loss.mean(score, label, weight, judged), trees: 0 };
  for (let t = 0; t < options.trees; t++) {
    for (const r of learned) {
      const expected = loss.expected(score[r]!);
      gradient[r] = weight[r]! * (expected - label[r]!);
      hessian[r] = weight[r]! * loss.curvature(expected);
    }
    const tree = growTree(columns, options.bins, gradient, hessian, learned, options, (value, from, to) => {
      for (let p = from; p < to; p++) score[learned[p]!]! += options.learningRate * value;
    });
    tree.value = tree.value.map((value) => options.learningRate * value);
    trees.push(tree);
    for (const r of judged) score[r]! += valueInBins(tree, columns, r);
    await onProgress((t + 1) / options.trees);
    if (judged.length === 0) continue;
    const reached = loss.mean(score, label, weight, judged);
    if (reached < lowest.loss) lowest = { loss: reached, trees: trees.length };
    else if (trees.length - lowest.trees >= options.patience) break;
  }
  return tableOf(judged.length === 0 ? trees : trees.slice(0, lowest.trees), edges, data.columns, bias);
}

/** Log-odds (or mean) of the row whose features begin at `values[at]`. */
export function scoreBoosted(trees: BoostedTrees, values: Float32Array, at: number): number {
  const { roots, feature, threshold, left, right, value } = trees;
  let score = trees.bias;
  for (let t = 0; t < roots.length; t++) {
    let node = roots[t]!;
    while (feature[node]! >= 0)
      node = values[at + feature[node]!]! < threshold[node]! ? left[node]! : right[node]!;
    score += value[node]!;
  }
  return score;
}

function valueInBins(tree: Tree, columns: readonly Uint8Array[], row: number): number {
  let node = 0;
  while (tree.feature[node]! >= 0)
    node = columns[tree.feature[node]!]![row]! <= tree.bin[node]! ? tree.left[node]! : tree.right[node]!;
  return tree.value[node]!;
}

type Loss = {
  /** Score of rows of which nothing is known but the sum of their labels and how many there are. */
  start: (labels: number, total: number) => number;
  /** Expected label of a score. */
  expected: (score: number) => number;
  /** Second derivative by the score. */
  curvature: (expected: number) => number;
  /** Of one row. */
  at: (score: number, label: number) => number;
  mean: (
    score: Float64Array,
    label: ArrayLike<number>,
    weight: ArrayLike<number>,
    rows: Int32Array,
  ) => number;
};

function lossOf(name: BoostedTreesOptions['loss']): Loss {
  const pieces: Omit<Loss, 'mean'> =
    name === 'squared'
      ? {
          start: (labels, total) => labels / total,
          expected: (score) => score,
          curvature: () => 1,
          at: (score, label) => (score - label) ** 2 / 2,
        }
      : {
          start: (labels, total) => Math.log((labels + 0.5) / (total - labels + 0.5)),
          expected: (score) => 1 / (1 + Math.exp(-score)),
          curvature: (expected) => expected * (1 - expected),
          at: (score, label) => {
            const s = label === 1 ? score : -score;
            // ln(1 + e^−s), without overflow.
            return Math.max(0, -s) + Math.log1p(Math.exp(-Math.abs(s)));
          },
        };
  return {
    ...pieces,
    mean: (score, label, weight, rows) => {
      let sum = 0;
      let total = 0;
      for (const r of rows) {
        sum += weight[r]! * pieces.at(score[r]!, label[r]!);
        total += weight[r]!;
      }
      return sum / Math.max(Number.MIN_VALUE, total);
    },
  };
}

function tableOf(
  trees: readonly Tree[],
  edges: readonly Float32Array[],
  columns: number,
  bias: number,
): BoostedTrees {
  const nodes = trees.reduce((sum, tree) => sum + tree.feature.length, 0);
  const table: BoostedTrees = {
    columns,
    bias,
    roots: new Int32Array(trees.length),
    feature: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes),
    right: new Int32Array(nodes),
    value: new Float32Array(nodes),
  };
  let first = 0;
  trees.forEach((tree, t) => {
    table.roots[t] = first;
    tree.feature.forEach((feature, n) => {
      table.feature[first + n] = feature;
      table.threshold[first + n] = feature < 0 ? 0 : edges[feature]![tree.bin[n]!]!;
      table.left[first + n] = first + tree.left[n]!;
      table.right[first + n] = first + tree.right[n]!;
      table.value[first + n] = tree.value[n]!;
    });
    first += tree.feature.length;
  });
  return table;
}
