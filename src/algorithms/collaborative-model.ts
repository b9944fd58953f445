/** What collaborative filtering has learned of a shop, and the questions that it answers. Items are indices into `itemIds`. */
import { type DueItem, type ItemHistory, type PurchaseRhythm, rankBuyAgain } from './buy-again.ts';
import type { ContentModel } from './content-factors.ts';
import type { CsrMatrix } from './csr.ts';
import type { CustomerNeighbours } from './customer-neighbours.ts';
import { multiplyRows } from './dense.ts';
import { createRowSolver, type RowObjective, type RowSolver } from './ials-row.ts';
import { type PurchaseWeighting, purchaseWeight } from './purchase-weight.ts';
import type { ItemFacts } from './ranker/item-facts.ts';
import type { Ranker, RankerScorer } from './ranker/ranker.ts';
import type { TasteScan } from './taste-scan.ts';
import { type Ranked, topK } from './top-k.ts';

export type { DueItem, ItemHistory } from './buy-again.ts';
export { collaborativeFromFiles, collaborativeToFiles } from './collaborative-files.ts';

/** Where a recommended item came from. */
export const COLLABORATIVE_SOURCES = ['ials', 'neighbours', 'buyAgain', 'popularity'] as const;
export type CollaborativeSource = (typeof COLLABORATIVE_SOURCES)[number];

/** How the lists of the sources are merged: chosen on validation data, used alike by evaluation and serving. */
export type FusionSettings = { weights: Record<CollaborativeSource, number>; rankConstant: number };

export type CollaborativeModel = RowObjective & {
  itemIds: readonly string[];
  itemIndex: ReadonlyMap<string, number>;
  /** Dimension of the factors, a multiple of 4. */
  factors: number;
  /** items × factors. */
  itemFactors: Float32Array;
  /** Gram matrix of `itemFactors`, factors × factors, lower half. */
  gram: Float64Array;
  /** The instant that the model stands at (milliseconds since 1970): what it learned from was bought before. */
  asOf: number;
  weighting: PurchaseWeighting;
  /** items × items: bought by the same customers; the highest scores of each item. */
  neighbours: CsrMatrix;
  /** items × items: bought in the same order. */
  boughtTogether: CsrMatrix;
  /** Market segments; the first is '' (everybody). */
  segments: readonly string[];
  /** segments × items: share of the segment's recent purchases. */
  popularity: Float32Array;
  rhythm: PurchaseRhythm;
  /** How far ahead buy-again looks. */
  buyAgainHorizonDays: number;
  fusion: FusionSettings;
  /** Number and Gram matrix (lower half) of the customers that it learned from: what a new item is folded in with. */
  users?: { count: number; gram: Float64Array };
  /** Factors of items that nobody has bought; absent where the catalogue told too little. */
  content?: ContentModel;
  /** What only the ranker reads. */
  sources?: RankerSources;
  /** Scans the factors faster than plain arithmetic does; for a process that answers requests. */
  scan?: TasteScan;
  /** Of the items at these places of `scanOrder` alone, which rise. */
  scanAmong?: (vector: Float32Array, k: number, places: Int32Array) => Ranked;
  /** The items in the order in which the scan has them; those without finite factors are not among them. */
  scanOrder?: Int32Array;
  /** The same by the cosine of the angle rather than by the product. */
  scanAngles?: TasteScan;
  /** Products of any rows of factors, as `multiplyRows` of dense.ts has them. */
  multiplyRows?: typeof multiplyRows;
  /** The ranker's scores, faster than by plain arithmetic; for such a process too. */
  scoreCandidates?: RankerScorer;
  /** Merges the candidates of all sources; absent where there was too little to learn it from. */
  ranker?: Ranker;
};

export type RankerSources = {
  facts: ItemFacts;
  customers: CustomerNeighbours;
  /** A purchase this many days old counts half for what the customer is used to buy. */
  habitHalfLifeDays: number;
  /** items × items: weight of having bought the row's item for the column's; absent for catalogues too large for it. */
  ease?: CsrMatrix;
};

/**
 * Weights (confidence − 1) of a customer's purchases, aligned with the history, for `foldInUser` and `neighbourScores`.
 * Purchases age up to the model's own instant, as in its training, or to the customer's latest if that is later: not
 * to `now`, or all would pale beside the regularisation while no new model is trained.
 */
export function historyWeights(
  model: CollaborativeModel,
  history: readonly ItemHistory[],
  now: number,
): { items: Int32Array; weights: Float32Array } {
  let reference = model.asOf;
  for (const { lastAt } of history) reference = Math.max(reference, Math.min(lastAt, now));
  return {
    items: Int32Array.from(history, (entry) => entry.item),
    weights: Float32Array.from(history, (entry) =>
      purchaseWeight(model.weighting, entry.purchaseCount, entry.lastAt, reference),
    ),
  };
}

/** Factors of things that are no items of the model, each with its weight (confidence − 1). */
export type WeightedVectors = { vectors: Float32Array[]; weights: number[] };

/**
 * Factors of a customer with these items and weights (confidence − 1), and those of `besides`: the row that training
 * would have solved for them. All zero without any.
 */
export function foldInUser(
  model: CollaborativeModel,
  items: Int32Array,
  weights: Float32Array,
  besides?: WeightedVectors,
): Float32Array {
  const { factors: size, itemFactors, gram } = model;
  const row = new Float32Array(size);
  if (besides === undefined || besides.vectors.length === 0) {
    solverOf(model)(items, weights, 0, items.length, row, 0);
    return row;
  }
  // Only the rows that are needed: a copy of all would cost as much as the catalogue is large.
  const count = items.length + besides.vectors.length;
  const factors = new Float32Array(count * size);
  for (let h = 0; h < items.length; h++)
    factors.set(itemFactors.subarray(items[h]! * size, (items[h]! + 1) * size), h * size);
  for (const [at, vector] of besides.vectors.entries()) factors.set(vector, (items.length + at) * size);
  const solve = createRowSolver({ factors, size, gram, rows: model.itemIds.length }, model);
  solve(
    Int32Array.from({ length: count }, (_, h) => h),
    Float32Array.of(...weights, ...besides.weights),
    0,
    count,
    row,
    0,
  );
  return row;
}

/** Its scratch memory is some hundred kilobytes: made once a model. */
const solvers = new WeakMap<CollaborativeModel, RowSolver>();

function solverOf(model: CollaborativeModel): RowSolver {
  let solver = solvers.get(model);
  if (solver === undefined) {
    const { itemFactors, factors: size, gram } = model;
    solver = createRowSolver({ factors: itemFactors, size, gram }, model);
    solvers.set(model, solver);
  }
  return solver;
}

/** Preference for every item, by its index: about 1 for what is sure to be bought, about 0 otherwise. Ranks; not a probability. */
export function scoreAllItems(model: CollaborativeModel, userFactors: Float32Array): Float32Array {
  const scores = new Float32Array(model.itemIds.length);
  multiplyRows(model.itemFactors, userFactors, scores);
  return scores;
}

/** Items bought by the same customers, best first. Empty for an item without neighbours. */
export function neighboursOf(model: CollaborativeModel, item: number, k: number): Ranked {
  return bestOfRow(model.neighbours, item, k);
}

/** Items bought in the same order, best first; where no order tells, items bought by the same customers. */
export function boughtTogetherWith(model: CollaborativeModel, item: number, k: number): Ranked {
  const together = bestOfRow(model.boughtTogether, item, k);
  return together.indices.length > 0 ? together : neighboursOf(model, item, k);
}

/** Items that please the same tastes: highest cosine of factors, without the item itself. Empty for an item without factors. */
export function similarItems(model: CollaborativeModel, item: number, k: number): Ranked {
  const { factors, itemFactors } = model;
  return itemsLike(model, itemFactors.subarray(item * factors, (item + 1) * factors), k, item);
}

/** Items of the highest cosine with this vector of factors, without `except`. Empty for a vector of zeros. */
export function itemsLike(model: CollaborativeModel, vector: Float32Array, k: number, except = -1): Ranked {
  const { factors, itemFactors, scanAngles } = model;
  if (scanAngles !== undefined) return without(except, scanAngles(vector, k + 1), k);
  const scores = scoreAllItems(model, vector);
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  for (let i = 0; i < scores.length; i++) {
    let square = 0;
    for (let p = i * factors; p < (i + 1) * factors; p++) square += itemFactors[p]! ** 2;
    // An item that nobody bought has no factors: NaN, which is never ranked.
    scores[i] = scores[i]! / (norm * Math.sqrt(square));
  }
  return topK(scores, k, (i) => i !== except);
}

/** The first k that are not `item`. */
function without(item: number, { indices, scores }: Ranked, k: number): Ranked {
  const at = indices.indexOf(item);
  if (at === -1) return { indices: indices.slice(0, k), scores: scores.slice(0, k) };
  return {
    indices: indices.filter((_, place) => place !== at).slice(0, k),
    scores: scores.filter((_, place) => place !== at).slice(0, k),
  };
}

/** Score of every item by its neighbours among the customer's items: Σ weight × similarity. */
export function neighbourScores(
  model: CollaborativeModel,
  items: Int32Array,
  weights: Float32Array,
): Float32Array {
  const { indptr, indices, data } = model.neighbours;
  const scores = new Float32Array(model.itemIds.length);
  for (let h = 0; h < items.length; h++) {
    const item = items[h]!;
    for (let p = indptr[item]!; p < indptr[item + 1]!; p++) scores[indices[p]!]! += weights[h]! * data[p]!;
  }
  return scores;
}

/** Share of each item in what the segment buys lately; everybody's for a segment that the model does not know. A view: do not write. */
export function popularityScores(model: CollaborativeModel, segment = ''): Float32Array {
  const row = Math.max(0, model.segments.indexOf(segment)) * model.itemIds.length;
  return model.popularity.subarray(row, row + model.itemIds.length);
}

/** The customer's own items by how likely each is bought again soon. */
export function buyAgain(model: CollaborativeModel, history: readonly ItemHistory[], now: number): DueItem[] {
  return rankBuyAgain(model.rhythm, history, now, model.buyAgainHorizonDays);
}

function bestOfRow(matrix: CsrMatrix, row: number, k: number): Ranked {
  const from = matrix.indptr[row]!;
  const to = matrix.indptr[row + 1]!;
  const best = topK(matrix.data.subarray(from, to), k);
  return { indices: best.indices.map((p) => matrix.indices[from + p]!), scores: best.scores };
}
