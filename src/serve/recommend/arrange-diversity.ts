/** Diversity: no more of a category or a brand than the scenario allows, and, with λ < 1, no two items that are alike. */
import type { Diversity } from './arrange-rules.ts';

export type DiverseItem = {
  score: number;
  /** '' = unknown; what is unknown is never too much. */
  category: string;
  brand: string;
  /** Factors of the item: items of one direction please the same tastes. */
  vector: Float32Array | undefined;
};

/**
 * The n items to show, in order, out of `items` (best first, scores ≥ 0). Where what the caps allow is used up, they are
 * passed over rather than the list left short, unless `strict`.
 */
export function diversify<Item extends DiverseItem>(
  items: readonly Item[],
  { lambda, maxPerCategory, maxPerBrand, strict }: Diversity,
  n: number,
): Item[] {
  const categories = counter(maxPerCategory, n);
  const brands = counter(maxPerBrand, n);
  const left = [...items];
  // By place, not by item: `items` may have been rotated, and its order is to count.
  const best = left.reduce((most, { score }) => Math.max(most, score), 0);
  const relevance = left.map(({ score }) => (best > 0 ? Math.max(0, score) / best : 0)).sort((a, b) => b - a);
  const likeness = new Float64Array(left.length);
  const norms = lambda < 1 ? left.map(({ vector }) => normOf(vector)) : [];
  const chosen: Item[] = [];
  while (chosen.length < n && left.length > 0) {
    const fits = (item: Item) => categories.fits(item.category) && brands.fits(item.brand);
    let at = bestOf(left, relevance, likeness, lambda, fits);
    if (at === -1) {
      if (strict) break;
      at = bestOf(left, relevance, likeness, lambda, () => true);
    }
    const item = left[at]!;
    chosen.push(item);
    categories.add(item.category);
    brands.add(item.brand);
    if (lambda < 1) {
      const norm = norms[at]!;
      for (let other = 0; other < left.length; other++)
        likeness[other] = Math.max(likeness[other]!, alike(item, norm, left[other]!, norms[other]!));
      norms.splice(at, 1);
      likeness.copyWithin(at, at + 1);
    }
    left.splice(at, 1);
    relevance.splice(at, 1);
  }
  return chosen;
}

/** Index of the greatest λ · relevance − (1 − λ) · likeness among those that fit; −1 where none does. */
function bestOf<Item>(
  items: readonly Item[],
  relevance: readonly number[],
  likeness: Float64Array,
  lambda: number,
  fits: (item: Item) => boolean,
): number {
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < items.length; at++) {
    // Best first: nothing further down can reach it.
    if (lambda * relevance[at]! <= highest) break;
    const value = lambda * relevance[at]! - (1 - lambda) * likeness[at]!;
    if (value > highest && fits(items[at]!)) {
      highest = value;
      best = at;
    }
  }
  return best;
}

/** From 0 to 1: the cosine of the factors; without factors, half for the category and half for the brand. */
function alike(a: DiverseItem, normA: number, b: DiverseItem, normB: number): number {
  if (a.vector === undefined || b.vector === undefined || normA === 0 || normB === 0) {
    return (
      (a.category !== '' && a.category === b.category ? 0.5 : 0) +
      (a.brand !== '' && a.brand === b.brand ? 0.5 : 0)
    );
  }
  let product = 0;
  for (let f = 0; f < a.vector.length; f++) product += a.vector[f]! * b.vector[f]!;
  return Math.max(0, product / (normA * normB));
}

function normOf(vector: Float32Array | undefined): number {
  let square = 0;
  for (const value of vector ?? []) square += value * value;
  return Math.sqrt(square);
}

function counter(cap: number | undefined, n: number) {
  const most = cap === undefined ? Number.POSITIVE_INFINITY : cap < 1 ? Math.ceil(cap * n) : cap;
  const counts = new Map<string, number>();
  return {
    fits: (name: string) => name === '' || (counts.get(name) ?? 0) < most,
    add: (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1),
  };
}
