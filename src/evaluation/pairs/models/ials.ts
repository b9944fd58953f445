/** Matrix factorisation by alternating least squares. */
import { z } from 'zod';
import { fitIals, IalsOptions } from '../../../algorithms/ials.ts';
import { defineModel } from '../../model.ts';
import type { PairModel } from '../pair-model.ts';
import { factorScorer } from '../scorers.ts';

/**
 * iALS's two weights depend on a data set's size and density. Relative to what a user has they hardly do: in the published
 * settings of Rendle et al. 2021 (MovieLens-1M and -20M, Million Songs) ρ is 7 to 27 and λ(1 + ρ) .03 to .08.
 */
const Params = z.strictObject({
  factors: IalsOptions.shape.factors.unwrap().default(192),
  iterations: IalsOptions.shape.iterations.unwrap().default(12),
  /** ρ = α₀ |I| / mean number of items of a user: the weight of all cells together over that of those seen. */
  unobservedRatio: z.number().positive().default(10),
  /** λ(1 + ρ): the L2 weight of a row over the weight of what was seen in it. */
  relativeRegularization: z.number().positive().default(0.055),
  initialSpread: IalsOptions.shape.initialSpread.unwrap().default(0.1),
});

export const ials: PairModel = defineModel({
  name: 'ials',
  params: Params,
  space: {
    unobservedRatio: { kind: 'real', min: 1, max: 100, log: true },
    relativeRegularization: { kind: 'real', min: 0.005, max: 0.5, log: true },
    factors: { kind: 'choice', options: [64, 128, 192, 256] },
    iterations: { kind: 'integer', min: 6, max: 24 },
  },
  fit: async ({ userItems }, params, { kernels, rng, onProgress, signal }) => {
    const { unobservedRatio, relativeRegularization, ...others } = params;
    const density = userItems.indices.length / (userItems.rows * userItems.cols);
    const options = IalsOptions.parse({
      ...others,
      unobservedWeight: unobservedRatio * density,
      regularization: relativeRegularization / (1 + unobservedRatio),
    });
    const run = { rng, onProgress, signal, withUserFactors: true };
    const { itemFactors, userFactors = new Float32Array(0) } = await fitIals(
      kernels,
      userItems,
      options,
      run,
    );
    const size = options.factors;
    return factorScorer(kernels, userItems, itemFactors, size, (user, out) =>
      out.set(userFactors.subarray(user * size, (user + 1) * size)),
    );
  },
});
