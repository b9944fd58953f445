import { type CollaborativeModel, popularityScores } from '../../algorithms/collaborative-model.ts';
import { fallingOrder } from '../../algorithms/falling-order.ts';

/** Kept as long as its model is: a segment's items are sorted once, on the first request that needs them. */
const orders = new WeakMap<CollaborativeModel, Map<string, Int32Array>>();

/** Every item of the model, most popular in the segment first. */
export function popularityOrder(model: CollaborativeModel, segment: string): Int32Array {
  let bySegment = orders.get(model);
  if (bySegment === undefined) {
    bySegment = new Map();
    orders.set(model, bySegment);
  }
  let order = bySegment.get(segment);
  if (order === undefined) {
    order = fallingOrder(popularityScores(model, segment));
    bySegment.set(segment, order);
  }
  return order;
}
