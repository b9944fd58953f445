/** EASE, for catalogues whose item–item matrix fits. */
import { EaseOptions, easeRefusal, fitEase, scoreEase, scoreEaseOf } from '../../../algorithms/ease.ts';
import { defineModel } from '../../model.ts';
import type { PairModel } from '../pair-model.ts';
import { denseScorer, itemsOf } from '../scorers.ts';

export const ease: PairModel = defineModel({
  name: 'ease',
  params: EaseOptions,
  space: { regularization: { kind: 'real', min: 5, max: 5000, log: true } },
  refusal: ({ userItems }) => easeRefusal(userItems.cols),
  fit: async ({ userItems }, options, { kernels, onProgress, signal }) => {
    const model = await fitEase(kernels, userItems, options, { onProgress, signal });
    return denseScorer(
      userItems,
      (user, out) => scoreEase(model, itemsOf(userItems, user), out),
      (user, items, out) => scoreEaseOf(model, itemsOf(userItems, user), items, out),
      () => kernels.release(model.inverse),
    );
  },
});
