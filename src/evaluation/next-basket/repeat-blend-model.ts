import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { BoostedTreesOptions } from '../../algorithms/boosted-trees/boosted-trees.ts';
import { basketShares } from '../../algorithms/next-basket/basket-log.ts';
import { fitRepeatBlend, scoreRepeatBlend } from '../../algorithms/next-basket/repeat-blend.ts';
import { defineModel } from '../model.ts';
import type { NextBasketModel } from './next-basket-model.ts';

const { trees, leaves, learningRate, l2 } = BoostedTreesOptions.shape;

const Params = z.strictObject({
  /** Items that each source may put up, besides all that the user bought before. */
  perSource: z.int().positive().default(60),
  /** Users whose vectors are averaged. */
  neighbours: z.int().positive().default(300),
  /** What a basket weighs beside the next younger one, where users are compared. */
  basketDecay: z.number().positive().max(1).default(0.9),
  /** Users whose last basket teaches, at most. */
  teachers: z.int().positive().default(20_000),
  /** Share of the candidates that were not bought which are learned from. */
  missShare: z.number().positive().max(1).default(0.2),
  trees,
  leaves,
  learningRate,
  l2,
});

/** What all sources say of each candidate, weighed by boosted trees that each user's last basket has taught. */
export const repeatBlend: NextBasketModel = defineModel({
  name: 'repeat-blend',
  params: Params,
  space: {
    neighbours: { kind: 'integer', min: 50, max: 600, log: true },
    basketDecay: { kind: 'real', min: 0.6, max: 1 },
    leaves: { kind: 'integer', min: 6, max: 48, log: true },
    learningRate: { kind: 'real', min: 0.04, max: 0.2, log: true },
    l2: { kind: 'real', min: 1, max: 50, log: true },
  },
  fit: async (
    log,
    { perSource, neighbours, basketDecay, teachers, missShare, ...given },
    { rng, onProgress, signal },
  ) => {
    const options = {
      ...{ perSource, neighbours, basketDecay, teachers, missShare },
      trees: BoostedTreesOptions.parse(given),
    };
    const blend = await fitRepeatBlend(log, options, rng, async (share) => {
      onProgress(share);
      // Timers and signals must get a turn, or the end of a search's budget would not be heard.
      await setImmediate();
      signal?.throwIfAborted();
    });
    const share = basketShares(log);
    return { score: (user, out) => scoreRepeatBlend(blend, share, user, out) };
  },
});
