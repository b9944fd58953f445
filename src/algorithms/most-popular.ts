/** What sells most in a segment: the items of the model in that order, which is the same for everybody. */
import { type CollaborativeModel, popularityScores } from './collaborative-model.ts';
import { fallingOrder } from './falling-order.ts';
import { type ItemPart, itemsOf } from './item-part.ts';
import { nothingRanked, type Ranked, topK, topKOf } from './top-k.ts';

/** The first of them answer nearly every question: of a million, they take a tenth of the time to find, and no memory worth naming. */
const firstItems = 8192;

type Order = { first: Int32Array; whole?: Int32Array };

/** Kept as long as its model is: a segment's items are sorted once, on the first request that needs them. */
const orders = new WeakMap<CollaborativeModel, Map<number, Order>>();

function orderOf(model: CollaborativeModel, segment: string, shares: Float32Array): Order {
  let bySegment = orders.get(model);
  if (bySegment === undefined) {
    bySegment = new Map();
    orders.set(model, bySegment);
  }
  // A segment that the model does not know is everybody.
  const row = Math.max(0, model.segments.indexOf(segment));
  let order = bySegment.get(row);
  if (order === undefined) {
    order =
      shares.length > firstItems
        ? { first: topK(shares, firstItems).indices }
        : wholeOrder(fallingOrder(shares));
    bySegment.set(row, order);
  }
  return order;
}

function wholeOrder(whole: Int32Array): Order {
  return { first: whole, whole };
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
/** Steps that are likely to end among the first of that order. */
const stepsMax = 0.75 * firstItems;

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
  const steps = among === undefined ? 0 : (k * shares.length) / among.length;
  if (among !== undefined && (sortingSteps * among.length < steps || steps > stepsMax)) {
    const items = itemsOf(model, among);
    return topKOf(
      items,
      Float32Array.from(items, (item) => shares[item]!),
      k,
      allowed,
      least,
    );
  }
  const order = orderOf(model, segment, shares);
  const chosen: number[] = [];
  let at = 0;
  const walk = (items: Int32Array) => {
    for (; at < items.length && chosen.length < k; at++) {
      const item = items[at]!;
      if (!(shares[item]! > least)) return;
      if (allowed === undefined || allowed(item)) chosen.push(item);
    }
  };
  walk(order.first);
  const isOver = chosen.length === k || at < order.first.length || order.whole === order.first;
  if (!isOver) {
    order.whole ??= fallingOrder(shares);
    walk(order.whole);
  }
  const indices = Int32Array.from(chosen);
  return { indices, scores: Float32Array.from(indices, (item) => shares[item]!) };
}
