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
  // By place, not by item: `items` may have been rotated, and its order is to count.
  const scores = items.map(({ score }) => Math.max(0, score)).sort((a, b) => b - a);
  const best = scores[0] ?? 0;
  const left = items.map(
    (item, at): Waiting<Item> => ({
      item,
      relevance: best > 0 ? scores[at]! / best : 0,
      norm: lambda < 1 ? normOf(item.vector) : 0,
      likeness: 0,
      comparedWith: 0,
    }),
  );
  const chosen: Waiting<Item>[] = [];
  const fits = ({ item }: Waiting<Item>) => categories.fits(item.category) && brands.fits(item.brand);
  while (chosen.length < n && left.length > 0) {
    let at = bestOf(left, chosen, lambda, fits);
    if (at === -1) {
      if (strict) break;
      at = bestOf(left, chosen, lambda, () => true);
    }
    const [next] = left.splice(at, 1);
    chosen.push(next!);
    categories.add(next!.item.category);
    brands.add(next!.item.brand);
  }
  return chosen.map(({ item }) => item);
}

type Waiting<Item> = {
  item: Item;
  /** From 1 down to 0. */
  relevance: number;
  /** Length of the vector. */
  norm: number;
  /** To the likest of the first `comparedWith` that were chosen: it only grows with the rest. */
  likeness: number;
  comparedWith: number;
};

/** Index of the greatest λ · relevance − (1 − λ) · likeness among those that fit; −1 where none does. */
function bestOf<Item extends DiverseItem>(
  left: readonly Waiting<Item>[],
  chosen: readonly Waiting<Item>[],
  lambda: number,
  fits: (waiting: Waiting<Item>) => boolean,
): number {
  let best = -1;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < left.length; at++) {
    const waiting = left[at]!;
    const bound = lambda * waiting.relevance;
    // Best first: nothing further down can reach it.
    if (bound <= highest) break;
    if (!fits(waiting)) continue;
    if (lambda < 1) {
      // Compared only as far as it may still be the best: most never are with most.
      while (waiting.comparedWith < chosen.length && bound - (1 - lambda) * waiting.likeness > highest)
        waiting.likeness = Math.max(waiting.likeness, alike(waiting, chosen[waiting.comparedWith++]!));
    }
    const value = bound - (1 - lambda) * waiting.likeness;
    if (value > highest) {
      highest = value;
      best = at;
    }
  }
  return best;
}

/** From 0 to 1: the cosine of the factors; without factors, half for the category and half for the brand. */
function alike(a: Waiting<DiverseItem>, b: Waiting<DiverseItem>): number {
  const [x, y] = [a.item, b.item];
  if (x.vector === undefined || y.vector === undefined || a.norm === 0 || b.norm === 0) {
    return (
      (x.category !== '' && x.category === y.category ? 0.5 : 0) +
      (x.brand !== '' && x.brand === y.brand ? 0.5 : 0)
    );
  }
  let product = 0;
  for (let f = 0; f < x.vector.length; f++) product += x.vector[f]! * y.vector[f]!;
  return Math.max(0, product / (a.norm * b.norm));
}

function normOf(vector: Float32Array | undefined): number {
  let square = 0;
  if (vector !== undefined) for (let f = 0; f < vector.length; f++) square += vector[f]! ** 2;
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
