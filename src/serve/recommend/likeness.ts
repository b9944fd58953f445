/** What is like an item: a scan of the catalogue, the same for everybody, and so kept. */
import { LRUCache } from 'lru-cache';
import { type CollaborativeModel, itemsLike, similarItems } from '../../algorithms/collaborative-model.ts';
import { nothingRanked, type Ranked } from '../../algorithms/top-k.ts';
import type { Served } from '../../scoring/served.ts';
import type { NewItems } from './new-items.ts';

export type Likeness = {
  /** By its index in the model. */
  ofItem: (served: Served<CollaborativeModel>, item: number) => Ranked;
  /** Sold items that are like a new one; nothing where its content tells nothing. */
  ofNewItem: (served: Served<CollaborativeModel>, newItems: NewItems | undefined, itemId: string) => Ranked;
};

const keptPages = 5000;
/** Items that are kept for each. */
const keptSimilar = 250;

export function createLikeness(): Likeness {
  const alike = new LRUCache<string, Ranked>({ max: keptPages });
  /** The vector of a new item is another object when its content or the model changes. */
  const likeVector = new WeakMap<Float32Array, Ranked>();
  return {
    ofItem({ model, version }, item) {
      const key = `${version} ${item}`;
      let ranked = alike.get(key);
      if (ranked === undefined) {
        ranked = similarItems(model, item, keptSimilar);
        alike.set(key, ranked);
      }
      return ranked;
    },
    ofNewItem({ model }, newItems, itemId) {
      const vector = newItems?.vectors.get(itemId);
      if (vector === undefined) return nothingRanked;
      let ranked = likeVector.get(vector);
      if (ranked === undefined) {
        ranked = itemsLike(model, vector, keptSimilar);
        likeVector.set(vector, ranked);
      }
      return ranked;
    },
  };
}
