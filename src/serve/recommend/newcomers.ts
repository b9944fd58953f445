/** Which new items a customer would like: those of the categories that interest them, by taste and content. */
import { browsingWeight } from '../../algorithms/browsing.ts';
import type { CollaborativeModel, WeightedVectors } from '../../algorithms/collaborative-model.ts';
import { multiplyRows } from '../../algorithms/dense.ts';
import { purchaseWeight } from '../../algorithms/purchase-weight.ts';
import { affinityAt } from '../../features/categories.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { NewItems } from './new-items.ts';

export type Newcomer = { itemId: string; score: number };

const categoriesMax = 5;
/** Of all interests; less is a look in passing. */
const interestShareMin = 0.1;
const newcomersMax = 30;

/** At most 30, best first: those whose content factors lie in the direction of the taste. */
export function newcomersFor(
  newItems: NewItems,
  taste: Float32Array,
  categories: readonly string[],
  multiply = multiplyRows,
): Newcomer[] {
  const best: Newcomer[] = [];
  for (const category of new Set(categories)) {
    const { itemIds, factors } = shelfOf(newItems, category);
    const scores = new Float32Array(itemIds.length);
    multiply(factors, taste, scores);
    for (let n = 0; n < itemIds.length; n++) {
      const score = scores[n]!;
      if (!(score > 0)) continue;
      const itemId = itemIds[n]!;
      let at = best.length;
      while (at > 0 && isBefore(score, itemId, best[at - 1]!)) at--;
      if (at === newcomersMax) continue;
      best.splice(at, 0, { itemId, score });
      if (best.length > newcomersMax) best.pop();
    }
  }
  return best;
}

function isBefore(score: number, itemId: string, other: Newcomer): boolean {
  return score > other.score || (score === other.score && itemId < other.itemId);
}

/** New items of a category, with their factors row after row: one after the other in memory, where each by itself is a look into it. */
type NewShelf = { itemIds: readonly string[]; factors: Float32Array };

/** Of the categories that somebody was interested in, as long as the new items are the same. */
const shelves = new WeakMap<NewItems, Map<string, NewShelf>>();

function shelfOf(newItems: NewItems, category: string): NewShelf {
  const { vectors, byCategory } = newItems;
  const ofItems = shelves.get(newItems) ?? new Map<string, NewShelf>();
  if (ofItems.size === 0) shelves.set(newItems, ofItems);
  const known = ofItems.get(category);
  if (known !== undefined) return known;
  const itemIds = (byCategory.get(category) ?? []).filter((itemId) => vectors.has(itemId));
  // What no new item is in would be kept for whatever a request calls a category.
  if (itemIds.length === 0) return emptyShelf;
  const size = vectors.get(itemIds[0]!)!.length;
  const factors = new Float32Array(itemIds.length * size);
  for (const [n, itemId] of itemIds.entries()) factors.set(vectors.get(itemId)!, n * size);
  const shelf = { itemIds, factors };
  ofItems.set(category, shelf);
  return shelf;
}

const emptyShelf: NewShelf = { itemIds: [], factors: new Float32Array(0) };

/** The customer's categories of interest, strongest first. */
export function categoriesOfInterest(record: CustomerRecord | undefined, now: number): string[] {
  const interests = (record?.categories ?? []).map((affinity) => ({
    category: affinity.category,
    weight: affinityAt(affinity, now),
  }));
  const total = interests.reduce((sum, { weight }) => sum + weight, 0);
  return interests
    .filter(({ weight }) => weight > 0 && weight >= interestShareMin * total)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, categoriesMax)
    .map(({ category }) => category);
}

/** What the customer bought, put into the cart or looked at and the model has never seen sold; weighed as known items are. */
export function unsoldInterests(
  { weighting, asOf }: Pick<CollaborativeModel, 'weighting' | 'asOf'>,
  record: CustomerRecord | undefined,
  newItems: NewItems | undefined,
): WeightedVectors {
  const interests: WeightedVectors = { vectors: [], weights: [] };
  if (record === undefined || newItems === undefined) return interests;
  const add = (itemId: string, weight: () => number) => {
    const vector = newItems.vectors.get(itemId);
    if (vector === undefined) return;
    interests.vectors.push(vector);
    interests.weights.push(weight());
  };
  for (const { itemId, purchaseCount, lastAt } of record.items.values())
    add(itemId, () => purchaseWeight(weighting, purchaseCount, lastAt, Math.max(asOf, lastAt)));
  for (const { itemId, addedToCart, at } of record.recentViews)
    if (!record.items.has(itemId)) add(itemId, () => browsingWeight(weighting, addedToCart, at, asOf));
  return interests;
}
