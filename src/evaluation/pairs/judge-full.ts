/** Measures a model by its list of the whole catalogue. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { ndcgAtK, recallAtK } from '../../algorithms/ranking-metrics.ts';
import type { PairScorer } from './pair-model.ts';

/** Means over the users who have test items. */
export type FullQuality = { recallAt20: number; ndcgAt20: number };

export const judgedLength = 20;
const usersAtATime = 4096;

/**
 * He et al. 2020 (LightGCN): the catalogue less the user's training items is ranked; Recall@20 is the share of the test items
 * that are among the first 20, NDCG@20 has its ideal capped at 20. `test` is users × items.
 */
export async function judgeFull(
  scorer: PairScorer,
  test: CsrMatrix,
  onProgress: (share: number) => void = () => {},
): Promise<FullQuality> {
  const users = usersWithItems(test);
  let recall = 0;
  let ndcg = 0;
  for (let from = 0; from < users.length; from += usersAtATime) {
    const batch = users.subarray(from, from + usersAtATime);
    const { k, indices } = await scorer.rank(batch, judgedLength);
    batch.forEach((u, n) => {
      const relevant = new Set(test.indices.subarray(test.indptr[u]!, test.indptr[u + 1]!));
      const list = indices.subarray(n * k, (n + 1) * k);
      recall += recallAtK(list, relevant, judgedLength);
      ndcg += ndcgAtK(list, relevant, judgedLength);
    });
    onProgress((from + batch.length) / users.length);
  }
  return { recallAt20: recall / users.length, ndcgAt20: ndcg / users.length };
}

export function usersWithItems({ rows, indptr }: CsrMatrix): Int32Array {
  return Int32Array.from({ length: rows }, (_, u) => u).filter((u) => indptr[u + 1]! > indptr[u]!);
}
