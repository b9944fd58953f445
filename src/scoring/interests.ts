/** What a recommendation takes from a customer record, as indices of the model's items. */
import { browsingWeight } from '../algorithms/browsing.ts';
import {
  type CollaborativeModel,
  historyWeights,
  type ItemHistory,
} from '../algorithms/collaborative-model.ts';
import type { CustomerRecord } from '../features/record.ts';

export type Subject = {
  /** What was bought and is known to the model, least recently bought first. */
  history: ItemHistory[];
  bought: ReadonlySet<number>;
  /** Looked at or put into the cart, not bought; latest first. */
  browsed: { item: number; addedToCart: boolean; at: number }[];
  /** Market segment, where the model has one of that name; else ''. */
  segment: string;
};

const nobody: Subject = { history: [], bought: new Set(), browsed: [], segment: '' };

const browsedMax = 10;

/** What a customer has bought and looked at, by the model's numbers of items; of somebody without a record, nothing. */
export function shoppingPastOf(model: CollaborativeModel, record: CustomerRecord | undefined): Subject {
  if (record === undefined) return nobody;
  const history: ItemHistory[] = [];
  for (const { itemId, purchaseCount, firstAt, lastAt } of record.items.values()) {
    const item = model.itemIndex.get(itemId);
    if (item !== undefined) history.push({ item, purchaseCount, firstAt, lastAt });
  }
  const bought = new Set(history.map(({ item }) => item));
  const browsed = record.recentViews
    .flatMap(({ itemId, addedToCart, at }) => {
      const item = model.itemIndex.get(itemId);
      return item === undefined || bought.has(item) ? [] : [{ item, addedToCart, at }];
    })
    .reverse()
    .slice(0, browsedMax);
  const segment = record.attributes.segment ?? '';
  return { history, bought, browsed, segment: model.segments.includes(segment) ? segment : '' };
}

/** Weights (confidence − 1) for fold-in and neighbours: of purchases and of what was browsed, as in training. */
export function interestWeights(
  model: CollaborativeModel,
  { history, browsed }: Subject,
  now: number,
): { items: Int32Array; weights: Float32Array } {
  const purchases = historyWeights(model, history, now);
  if (browsed.length === 0) return purchases;
  return {
    items: Int32Array.from([...purchases.items, ...browsed.map(({ item }) => item)]),
    weights: Float32Array.from([
      ...purchases.weights,
      ...browsed.map(({ addedToCart, at }) => browsingWeight(model.weighting, addedToCart, at, model.asOf)),
    ]),
  };
}
