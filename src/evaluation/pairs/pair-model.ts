/** A model of the protocols on pairs of users and items. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import type { RankedRows } from '../../algorithms/kernels/scan.ts';
import type { Model } from '../model.ts';

export type PairData = {
  /** Users × items: the pairs to learn from, values 1. Rows and columns may be empty. */
  userItems: CsrMatrix;
  /**
   * Each entry's place among its user's, the earliest 0, where the file's order says more than the id: what is held out is
   * last.
   */
  position?: Int32Array | undefined;
};

export type PairScorer = {
  /** Writes the scores of `items` for a user into `out`: comparable within the user, the highest the best. */
  score: (user: number, items: Int32Array, out: Float32Array) => void;
  /**
   * The k best of the whole catalogue for each of `users`, without what the user has in the training data; row n is that of
   * `users[n]`.
   */
  rank: (users: Int32Array, k: number) => Promise<RankedRows>;
  /** Gives shared memory back; the scorer must not be used afterwards. */
  release: () => void;
};

/** Made by `defineModel`. */
export type PairModel = Model<PairData, PairScorer>;
