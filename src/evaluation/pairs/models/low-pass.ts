/** GF-CF's low-pass filter. */
import { fitLowPass, LowPassOptions } from '../../../algorithms/low-pass.ts';
import { defineModel } from '../../model.ts';
import type { PairModel } from '../pair-model.ts';
import { factorScorer, itemsOf } from '../scorers.ts';

export const lowPass: PairModel = defineModel({
  name: 'low-pass',
  params: LowPassOptions,
  space: {
    factors: { kind: 'choice', options: [32, 64, 128, 192, 256] },
    userExponent: { kind: 'real', min: 0, max: 1 },
    itemExponent: { kind: 'real', min: 0, max: 1 },
  },
  fit: async ({ userItems }, options, { kernels, rng, onProgress, signal }) => {
    const { inward, outward } = await fitLowPass(kernels, userItems, options, { rng, onProgress, signal });
    const size = inward.length / userItems.cols;
    return factorScorer(kernels, userItems, outward, size, (user, out) => {
      out.fill(0);
      for (const item of itemsOf(userItems, user)) {
        const at = item * size;
        for (let f = 0; f < size; f++) out[f]! += inward[at + f]!;
      }
    });
  },
});
