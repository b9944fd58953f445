/** What sells most in a segment: the items of the model in that order, which is the same for everybody. */
import { type CollaborativeModel, popularityScores } from './collaborative-model.ts';
import { fallingOrder } from './falling-order.ts';
import { type ItemPart, itemsOf } from './item-part.ts';
import { nothingRanked, type Ranked, topKOf } from './top-k.ts';

/** Kept as long as its model is: a segment's items are sorted once, on the first request that needs them. */
const orders = new WeakMap<CollaborativeModel, Map<number, Int32Array>>();

/** Every item of the model, most popular in the segment first. */
export function popularityOrder(model: CollaborativeModel, segment: string): Int32Array {
  let bySegment = orders.get(model);
  if (bySegment === undefined) {
    bySegment = new Map();
    orders.set(model, bySegment);
  }
  // A segment that the model does not know is everybody.
  const row = Math.max(0, model.segments.indexOf(segment));
  let order = bySegment.get(row);
  if (order === undefined) {
    order = fallingOrder(popularityScores(model, segment));
    bySegment.set(row, order);
  }
  return order;
}

export type PopularityBounds = {
  allowed?: ((item: number) => boolean) | undefined;
  /** All that `allowed` takes is among these: only they are looked at. */
  among?: ItemPart | undefined;
  /** true: what has not sold comes last. Else it does not come at all. */
  unsold?: boolean;
};

/** What sorting one of a few costs, beside a step through the order of all. */
const sortingSteps = 5;

/** The (at most) k most popular items within these bounds, with their shares of what is sold; ties by lower item. */
export function mostPopular(
  model: CollaborativeModel,
  segment: string,
  k: number,
  { allowed, among, unsold = false }: PopularityBounds = {},
): Ranked {
  if (k <= 0) return nothingRanked;
  const shares = popularityScores(model, segment);
  const least = unsold ? Number.NEGATIVE_INFINITY : 0;
  // In the order of all, one of them is met every items ÷ among steps.
  if (among !== undefined && sortingSteps * among.length * among.length < k * shares.length) {
    const items = itemsOf(model, among);
    return topKOf(
      items,
      Float32Array.from(items, (item) => shares[item]!),
      k,
      allowed,
      least,
    );
  }
  const order = popularityOrder(model, segment);
  const chosen: number[] = [];
  for (let at = 0; at < order.length && chosen.length < k; at++) {
    const item = order[at]!;
    if (!(shares[item]! > least)) break;
    if (allowed === undefined || allowed(item)) chosen.push(item);
  }
  const indices = Int32Array.from(chosen);
  return { indices, scores: Float32Array.from(indices, (item) => shares[item]!) };
}
