/** The items of a page or a basket, as the model knows them: for a new one stand the sold items that are most like it. */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import type { Ranked } from '../../algorithms/top-k.ts';

export type Page = {
  /** Indices in the model, in the order of the request. */
  items: readonly number[];
  /** Of these, the ones that stand for a new item, and for which. */
  standsFor: ReadonlyMap<number, string>;
};

const standInsMax = 3;

/** Items of which nothing is known, not even what they are like, are passed over. */
export function pageOf(
  model: CollaborativeModel,
  itemIds: readonly string[],
  likeNew: (itemId: string) => Ranked,
): Page {
  const known = itemIds.flatMap((itemId) => model.itemIndex.get(itemId) ?? []);
  const isKnown = new Set(known);
  const standsFor = new Map<number, string>();
  const items = itemIds.flatMap((itemId) => {
    const item = model.itemIndex.get(itemId);
    if (item !== undefined) return [item];
    const standIns = standInsOf(likeNew(itemId)).filter((one) => !isKnown.has(one) && !standsFor.has(one));
    for (const one of standIns) standsFor.set(one, itemId);
    return standIns;
  });
  return { items, standsFor };
}

/** The sold items that speak for a new one. */
export function standInsOf({ indices, scores }: Ranked): number[] {
  return [...indices.subarray(0, standInsMax)].filter((_, at) => (scores[at] ?? 0) > 0);
}
