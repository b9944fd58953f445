/** Scorers of the kinds that models are of: all scores at once, factors of both sides, weights between items. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { RankedRows } from '../../algorithms/kernels/scan.ts';
import { topK } from '../../algorithms/top-k.ts';
import type { PairScorer } from './pair-model.ts';

/** The items of one row. */
export function itemsOf({ indptr, indices }: CsrMatrix, row: number): Int32Array {
  return indices.subarray(indptr[row]!, indptr[row + 1]!);
}

/** Rows of the matrix in the order of `rows`. */
function selectRows(matrix: CsrMatrix, rows: Int32Array): CsrMatrix {
  const { cols, indptr, indices, data } = matrix;
  const starts = new Int32Array(rows.length + 1);
  for (let n = 0; n < rows.length; n++)
    starts[n + 1] = starts[n]! + indptr[rows[n]! + 1]! - indptr[rows[n]!]!;
  const selected = {
    rows: rows.length,
    cols,
    indptr: starts,
    indices: new Int32Array(starts[rows.length]!),
    data: new Float32Array(starts[rows.length]!),
  };
  for (let n = 0; n < rows.length; n++) {
    const [from, to] = [indptr[rows[n]!]!, indptr[rows[n]! + 1]!];
    selected.indices.set(indices.subarray(from, to), starts[n]!);
    selected.data.set(data.subarray(from, to), starts[n]!);
  }
  return selected;
}

/** Ranks by the scores of the whole catalogue, which `scoreAll` writes. */
export function denseScorer(
  userItems: CsrMatrix,
  scoreAll: (user: number, out: Float32Array) => void,
  scoreSome?: PairScorer['score'],
  release: () => void = () => {},
): PairScorer {
  const scores = new Float32Array(userItems.cols);
  return {
    score:
      scoreSome ??
      ((user, items, out) => {
        scoreAll(user, scores);
        for (let n = 0; n < items.length; n++) out[n] = scores[items[n]!]!;
      }),
    rank: async (users, k) => {
      const ranked = emptyRanks(users.length, Math.min(k, userItems.cols));
      users.forEach((user, n) => {
        scoreAll(user, scores);
        for (const item of itemsOf(userItems, user)) scores[item] = Number.NEGATIVE_INFINITY;
        const best = topK(scores, k);
        ranked.indices.set(best.indices, n * ranked.k);
        ranked.scores.set(best.scores, n * ranked.k);
      });
      return ranked;
    },
    release,
  };
}

/**
 * Ranks by what an item's neighbours add up to: row h of `weights` (items × items) is what item h says for others. Only items
 * that some weight speaks for are ranked.
 */
export function neighbourScorer(userItems: CsrMatrix, weights: CsrMatrix): PairScorer {
  const sums = new Float32Array(userItems.cols);
  const touched = new Int32Array(userItems.cols);
  const isTouched = new Uint8Array(userItems.cols);
  /** Sums up, hands the touched items over, and clears. */
  const withSums = (user: number, use: (items: Int32Array) => void) => {
    let length = 0;
    for (const own of itemsOf(userItems, user)) {
      for (let p = weights.indptr[own]!; p < weights.indptr[own + 1]!; p++) {
        const item = weights.indices[p]!;
        if (isTouched[item] === 0) {
          isTouched[item] = 1;
          touched[length++] = item;
        }
        sums[item]! += weights.data[p]!;
      }
    }
    const items = touched.subarray(0, length);
    use(items);
    for (const item of items) {
      sums[item] = 0;
      isTouched[item] = 0;
    }
  };
  return {
    score: (user, items, out) =>
      withSums(user, () => {
        for (let n = 0; n < items.length; n++) out[n] = sums[items[n]!]!;
      }),
    rank: async (users, k) => {
      const ranked = emptyRanks(users.length, Math.min(k, userItems.cols));
      users.forEach((user, n) => {
        withSums(user, (items) => {
          for (const own of itemsOf(userItems, user)) sums[own] = Number.NEGATIVE_INFINITY;
          items.sort();
          const best = topK(
            Float32Array.from(items, (item) => sums[item]!),
            k,
          );
          best.indices.forEach((place, rank) => {
            ranked.indices[n * ranked.k + rank] = items[place]!;
          });
          ranked.scores.set(best.scores, n * ranked.k);
          for (const own of itemsOf(userItems, user)) sums[own] = 0;
        });
      });
      return ranked;
    },
    release: () => {},
  };
}

/** Ranks by dot products. `userVector` writes a user's factors; `itemFactors` is items × size. */
export function factorScorer(
  kernels: Kernels,
  userItems: CsrMatrix,
  itemFactors: Float32Array,
  size: number,
  userVector: (user: number, out: Float32Array) => void,
): PairScorer {
  const shared = kernels.factors(userItems.cols, size, itemFactors);
  const vector = new Float32Array(size);
  return {
    score: (user, items, out) => {
      userVector(user, vector);
      for (let n = 0; n < items.length; n++) {
        const at = items[n]! * size;
        let sum = 0;
        for (let f = 0; f < size; f++) sum += vector[f]! * itemFactors[at + f]!;
        out[n] = sum;
      }
    },
    rank: async (users, k) => {
      const vectors = new Float32Array(users.length * size);
      users.forEach((user, n) => {
        userVector(user, vector);
        vectors.set(vector, n * size);
      });
      const sharedVectors = kernels.factors(users.length, size, vectors);
      const seen = kernels.shareMatrix(selectRows(userItems, users));
      try {
        return await kernels.scanManyTopK(shared, sharedVectors, k, seen);
      } finally {
        kernels.release(sharedVectors);
        kernels.release(seen);
      }
    },
    release: () => kernels.release(shared),
  };
}

/** Lists without an item. */
export function emptyRanks(users: number, k: number): RankedRows {
  return { k, indices: new Int32Array(users * k).fill(-1), scores: new Float32Array(users * k) };
}
