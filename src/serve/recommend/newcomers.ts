/** Which new items a customer would like: those of the categories that interest them, by taste and content. */
import { browsingWeight } from '../../algorithms/browsing.ts';
import type { CollaborativeModel, WeightedVectors } from '../../algorithms/collaborative-model.ts';
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
): Newcomer[] {
  const found: Newcomer[] = [];
  for (const category of new Set(categories)) {
    for (const itemId of newItems.byCategory.get(category) ?? []) {
      const score = dot(taste, newItems.vectors.get(itemId));
      if (score > 0) found.push({ itemId, score });
    }
  }
  return found.sort((a, b) => b.score - a.score || (a.itemId < b.itemId ? -1 : 1)).slice(0, newcomersMax);
}

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

function dot(a: Float32Array, b: Float32Array | undefined): number {
  let sum = 0;
  if (b !== undefined) for (let f = 0; f < a.length; f++) sum += a[f]! * b[f]!;
  return sum;
}
