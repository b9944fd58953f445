/** Some of a model's items: a category, say, in which alone is looked. */
import type { CollaborativeModel } from './collaborative-model.ts';

/** Places in the model's `scanOrder`, which rise; of a model without one, the items themselves. */
export type ItemPart = Int32Array;

/** Its items, which rise. */
export function itemsOf({ scanOrder }: Pick<CollaborativeModel, 'scanOrder'>, part: ItemPart): Int32Array {
  return scanOrder === undefined ? part : part.map((place) => scanOrder[place]!).sort();
}
