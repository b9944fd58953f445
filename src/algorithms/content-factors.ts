/**
 * Factors of items that nobody has bought yet, from what the catalogue says of them: a linear map from content to the
 * factors of collaborative filtering, learned from the items that have both (Gantner et al., "Learning Attribute-to-Feature
 * Mappings for Cold-Start Recommendations", ICDM 2010).
 *
 *   B = argmin Σᵢ wᵢ · ‖fᵢ − f̄ − Bᵀxᵢ‖² + λ · ‖B‖²,   wᵢ = nᵢ / (nᵢ + κ)
 *
 * with fᵢ the factors of item i, f̄ their weighted mean, nᵢ its buyers and xᵢ its tokens: 1 for its category and its brand,
 * and TF-IDF of length 1 over its words and tags. Solved by conjugate gradients, all columns of B at once.
 */
import { contentTokens, type ItemContent } from './content-tokens.ts';
import { type CsrMatrix, csrFromTriplets } from './csr.ts';
import { solveRidge } from './ridge.ts';
import { type Rng, shuffle } from './rng.ts';

export type ContentModel = {
  /** Dimension of the factors that it maps to. */
  factors: number;
  tokens: readonly string[];
  tokenIndex: ReadonlyMap<string, number>;
  /** By token: ln((1 + items) / (1 + items with it)) + 1. */
  idf: Float32Array;
  /** tokens × factors: B. */
  weights: Float32Array;
  /** f̄: what is said of an item of which nothing is known. */
  mean: Float32Array;
  /** λ, chosen by items that were held out. */
  ridge: number;
};

export type ContentItems = {
  /** By item; undefined: not in the catalogue, not learned from. */
  contents: readonly (ItemContent | undefined)[];
  /** items × factors. */
  itemFactors: Float32Array;
  factors: number;
  /** By item: nᵢ; items without buyers have no factors to learn from. */
  buyers: ArrayLike<number>;
};

/** Tokens of fewer items tell only of these. */
const tokenItemsMin = 2;
const tokensMax = 20_000;
/** κ: buyers at which an item's own factors are half to be trusted. */
const priorBuyers = 5;
const ridges = [30, 10, 3, 1, 0.3];
const heldOutShare = 0.2;
/** As many choose λ as well as all do. */
const choosingItemsMax = 20_000;
/** Coarse: which λ is the better shows long before the last digits do. */
const choosingTolerance = 1e-2;
/** Fewer tell nothing that an average would not. */
const itemsMin = 10;

/** undefined: too few items have content and factors to learn anything from. */
export function fitContentFactors(
  { contents, itemFactors, factors, buyers }: ContentItems,
  rng: Rng,
): ContentModel | undefined {
  const learnable: number[] = [];
  for (let i = 0; i < contents.length; i++)
    if (contents[i] !== undefined && buyers[i]! > 0) learnable.push(i);
  const tokensOf = learnable.map((i) => contentTokens(contents[i]!));
  const vocabulary = vocabularyOf(tokensOf);
  if (learnable.length < itemsMin || vocabulary.tokens.length === 0) return undefined;
  const weight = Float64Array.from(learnable, (i) => buyers[i]! / (buyers[i]! + priorBuyers));
  const target = new Float64Array(learnable.length * factors);
  learnable.forEach((i, row) => {
    target.set(itemFactors.subarray(i * factors, (i + 1) * factors), row * factors);
  });
  const mean = subtractMean(target, weight, factors);
  const x = contentMatrix(vocabulary, tokensOf);
  const ridge = chooseRidge({ x, target, weight, factors }, rng);
  const { weights } = solveRidge({ x, target, weight, columns: factors, ridge, tolerance: 1e-3 });
  return { factors, ...vocabulary, weights: Float32Array.from(weights), mean, ridge };
}

/** f̄ + Bᵀx. undefined where none of the item's tokens is known: the mean is nobody's taste. */
export function contentFactorsOf(model: ContentModel, content: ItemContent): Float32Array | undefined {
  const { indices, values } = encode(model, contentTokens(content));
  if (indices.length === 0) return undefined;
  const { factors, weights } = model;
  const vector = model.mean.slice();
  for (let p = 0; p < indices.length; p++) {
    const row = indices[p]! * factors;
    for (let f = 0; f < factors; f++) vector[f]! += values[p]! * weights[row + f]!;
  }
  return vector;
}

type Vocabulary = Pick<ContentModel, 'tokens' | 'tokenIndex' | 'idf'>;

function vocabularyOf(tokensOf: readonly (readonly string[])[]): Vocabulary {
  const counts = new Map<string, number>();
  for (const tokens of tokensOf) for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const kept = [...counts]
    .filter(([, count]) => count >= tokenItemsMin)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, tokensMax);
  return {
    tokens: kept.map(([token]) => token),
    tokenIndex: new Map(kept.map(([token], t) => [token, t])),
    idf: Float32Array.from(kept, ([, count]) => Math.log((1 + tokensOf.length) / (1 + count)) + 1),
  };
}

type SparseRow = { indices: number[]; values: number[] };

/** Category and brand count 1 each, words and tags together too. */
function encode({ tokenIndex, idf }: Vocabulary, tokens: readonly string[]): SparseRow {
  const named: number[] = [];
  const words: number[] = [];
  for (const token of tokens) {
    const t = tokenIndex.get(token);
    if (t !== undefined) (/^(category|brand):/.test(token) ? named : words).push(t);
  }
  const length = Math.hypot(...words.map((t) => idf[t]!));
  return {
    indices: [...named, ...words],
    values: [...named.map(() => 1), ...words.map((t) => idf[t]! / length)],
  };
}

/** items × tokens. */
function contentMatrix(vocabulary: Vocabulary, tokensOf: readonly (readonly string[])[]): CsrMatrix {
  const triplets = { row: [] as number[], col: [] as number[], value: [] as number[] };
  tokensOf.forEach((tokens, row) => {
    const { indices, values } = encode(vocabulary, tokens);
    for (let p = 0; p < indices.length; p++) {
      triplets.row.push(row);
      triplets.col.push(indices[p]!);
      triplets.value.push(values[p]!);
    }
  });
  return csrFromTriplets(tokensOf.length, vocabulary.tokens.length, triplets);
}

/** Subtracts the weighted mean of the rows, and answers it. */
function subtractMean(rows: Float64Array, weight: Float64Array, columns: number): Float32Array {
  const mean = new Float64Array(columns);
  let total = 0;
  for (let r = 0; r < weight.length; r++) {
    total += weight[r]!;
    for (let c = 0; c < columns; c++) mean[c]! += weight[r]! * rows[r * columns + c]!;
  }
  for (let c = 0; c < columns; c++) mean[c]! /= total;
  for (let r = 0; r < weight.length; r++)
    for (let c = 0; c < columns; c++) rows[r * columns + c]! -= mean[c]!;
  return Float32Array.from(mean);
}

type Sample = { x: CsrMatrix; target: Float64Array; weight: Float64Array; factors: number };

/** The λ with which the factors of items that were held out come out best (weighted squared error). */
function chooseRidge(all: Sample, rng: Rng): number {
  const order = shuffle([...all.weight.keys()], rng).slice(0, choosingItemsMax);
  const heldOut = Math.max(1, Math.round(heldOutShare * order.length));
  const judged = select(all, order.slice(0, heldOut));
  const learned = select(all, order.slice(heldOut));
  let chosen = ridges[0]!;
  let least = Number.POSITIVE_INFINITY;
  let start: Float64Array | undefined;
  // From the strongest on: each solution is a good start for the next.
  for (const ridge of ridges) {
    const { weights } = solveRidge({
      ...learned,
      columns: all.factors,
      ridge,
      start,
      tolerance: choosingTolerance,
    });
    const error = squaredError(judged, weights);
    if (error < least) {
      least = error;
      chosen = ridge;
    }
    start = weights;
  }
  return chosen;
}

function select({ x, target, weight, factors }: Sample, rows: readonly number[]): Sample {
  const indptr = new Int32Array(rows.length + 1);
  rows.forEach((row, at) => {
    indptr[at + 1] = indptr[at]! + x.indptr[row + 1]! - x.indptr[row]!;
  });
  const entries = indptr[rows.length]!;
  const chosen = {
    x: {
      rows: rows.length,
      cols: x.cols,
      indptr,
      indices: new Int32Array(entries),
      data: new Float32Array(entries),
    },
    target: new Float64Array(rows.length * factors),
    weight: Float64Array.from(rows, (row) => weight[row]!),
    factors,
  };
  rows.forEach((row, at) => {
    const from = x.indptr[row]!;
    const to = x.indptr[row + 1]!;
    chosen.x.indices.set(x.indices.subarray(from, to), indptr[at]!);
    chosen.x.data.set(x.data.subarray(from, to), indptr[at]!);
    chosen.target.set(target.subarray(row * factors, (row + 1) * factors), at * factors);
  });
  return chosen;
}

function squaredError({ x, target, weight, factors }: Sample, weights: Float64Array): number {
  let sum = 0;
  const guess = new Float64Array(factors);
  for (let r = 0; r < x.rows; r++) {
    guess.fill(0);
    for (let p = x.indptr[r]!; p < x.indptr[r + 1]!; p++) {
      const row = x.indices[p]! * factors;
      for (let f = 0; f < factors; f++) guess[f]! += x.data[p]! * weights[row + f]!;
    }
    for (let f = 0; f < factors; f++) sum += weight[r]! * (target[r * factors + f]! - guess[f]!) ** 2;
  }
  return sum;
}
