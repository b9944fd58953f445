/** Items that go together, counted: bought in the same basket, or by the same customer. */
import { z } from 'zod';
import type { CsrMatrix } from './csr.ts';
import type { Kernels } from './kernels/kernels.ts';
import { topK } from './top-k.ts';

export const ItemKnnOptions = z
  .strictObject({
    /** Neighbours that are kept of each item. */
    k: z.int().positive().max(10_000).default(50),
    /** `cosine`: how much of their baskets two items share. `logLikelihood`: how sure it is that this is no chance. */
    similarity: z.enum(['cosine', 'logLikelihood']).default('cosine'),
    /**
     * What an entry of the matrix counts: `binary` 1, `values` itself; `tfidf` and `bm25` weigh an item as a text whose
     * words are the baskets that hold it, so that a basket of everything says little.
     */
    weighting: z.enum(['binary', 'values', 'tfidf', 'bm25']).default('binary'),
    /** BM25: how soon a repeated value stops to count for more, and how much an item's popularity is held against it. */
    bm25K1: z.number().positive().default(1.2),
    bm25B: z.number().min(0).max(1).default(0.75),
    /** γ: a basket of n items counts n^−γ; 0 all alike, 1 as a random walk would leave it (RP3beta). */
    basketExponent: z.number().min(0).max(2).default(0),
    /** Exponent of the item's own popularity in the score; .5 with .5 below is the cosine. */
    ownExponent: z.number().min(0).max(2).default(0.5),
    /** Exponent of the neighbour's popularity: 0 prefers bestsellers, 1 the rare. */
    popularityExponent: z.number().min(0).max(2).default(0.5),
    /** β: a pair seen together n times has its score multiplied by n / (n + β), so that chance pairs stay low. */
    shrinkage: z.number().min(0).default(5),
    /** Pairs seen together less often are dropped. */
    minTogether: z.int().positive().default(1),
    /** Pairs of which the lift n_ij N / (n_i n_j) is not above this are dropped; 1: what chance would bring together. */
    minLift: z.number().min(0).default(0),
    /** Baskets with more items (a reseller's) say nothing about what goes together, and cost their square. */
    maxBasketItems: z.int().positive().default(2000),
  })
  .refine(
    ({ weighting, basketExponent, similarity, minTogether, minLift }) =>
      (weighting === 'binary' && basketExponent === 0) ||
      (similarity === 'cosine' && minTogether === 1 && minLift === 0),
    'minTogether, minLift and logLikelihood count baskets: they go with weighting binary and basketExponent 0',
  );
export type ItemKnnOptions = z.output<typeof ItemKnnOptions>;

export type ItemKnnRun = {
  onProgress?: ((share: number) => void) | undefined;
  signal?: AbortSignal | undefined;
};

/** Smallest product of weights that counts: anything but none. */
const anyProduct = 1e-30;

/**
 * Neighbours of each item from `baskets` (baskets or customers × items): items × items, each row the k highest scores,
 * columns ascending. With c_ij = Σ x_i x_j over the baskets and q_i = Σ x_i² (for `binary` n_ij and n_i) the score is
 *
 *   c_ij / (q_i^a q_j^b) · c_ij / (c_ij + β)      cosine (Sarwar et al. 2001) with shrinkage (Bell and Koren 2007)
 *   G²_ij · n_ij / (n_ij + β)                     log-likelihood ratio (Dunning 1993) of pairs with lift above 1
 *
 * with exponents a and b as in the asymmetric cosine (Aiolli 2013). With γ = a = α and b = β it is RP3beta (Paudel et
 * al. 2016). Dividing by popularity, or asking how surprising a pair is, keeps bestsellers from being everybody's
 * neighbour. `logLikelihood` reads neither exponents nor values.
 */
export async function fitItemNeighbours(
  kernels: Kernels,
  baskets: CsrMatrix,
  options: ItemKnnOptions,
  run: ItemKnnRun = {},
): Promise<CsrMatrix> {
  const { k, shrinkage, similarity } = options;
  const items = baskets.cols;
  const counted = smallBaskets(baskets, options.maxBasketItems);
  const weighted = weigh(counted, options);
  const { counts, squares, basketCount } = totalsOf(weighted);
  scaleBaskets(weighted, options.basketExponent);
  const ownScale = squares.map((q) => (q > 0 ? q ** -options.ownExponent : 0));
  const neighbourScale = squares.map((q) => (q > 0 ? q ** -options.popularityExponent : 0));
  const isBinary = options.weighting === 'binary' && options.basketExponent === 0;
  const minLift = similarity === 'logLikelihood' ? Math.max(1, options.minLift) : options.minLift;

  const indptr = new Int32Array(items + 1);
  const indices: Int32Array[] = [];
  const data: Float32Array[] = [];
  const scratch = new Float32Array(items);
  const minimum = isBinary ? options.minTogether : anyProduct;
  await kernels.itemProducts(weighted, { minimum, ...run }, (i, others, products) => {
    const scores = scratch.subarray(0, others.length);
    for (let n = 0; n < others.length; n++) {
      const j = others[n]!;
      const c = products[n]!;
      if (minLift > 0 && c * basketCount <= minLift * counts[i]! * counts[j]!) {
        scores[n] = Number.NEGATIVE_INFINITY;
        continue;
      }
      const score =
        similarity === 'cosine'
          ? c * ownScale[i]! * neighbourScale[j]!
          : logLikelihoodRatio(c, counts[i]!, counts[j]!, basketCount);
      scores[n] = score * (c / (c + shrinkage));
    }
    const best = topK(scores, k);
    // Columns ascend in a CSR row: by candidate, not by score.
    const kept = best.indices.sort();
    indices.push(kept.map((n) => others[n]!));
    data.push(Float32Array.from(kept, (n) => scores[n]!));
    indptr[i + 1] = indptr[i]! + kept.length;
  });
  return { rows: items, cols: items, indptr, ...concatenate(indices, data, indptr[items]!) };
}

/**
 * G² = 2 Σ k ln(k / expected k) over the four cells of the table of two items' baskets (Dunning 1993): how far their
 * meeting `together` times is from chance, where they are in `first` and `second` of `all` baskets.
 */
export function logLikelihoodRatio(together: number, first: number, second: number, all: number): number {
  const cell = (count: number, row: number, column: number) =>
    count > 0 ? count * Math.log((count * all) / (row * column)) : 0;
  return Math.max(
    0,
    2 *
      (cell(together, first, second) +
        cell(first - together, first, all - second) +
        cell(second - together, all - first, second) +
        cell(all - first - second + together, all - first, all - second)),
  );
}

/** The baskets without those of more than `most` items. */
function smallBaskets(baskets: CsrMatrix, most: number): CsrMatrix {
  const { rows, cols } = baskets;
  const indptr = new Int32Array(rows + 1);
  const lengthOf = (b: number) => baskets.indptr[b + 1]! - baskets.indptr[b]!;
  for (let b = 0; b < rows; b++) indptr[b + 1] = indptr[b]! + (lengthOf(b) > most ? 0 : lengthOf(b));
  if (indptr[rows] === baskets.indptr[rows]) return baskets;
  const indices = new Int32Array(indptr[rows]!);
  const data = new Float32Array(indptr[rows]!);
  for (let b = 0; b < rows; b++) {
    if (indptr[b + 1] === indptr[b]) continue;
    const [from, to] = [baskets.indptr[b]!, baskets.indptr[b + 1]!];
    indices.set(baskets.indices.subarray(from, to), indptr[b]!);
    data.set(baskets.data.subarray(from, to), indptr[b]!);
  }
  return { rows, cols, indptr, indices, data };
}

/** The matrix with the values that count. */
function weigh(baskets: CsrMatrix, { weighting, bm25K1, bm25B }: ItemKnnOptions): CsrMatrix {
  const { rows, cols, indptr, indices } = baskets;
  if (weighting === 'binary') return { ...baskets, data: new Float32Array(indices.length).fill(1) };
  if (weighting === 'values') return { ...baskets, data: baskets.data.slice() };
  const data = new Float32Array(indices.length);
  const sums = new Float64Array(cols);
  for (let p = 0; p < indices.length; p++) sums[indices[p]!]! += baskets.data[p]!;
  const meanSum = sums.reduce((total, sum) => total + sum, 0) / cols;
  for (let b = 0; b < rows; b++) {
    const [from, to] = [indptr[b]!, indptr[b + 1]!];
    // How rare the word is among the texts.
    const rarity = Math.max(0, Math.log(cols / (1 + to - from)));
    for (let p = from; p < to; p++) {
      const value = baskets.data[p]!;
      const length = 1 - bm25B + (bm25B * sums[indices[p]!]!) / meanSum;
      data[p] =
        rarity *
        (weighting === 'tfidf' ? Math.sqrt(value) : (value * (bm25K1 + 1)) / (bm25K1 * length + value));
    }
  }
  return { ...baskets, data };
}

/** Baskets that hold each item, their Σ x², and the number of baskets that hold anything. */
function totalsOf({ rows, cols, indptr, indices, data }: CsrMatrix) {
  const counts = new Float64Array(cols);
  const squares = new Float64Array(cols);
  for (let p = 0; p < indices.length; p++) {
    counts[indices[p]!]!++;
    squares[indices[p]!]! += data[p]! ** 2;
  }
  let basketCount = 0;
  for (let b = 0; b < rows; b++) if (indptr[b + 1]! > indptr[b]!) basketCount++;
  return { counts, squares, basketCount };
}

/** Values of a basket of n items times n^(−γ/2), so that their products have n^−γ. */
function scaleBaskets({ rows, indptr, data }: CsrMatrix, exponent: number): void {
  if (exponent === 0) return;
  for (let b = 0; b < rows; b++) {
    const scale = (indptr[b + 1]! - indptr[b]!) ** (-exponent / 2);
    for (let p = indptr[b]!; p < indptr[b + 1]!; p++) data[p]! *= scale;
  }
}

function concatenate(indices: readonly Int32Array[], data: readonly Float32Array[], length: number) {
  const joined = { indices: new Int32Array(length), data: new Float32Array(length) };
  let at = 0;
  for (let r = 0; r < indices.length; r++) {
    joined.indices.set(indices[r]!, at);
    joined.data.set(data[r]!, at);
    at += indices[r]!.length;
  }
  return joined;
}
