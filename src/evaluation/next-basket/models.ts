/** Every model of the next-basket protocol, in the order in which they are measured. */
import { globalTop, personalThenGlobal, personalTop } from './counting-models.ts';
import { personalFrequency, tifuKnn, upCf } from './neighbour-models.ts';
import type { NextBasketModel } from './next-basket-model.ts';
import { repeatBlend } from './repeat-blend-model.ts';

export const NEXT_BASKET_MODELS: readonly NextBasketModel[] = [
  globalTop,
  personalTop,
  personalThenGlobal,
  personalFrequency,
  tifuKnn,
  upCf,
  repeatBlend,
];
