/** Two ways of weighing an item's neighbours. */
import { z } from 'zod';
import { fitItemNeighbours, ItemKnnOptions } from '../../../algorithms/item-knn.ts';
import { defineModel } from '../../model.ts';
import type { PairModel } from '../pair-model.ts';
import { neighbourScorer } from '../scorers.ts';

/** No limit: every user of a public data set is a person. */
const everyUser = 1_000_000;

const KnnParams = z.strictObject({
  k: ItemKnnOptions.shape.k.default(200),
  weighting: z.enum(['binary', 'tfidf', 'bm25']).default('tfidf'),
  shrinkage: ItemKnnOptions.shape.shrinkage.unwrap().default(10),
});

/** Cosine of weighted columns with shrinkage (Sarwar et al. 2001). */
export const itemKnn: PairModel = defineModel({
  name: 'item-knn',
  params: KnnParams,
  space: {
    k: { kind: 'integer', min: 20, max: 1000, log: true },
    weighting: { kind: 'choice', options: ['binary', 'tfidf', 'bm25'] },
    shrinkage: { kind: 'real', min: 0, max: 200 },
  },
  fit: async ({ userItems }, params, { kernels, onProgress, signal }) => {
    const options = ItemKnnOptions.parse({ ...params, maxBasketItems: everyUser });
    return neighbourScorer(
      userItems,
      await fitItemNeighbours(kernels, userItems, options, { onProgress, signal }),
    );
  },
});

const Rp3betaParams = z.strictObject({
  k: ItemKnnOptions.shape.k.default(500),
  /** Of the user's number of items. */
  userExponent: z.number().min(0).max(2).default(0.5),
  /** Of the popularity of the item that the user has. */
  sourceExponent: z.number().min(0).max(2).default(0.5),
  /** Of the popularity of the item that is scored. */
  targetExponent: z.number().min(0).max(2).default(0.5),
});

/**
 * Three steps on the graph of users and items, with exponents of their own for the degrees on the way: RP3beta (Paudel et
 * al., TiiS 2017) where the first two are α, GF-CF's linear filter (Shen et al. 2021) with ½, 1 and ½.
 */
export const rp3beta: PairModel = defineModel({
  name: 'rp3beta',
  params: Rp3betaParams,
  space: {
    k: { kind: 'integer', min: 50, max: 1000, log: true },
    userExponent: { kind: 'real', min: 0, max: 1.5 },
    sourceExponent: { kind: 'real', min: 0, max: 1.5 },
    targetExponent: { kind: 'real', min: 0, max: 1.5 },
  },
  fit: async ({ userItems }, params, { kernels, onProgress, signal }) => {
    const options = ItemKnnOptions.parse({
      k: params.k,
      basketExponent: params.userExponent,
      ownExponent: params.sourceExponent,
      popularityExponent: params.targetExponent,
      shrinkage: 0,
      maxBasketItems: everyUser,
    });
    return neighbourScorer(
      userItems,
      await fitItemNeighbours(kernels, userItems, options, { onProgress, signal }),
    );
  },
});
