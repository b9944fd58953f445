import { type ContentModel, fitContentFactors } from '../../src/algorithms/content-factors.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { shopItems, shopModel } from './shop-models.ts';

/** What the invented shop's content tells of its two tastes: the category says it all. */
export function shopContent(): ContentModel {
  const { itemFactors, factors } = shopModel();
  const buyers = shopItems.map(() => 100);
  const content = fitContentFactors({ contents: shopItems, itemFactors, factors, buyers }, createRng(1));
  if (content === undefined) throw new Error('nothing was learned');
  return content;
}
