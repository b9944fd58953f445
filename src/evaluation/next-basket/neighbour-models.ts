/** The user's own past, and that of the likest others: what tuned nearest neighbours make of a basket log. */
import { z } from 'zod';
import { type BasketLog, basketShares } from '../../algorithms/next-basket/basket-log.ts';
import {
  addRow,
  decayedFrequency,
  decayedShareWeight,
} from '../../algorithms/next-basket/decayed-frequency.ts';
import { type AddScores, createTifuKnn } from '../../algorithms/next-basket/tifu-knn.ts';
import { createUpCf } from '../../algorithms/next-basket/up-cf.ts';
import { defineModel } from '../model.ts';
import type { NextBasketModel, NextBasketScorer } from './next-basket-model.ts';

/** Weight of an item's share of all baskets beside the score: by default it only tells equals apart. */
const popularityWeight = z.number().min(0).default(1e-4);

/** The decayed share of the user's own baskets that hold the item. */
export const personalFrequency: NextBasketModel = defineModel({
  name: 'personal-frequency',
  params: z.strictObject({
    /** What a basket weighs beside the next younger one. */
    basketDecay: z.number().positive().max(1).default(0.95),
    /** Weight of the item's share of all baskets. */
    popularityWeight: popularityWeight.default(1),
  }),
  space: {
    basketDecay: { kind: 'real', min: 0.5, max: 1 },
    popularityWeight: { kind: 'real', min: 1e-4, max: 10, log: true },
  },
  fit: (log, params) => {
    const own = decayedFrequency(log, decayedShareWeight(params.basketDecay));
    return withPopularity(log, params.popularityWeight, (user, factor, out) =>
      addRow(own, user, factor, out),
    );
  },
});

/** TIFU-KNN. The paper's own parameters are tuned to each of its data sets; these are between them. */
export const tifuKnn: NextBasketModel = defineModel({
  name: 'tifu-knn',
  params: z.strictObject({
    withinDecay: z.number().positive().max(1).default(0.9),
    groupDecay: z.number().positive().max(1).default(0.7),
    groupSize: z.int().positive().default(3),
    neighbours: z.int().positive().default(300),
    ownWeight: z.number().min(0).max(1).default(0.5),
    popularityWeight,
  }),
  space: {
    withinDecay: { kind: 'real', min: 0.5, max: 1 },
    groupDecay: { kind: 'real', min: 0.5, max: 1 },
    groupSize: { kind: 'integer', min: 1, max: 12 },
    neighbours: { kind: 'integer', min: 50, max: 1000, log: true },
    ownWeight: { kind: 'real', min: 0, max: 1 },
    popularityWeight: { kind: 'real', min: 1e-4, max: 10, log: true },
  },
  fit: (log, params) => withPopularity(log, params.popularityWeight, createTifuKnn(log, params)),
});

/** UP-CF. */
export const upCf: NextBasketModel = defineModel({
  name: 'up-cf',
  params: z.strictObject({
    recentBaskets: z.int().min(0).default(5),
    asymmetry: z.number().min(0).max(1).default(0.75),
    locality: z.number().positive().default(3),
    neighbours: z.int().positive().default(600),
    popularityWeight,
  }),
  space: {
    recentBaskets: { kind: 'choice', options: [1, 3, 5, 10, 20, 0] },
    asymmetry: { kind: 'real', min: 0, max: 1 },
    locality: { kind: 'real', min: 0.5, max: 20, log: true },
    neighbours: { kind: 'integer', min: 100, max: 2000, log: true },
    popularityWeight: { kind: 'real', min: 1e-4, max: 10, log: true },
  },
  fit: (log, params) => withPopularity(log, params.popularityWeight, createUpCf(log, params)),
});

function withPopularity(log: BasketLog, weight: number, addScores: AddScores): NextBasketScorer {
  const popularity = basketShares(log).map((share) => weight * share);
  return {
    score: (user, out) => {
      out.set(popularity);
      addScores(user, 1, out);
    },
  };
}
