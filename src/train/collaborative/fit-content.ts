/** Learns from the lake's catalogue what content tells of factors, so that an item has some before its first purchase. */
import { type ContentModel, fitContentFactors } from '../../algorithms/content-factors.ts';
import type { ItemContent } from '../../algorithms/content-tokens.ts';
import { createRng } from '../../algorithms/rng.ts';
import { latestItems } from '../../history/catalogue.ts';
import type { Lake } from '../../history/lake.ts';
import type { Purchases } from '../../history/purchases.ts';

/** undefined where the catalogue knows too few of the items that were bought. */
export async function fitContent(
  lake: Lake,
  { itemFactors, factors }: { itemFactors: Float32Array; factors: number },
  purchases: Pick<Purchases, 'itemIds' | 'customer' | 'item'>,
  seed: number,
): Promise<ContentModel | undefined> {
  const { itemIds, customer, item } = purchases;
  const itemIndex = new Map(itemIds.map((id, i) => [id, i]));
  const contents = new Array<ItemContent | undefined>(itemIds.length).fill(undefined);
  for await (const changes of latestItems(lake)) {
    for (const change of changes) {
      const i = change.kind === 'item' ? itemIndex.get(change.item.itemId) : undefined;
      if (change.kind === 'item' && i !== undefined) contents[i] = change.item;
    }
  }
  const buyers = new Int32Array(itemIds.length);
  // Sorted by customer and item: each pair stands together.
  for (let p = 0; p < item.length; p++)
    if (p === 0 || customer[p] !== customer[p - 1] || item[p] !== item[p - 1]) buyers[item[p]!]!++;
  return fitContentFactors({ contents, itemFactors, factors, buyers }, createRng(seed, 'content'));
}
