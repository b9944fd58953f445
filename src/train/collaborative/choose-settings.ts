/**
 * Chooses the hyper-parameters on validation data, one after the other (coordinate descent): few are worth the time of a
 * fit, and each is measured where it matters. iALS by new items, since what was bought before is buy-again's; popularity
 * by all purchases, so that the baseline of the gate is as strong as it can be; the fusion by both.
 */
import { interestMatrix } from '../../algorithms/browsing.ts';
import type { CollaborativeSource } from '../../algorithms/collaborative-model.ts';
import { fuseSources, type SourceLists } from '../../algorithms/collaborative-ranking.ts';
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { fitIals, type IalsFactors, type IalsOptions, type OnShare } from '../../algorithms/ials.ts';
import { createRowSolver } from '../../algorithms/ials-row.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { PurchasePairs } from '../../algorithms/purchase-pairs.ts';
import { createRng } from '../../algorithms/rng.ts';
import { nothingRanked, topK } from '../../algorithms/top-k.ts';
import { indicesOf, type JudgedLists, rankTestSet } from './evaluate.ts';
import { fitAround, fitShopPopularity } from './fit-model.ts';
import { Judged, judgedLength } from './quality.ts';
import { type CollaborativeSettings, defaultSettings } from './settings.ts';
import type { TestSet } from './test-set.ts';

type Weights = Record<CollaborativeSource, number>;
type Trial = Pick<CollaborativeSettings, 'ials' | 'weighting'>;

/** Few passes rank the trials as many do. */
const trialIterations = 3;
const trialFactors = 32;

const firstTrial: Trial = {
  ials: { ...defaultSettings.ials, iterations: trialIterations, factors: trialFactors },
  weighting: defaultSettings.weighting,
};

/** What is tried of each parameter, beside the value that stands. */
const popularityHalfLives = [7, 14, 30, 90, 365];
const trials: readonly ((trial: Trial) => Trial)[] = [
  (t) => ({ ...t, weighting: { ...t.weighting, halfLifeDays: 60 } }),
  (t) => ({ ...t, weighting: { ...t.weighting, halfLifeDays: 30 } }),
  (t) => ({ ...t, weighting: { ...t.weighting, halfLifeDays: 720 } }),
  (t) => ({ ...t, ials: { ...t.ials, unobservedWeight: 0.1 } }),
  (t) => ({ ...t, ials: { ...t.ials, unobservedWeight: 1 } }),
  (t) => ({ ...t, ials: { ...t.ials, regularization: 0.001 } }),
  (t) => ({ ...t, ials: { ...t.ials, regularization: 0.01 } }),
  (t) => ({ ...t, ials: { ...t.ials, factors: 64 } }),
];
const discoveryWeights: readonly Weights[] = [
  [1, 0],
  [1, 0.3],
  [1, 1],
  [0.3, 1],
  [0.1, 1],
].flatMap(([ials, neighbours]) =>
  [0.1, 0.5].map((popularity) => ({ ials: ials!, neighbours: neighbours!, buyAgain: 0, popularity })),
);
const buyAgainWeights = [0, 0.5, 1, 1.5, 2, 3, 4, 8, 16];
const rankConstants = [5, 20, 60];

/** The best settings found for what the customers of `set` bought. */
export async function chooseSettings(
  kernels: Kernels,
  set: TestSet,
  seed: number,
  onProgress: OnShare,
): Promise<CollaborativeSettings> {
  const popularity = {
    ...defaultSettings.popularity,
    halfLifeDays: best(popularityHalfLives, (halfLifeDays) => popularityQuality(set, halfLifeDays)),
  };
  await onProgress(0.02);
  const { trial, factors } = await chooseIals(kernels, set, seed, (share) => onProgress(0.02 + 0.9 * share));
  const { weighting } = trial;
  const model = await fitAround(
    kernels,
    factors,
    set.train,
    set.pairs,
    { ...defaultSettings, ...trial, popularity },
    set.now,
  );
  const lists: JudgedLists[] = [];
  await rankTestSet(
    model,
    set,
    (judged) => lists.push(judged),
    () => onProgress(0.95),
  );
  const ials = { ...trial.ials, iterations: defaultSettings.ials.iterations };
  return { ...defaultSettings, popularity, ials, weighting, fusion: chooseFusion(lists) };
}

function popularityQuality(set: TestSet, halfLifeDays: number): number {
  const { train, customers, relevant } = set;
  const items = train.itemIds.length;
  const { shares } = fitShopPopularity(train, set.now, { ...defaultSettings.popularity, halfLifeDays });
  const tops = train.segments.map((_, s) => topK(shares.subarray(s * items, (s + 1) * items), judgedLength));
  const sum = new Judged();
  for (let n = 0; n < customers.length; n++)
    sum.add(tops[train.customerSegment[customers[n]!]!]!.indices, relevant[n]!);
  return sum.overall();
}

async function chooseIals(
  kernels: Kernels,
  set: TestSet,
  seed: number,
  onProgress: OnShare,
): Promise<{ trial: Trial; factors: IalsFactors }> {
  const measure = async (trial: Trial, n: number) => {
    const userItems = interestMatrix(set.pairs, set.train.browsing, trial.weighting, set.now);
    const factors = await fitIals(kernels, userItems, trial.ials, {
      rng: createRng(seed, 'ials'),
      onProgress: (share) => onProgress((n + share) / (trials.length + 1)),
    });
    return { trial, factors, quality: await discoveryQuality(kernels, set, userItems, trial.ials, factors) };
  };
  let chosen = await measure(firstTrial, 0);
  for (const [n, change] of trials.entries()) {
    const tried = await measure(change(chosen.trial), n + 1);
    if (tried.quality > chosen.quality) chosen = tried;
  }
  return chosen;
}

/** How well the factors foretell what customers bought for the first time. */
async function discoveryQuality(
  kernels: Kernels,
  { pairs, customers, relevant }: TestSet,
  userItems: CsrMatrix,
  options: IalsOptions,
  { itemFactors, itemGram }: IalsFactors,
): Promise<number> {
  const size = options.factors;
  const solve = createRowSolver({ factors: itemFactors, size, gram: itemGram }, options);
  const userFactors = new Float32Array(customers.length * size);
  const bought = rowsOf(pairs, customers);
  const wanted = Array.from(customers, (u, n) => {
    solve(
      userItems.indices,
      userItems.data,
      userItems.indptr[u]!,
      userItems.indptr[u + 1]!,
      userFactors,
      n * size,
    );
    const relevantNew = new Set(relevant[n]!);
    for (const item of bought.indices.subarray(bought.indptr[n], bought.indptr[n + 1]))
      relevantNew.delete(item);
    return relevantNew;
  });
  const shared = [
    kernels.factors(pairs.items, size, itemFactors),
    kernels.factors(customers.length, size, userFactors),
  ] as const;
  const seen = kernels.shareMatrix(bought);
  try {
    const { k, indices } = await kernels.scanManyTopK(...shared, judgedLength, seen);
    const sum = new Judged();
    // Places that are not filled are below 0, as relevant items are that nobody can know.
    for (const [n, relevantNew] of wanted.entries())
      if (relevantNew.size > 0)
        sum.add(
          indices.subarray(n * k, (n + 1) * k).filter((item) => item >= 0),
          relevantNew,
        );
    return sum.overall();
  } finally {
    for (const what of [...shared, seen]) kernels.release(what);
  }
}

/** What these customers bought, a row each; values mean nothing. */
function rowsOf({ items, indptr, item }: PurchasePairs, customers: Int32Array): CsrMatrix {
  const starts = new Int32Array(customers.length + 1);
  for (const [n, u] of customers.entries()) starts[n + 1] = starts[n]! + indptr[u + 1]! - indptr[u]!;
  const indices = new Int32Array(starts[customers.length]!);
  for (const [n, u] of customers.entries())
    indices.set(item.subarray(indptr[u]!, indptr[u + 1]!), starts[n]!);
  return {
    rows: customers.length,
    cols: items,
    indptr: starts,
    indices,
    data: new Float32Array(indices.length),
  };
}

/** First how the sources of new items share the list, then how much of it buy-again takes. */
export function chooseFusion(lists: readonly JudgedLists[]): CollaborativeSettings['fusion'] {
  const settings = rankConstants.flatMap((rankConstant) =>
    discoveryWeights.map((weights) => ({ weights, rankConstant })),
  );
  const { weights, rankConstant } = best(settings, (tried) => {
    const sum = new Judged();
    for (const { relevantNew, fresh } of lists)
      if (relevantNew.size > 0)
        sum.add(fused({ ...fresh, buyAgain: nothingRanked }, tried.weights, tried.rankConstant), relevantNew);
    return sum.overall();
  });
  const buyAgain = best(buyAgainWeights, (weight) => {
    const sum = new Judged();
    for (const { relevant, fresh } of lists)
      sum.add(fused(fresh, { ...weights, buyAgain: weight }, rankConstant), relevant);
    return sum.overall();
  });
  return { weights: { ...weights, buyAgain }, rankConstant };
}

function fused(lists: SourceLists, weights: Weights, rankConstant: number): number[] {
  return indicesOf(fuseSources({ weights, rankConstant }, lists, judgedLength));
}

/** The option of the highest quality; the earliest of equals. */
function best<T>(options: readonly T[], qualityOf: (option: T) => number): T {
  let chosen: T = options[0]!;
  let highest = Number.NEGATIVE_INFINITY;
  for (const option of options) {
    const reached = qualityOf(option);
    if (reached > highest) {
      chosen = option;
      highest = reached;
    }
  }
  return chosen;
}
