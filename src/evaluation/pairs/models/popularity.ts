/** What most users have. */
import { defineModel, NoParams } from '../../model.ts';
import type { PairModel } from '../pair-model.ts';
import { denseScorer } from '../scorers.ts';

export const popularity: PairModel = defineModel({
  name: 'popularity',
  params: NoParams,
  fit: ({ userItems }) => {
    const counts = new Float32Array(userItems.cols);
    for (const item of userItems.indices) counts[item]!++;
    return denseScorer(
      userItems,
      (_user, out) => out.set(counts),
      (_user, items, out) => {
        for (let n = 0; n < items.length; n++) out[n] = counts[items[n]!]!;
      },
    );
  },
});
