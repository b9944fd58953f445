/** The items in the direction of a customer's factors: a scan of the whole catalogue. */
import type { CollaborativeModel } from './collaborative-model.ts';
import { multiplyRows } from './dense.ts';
import { type Ranked, topK } from './top-k.ts';

/**
 * A scan in WebAssembly: the (at most) k items of the highest product with a vector of factors, best first. Its sums are of single
 * precision, so that near ties may fall otherwise than in plain arithmetic.
 */
export type TasteScan = (vector: Float32Array, k: number) => Ranked;

/** Asked for once more, this many times as deep, where too many of what came are not allowed. */
const deeper = 4;

export type TasteBounds = {
  allowed?: ((item: number) => boolean) | undefined;
  /** Only items of higher products. */
  above?: number;
  /** How many items `allowed` is likely to refuse among the best: looked for so much deeper at first. Default k. */
  refused?: number;
};

/** The (at most) k items within these bounds, by their product with `vector`; ties by lower item. */
export function bestOfTaste(
  { scan, itemFactors, itemIds }: Pick<CollaborativeModel, 'scan' | 'itemFactors' | 'itemIds'>,
  vector: Float32Array,
  k: number,
  { allowed, above = Number.NEGATIVE_INFINITY, refused = k }: TasteBounds = {},
): Ranked {
  if (scan !== undefined && k > 0) {
    const items: number[] = [];
    const products: number[] = [];
    let looked = 0;
    for (let depth = k + refused; depth < itemIds.length / 2; depth *= deeper) {
      // A deeper list begins as the one before it.
      const { indices, scores } = scan(vector, depth);
      for (; looked < indices.length && items.length < k && scores[looked]! > above; looked++) {
        if (allowed !== undefined && !allowed(indices[looked]!)) continue;
        items.push(indices[looked]!);
        products.push(scores[looked]!);
      }
      const isWhole = items.length === k || indices.length < depth || scores[depth - 1]! <= above;
      if (isWhole) return { indices: Int32Array.from(items), scores: Float32Array.from(products) };
    }
  }
  const scores = new Float32Array(itemIds.length);
  multiplyRows(itemFactors, vector, scores);
  return topK(scores, k, allowed, above);
}
