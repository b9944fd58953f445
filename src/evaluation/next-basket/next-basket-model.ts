/** A model of the next-basket protocol. */

import type { BasketLog } from '../../algorithms/next-basket/basket-log.ts';
import type { Model } from '../model.ts';

export type NextBasketScorer = {
  /**
   * Writes each item's score for the user's next basket into `out` (as many as the log has items; what it held before is
   * not to be read). The highest come first, equals by lower index; −Infinity leaves an item out of the list.
   */
  score: (user: number, out: Float32Array) => void;
  /** Gives back what it holds in shared memory; it must not be used afterwards. */
  release?: () => void;
};

/** Made by `defineModel`. */
export type NextBasketModel = Model<BasketLog, NextBasketScorer>;
