/** Foretells who redeems a coupon of a campaign: learnt from the earlier campaigns, tested on the later ones. */
import {
  BoostedTreesOptions,
  fitBoostedTrees,
  scoreBoosted,
} from '../../algorithms/boosted-trees/boosted-trees.ts';
import { auc, logLoss } from '../../algorithms/classification-metrics.ts';
import { fitLogistic, logisticLogit, sigmoid } from '../../algorithms/logistic-regression.ts';
import { createRng } from '../../algorithms/rng.ts';
import { UsageError } from '../../domain/errors.ts';
import { REDEMPTION_FEATURES, type RedemptionTable } from './redemption-table.ts';

export type RedemptionEvaluation = {
  /** First day of the test, in days since 1970. */
  testFrom: number;
  learnRows: number;
  testRows: number;
  testRedeemed: number;
  /** Name of the candidate that foretold households of the learning part best. */
  chosen: string;
  learned: number;
  pastRedemptions: number;
  /** learned − pastRedemptions, with its 95 % interval: 1,000 bootstrap samples of the test's households. */
  difference: { mean: number; lower: number; upper: number };
};

/** Probability of a yes for each row of a table of `width` columns. */
type Predict = (features: Float32Array, rows: number) => Float64Array;
type Candidate = {
  name: string;
  fit: (features: Float32Array, label: Uint8Array, rounds: Uint8Array) => Promise<Predict>;
};

const width = REDEMPTION_FEATURES.length;
/** Share of what was sent that is learned from, at least: the test begins with the first campaign after it. */
const learnShare = 0.4;
const parts = 5;
const resamples = 1000;

/**
 * The test is every campaign from the first day by which `learnShare` of all was sent; learned is from campaigns that had ended
 * by then. Which model, and how much it is held back, is told by households of the learning part that it has not seen.
 * UsageError where there is too little on either side.
 */
export async function evaluateRedemptions(
  table: RedemptionTable,
  seed: number,
): Promise<RedemptionEvaluation> {
  const testFrom = table.start.find(
    (day) => table.start.filter((other) => other < day).length >= learnShare * table.rows,
  );
  const rows = [...table.start.keys()];
  const learned = testFrom === undefined ? [] : rows.filter((row) => table.end[row]! < testFrom);
  const tested = testFrom === undefined ? [] : rows.filter((row) => table.start[row]! >= testFrom);
  const labels = (of: readonly number[]) => Uint8Array.from(of, (row) => table.redeemed[row]!);
  const [learnLabels, testLabels] = [labels(learned), labels(tested)];
  for (const [what, own] of [
    ['campaigns that ended before the test', learnLabels],
    ['later campaigns', testLabels],
  ] as const)
    if (count(own) < 20 || own.length - count(own) < 20)
      throw new UsageError(
        `Of the ${what}, ${count(own)} of ${own.length} were redeemed: at least 20 with and without a redemption are needed on either side.`,
      );
  const learnFeatures = pick(table.features, learned);
  const part = Uint8Array.from(learned, (row) =>
    createRng(seed, 'household', table.household[row]!).nextInt(parts),
  );
  const scores = [];
  for (const candidate of candidates) scores.push(await lossOf(candidate, learnFeatures, learnLabels, part));
  const best = scores.indexOf(Math.min(...scores));
  const chosen = candidates[best]!;
  const predict = await chosen.fit(learnFeatures, learnLabels, part);
  const testFeatures = pick(table.features, tested);
  const predicted = predict(testFeatures, tested.length);
  const past = Float64Array.from(tested, (_row, n) => testFeatures[n * width]!);
  return {
    testFrom: testFrom!,
    learnRows: learned.length,
    testRows: tested.length,
    testRedeemed: count(testLabels),
    chosen: chosen.name,
    learned: auc(predicted, testLabels),
    pastRedemptions: auc(past, testLabels),
    difference: bootstrapDifference(
      tested.map((row) => table.household[row]!),
      predicted,
      past,
      testLabels,
      seed,
    ),
  };
}

const logistic = (ridge: number): Candidate => ({
  name: `logistic, ridge ${ridge}`,
  fit: async (features, label) => {
    const scale = scaleOf(features);
    const model = fitLogistic(scale(features), width, label, ridge);
    return (rows, n) => {
      const scaled = scale(rows);
      return Float64Array.from({ length: n }, (_, row) => sigmoid(logisticLogit(model, scaled, row * width)));
    };
  },
});

const trees = (leaves: number): Candidate => ({
  name: `trees of ${leaves} leaves`,
  fit: async (features, label, part) => {
    const options = BoostedTreesOptions.parse({ leaves, learningRate: 0.05, minHessian: 3, l2: 10 });
    // The households of one part say where the trees end.
    const heldOut = part.map((own) => (own === part[0] ? 1 : 0));
    const model = await fitBoostedTrees(
      { rows: label.length, columns: width, values: features },
      label,
      heldOut,
      options,
    );
    return (rows, n) =>
      Float64Array.from({ length: n }, (_, row) => sigmoid(scoreBoosted(model, rows, row * width)));
  },
});

const together = (a: Candidate, b: Candidate): Candidate => ({
  name: `${a.name} and ${b.name}`,
  fit: async (features, label, part) => {
    const [one, other] = [await a.fit(features, label, part), await b.fit(features, label, part)];
    return (rows, n) => {
      const [p, q] = [one(rows, n), other(rows, n)];
      return p.map((value, row) => (value + q[row]!) / 2);
    };
  },
});

const candidates: readonly Candidate[] = [
  ...[0.3, 0.1, 0.03, 0.01, 0.001].map(logistic),
  ...[3, 6].map(trees),
  together(logistic(0.03), trees(3)),
  together(logistic(0.01), trees(6)),
];

/** Mean log loss on parts of the households that were left out of the fit. */
async function lossOf(
  { fit: learn }: Candidate,
  features: Float32Array,
  label: Uint8Array,
  part: Uint8Array,
): Promise<number> {
  let sum = 0;
  for (let p = 0; p < parts; p++) {
    const [inside, outside] = [true, false].map((others) =>
      [...part.keys()].filter((row) => (part[row] !== p) === others),
    ) as [number[], number[]];
    if (outside.length === 0 || inside.length === 0) continue;
    const of = (values: Uint8Array, rows: number[]) => Uint8Array.from(rows, (row) => values[row]!);
    const predict = await learn(pick(features, inside), of(label, inside), of(part, inside));
    const predicted = predict(pick(features, outside), outside.length);
    sum += outside.length * logLoss(predicted, of(label, outside));
  }
  return sum / label.length;
}

/** Brings each column to mean 0 and deviation 1 of these rows. */
function scaleOf(features: Float32Array): (rows: Float32Array) => Float32Array {
  const n = features.length / width;
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  features.forEach((value, at) => {
    mean[at % width]! += value / n;
  });
  features.forEach((value, at) => {
    squares[at % width]! += (value - mean[at % width]!) ** 2 / n;
  });
  return (rows) =>
    rows.map((value, at) => (value - mean[at % width]!) / (Math.sqrt(squares[at % width]!) || 1));
}

function bootstrapDifference(
  household: readonly number[],
  predicted: Float64Array,
  past: Float64Array,
  label: Uint8Array,
  seed: number,
) {
  const byHousehold = new Map<number, number[]>();
  household.forEach((id, n) => {
    const known = byHousehold.get(id);
    if (known === undefined) byHousehold.set(id, [n]);
    else known.push(n);
  });
  const groups = [...byHousehold.values()];
  const rng = createRng(seed, 'bootstrap');
  const differences: number[] = [];
  for (let r = 0; r < resamples; r++) {
    const drawn = groups.flatMap(() => groups[rng.nextInt(groups.length)]!);
    const of = (values: ArrayLike<number>) => Float64Array.from(drawn, (n) => values[n]!);
    const labels = of(label);
    differences.push(auc(of(predicted), labels) - auc(of(past), labels));
  }
  differences.sort((a, b) => a - b);
  return {
    mean: auc(predicted, label) - auc(past, label),
    lower: differences[Math.floor(0.025 * resamples)]!,
    upper: differences[Math.ceil(0.975 * resamples) - 1]!,
  };
}

function pick(features: Float32Array, rows: readonly number[]): Float32Array {
  const picked = new Float32Array(rows.length * width);
  rows.forEach((row, n) => {
    picked.set(features.subarray(row * width, (row + 1) * width), n * width);
  });
  return picked;
}

function count(labels: Uint8Array): number {
  return labels.reduce((sum, label) => sum + label, 0);
}
