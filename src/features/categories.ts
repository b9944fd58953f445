/** The affinities to categories: a variable part of the record. */
import { eventLines, type ShopEvent } from '../domain/event.ts';
import { roundFraction } from './binary.ts';
import { type CategoryAffinity, decay } from './feature.ts';

export const categoryHalfLifeDays = 90;
/** Categories that a record keeps: the weakest makes room. */
export const categoriesMax = 16;

/** What a line of each type of event says of the interest in its category. */
const lineWeights: Partial<Record<ShopEvent['type'], number>> = {
  purchase: 1,
  addToCart: 0.3,
  view: 0.1,
  return: -1,
};

/** Folds an event into the affinities. */
export function updateCategories(categories: CategoryAffinity[], event: ShopEvent): void {
  const lineWeight = lineWeights[event.type];
  if (lineWeight === undefined) return;
  for (const line of eventLines(event)) {
    if (line.category !== undefined && line.category !== '')
      addInterest(categories, line.category, lineWeight, event.occurredAt);
  }
}

/** Weight of an affinity at `now`. */
export function affinityAt(affinity: Readonly<CategoryAffinity>, now: number): number {
  return affinity.weight * decay(Math.max(0, now - affinity.at), categoryHalfLifeDays);
}

function addInterest(categories: CategoryAffinity[], category: string, amount: number, at: number): void {
  const known = categories.find((affinity) => affinity.category === category);
  if (known === undefined) {
    if (amount <= 0) return;
    categories.push({ category, weight: roundFraction(amount), at });
    if (categories.length > categoriesMax) dropWeakest(categories, at);
    return;
  }
  const elapsed = at - known.at;
  const sum =
    elapsed >= 0
      ? known.weight * decay(elapsed, categoryHalfLifeDays) + amount
      : known.weight + amount * decay(-elapsed, categoryHalfLifeDays);
  // Of sixteen bits, as the state's fractions (`record.ts`).
  known.weight = roundFraction(Math.max(0, sum));
  known.at = Math.max(known.at, at);
}

/** Never the one that was added last, or a record of strong old interests would learn nothing new. */
function dropWeakest(categories: CategoryAffinity[], now: number): void {
  let weakest = 0;
  for (let c = 1; c < categories.length - 1; c++) {
    if (affinityAt(categories[c]!, now) < affinityAt(categories[weakest]!, now)) weakest = c;
  }
  categories.splice(weakest, 1);
}
