/** Where an item stands among the catalogue for one customer, by collaborative filtering. */
import { type CollaborativeModel, foldInUser } from '../algorithms/collaborative-model.ts';

/** Items that a score is ranked among: enough for an error of a few per cent, at a fraction of scoring them all. */
const SAMPLE_SIZE = 256;

/**
 * Rank of an item's score among those of an even sample of the catalogue: the share of the sample that it beats, ties
 * counting half. `items` and `weights` (confidence − 1) are the customer's, as for `foldInUser`. undefined for an item that
 * the model does not know, and for a customer without items. The factors are solved at the first call: most decisions
 * need none.
 */
export function tasteRanker(
  model: CollaborativeModel,
  items: Int32Array,
  weights: Float32Array,
): (itemId: string) => number | undefined {
  if (items.length === 0 || model.itemIds.length === 0) return () => undefined;
  let fitted: { user: Float32Array; sample: Float32Array } | undefined;
  return (itemId) => {
    const item = model.itemIndex.get(itemId);
    if (item === undefined) return undefined;
    fitted ??= fitCustomer(model, items, weights);
    const score = scoreOf(model, fitted.user, item);
    const { sample } = fitted;
    return (lowerBound(sample, score) + upperBound(sample, score)) / (2 * sample.length);
  };
}

function fitCustomer(model: CollaborativeModel, items: Int32Array, weights: Float32Array) {
  const user = foldInUser(model, items, weights);
  const count = Math.min(SAMPLE_SIZE, model.itemIds.length);
  const sample = Float32Array.from({ length: count }, (_, s) =>
    scoreOf(model, user, Math.floor((s * model.itemIds.length) / count)),
  ).sort();
  return { user, sample };
}

function scoreOf({ factors, itemFactors }: CollaborativeModel, user: Float32Array, item: number): number {
  let score = 0;
  for (let f = 0; f < factors; f++) score += (user[f] ?? 0) * (itemFactors[item * factors + f] ?? 0);
  // As the sample keeps it: an item must tie with itself.
  return Math.fround(score);
}

/** Number of values below `x` in sorted `values`. */
function lowerBound(values: Float32Array, x: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((values[middle] ?? Infinity) < x) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Number of values at or below `x`. */
function upperBound(values: Float32Array, x: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((values[middle] ?? Infinity) <= x) from = middle + 1;
    else to = middle;
  }
  return from;
}
