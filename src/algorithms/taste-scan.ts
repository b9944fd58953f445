/** The items in the direction of a customer's factors: a scan of the whole catalogue. */
import type { CollaborativeModel } from './collaborative-model.ts';
import { multiplyRow, multiplyRows } from './dense.ts';
import { type ItemPart, itemsOf } from './item-part.ts';
import { type Ranked, topK, topKOf } from './top-k.ts';

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
  /** All that `allowed` takes is among these: only they are looked at. */
  among?: ItemPart | undefined;
};

type ScannedModel = Pick<
  CollaborativeModel,
  'scan' | 'scanAmong' | 'scanOrder' | 'itemFactors' | 'factors' | 'itemIds'
>;

/** The (at most) k items within these bounds, by their product with `vector`; ties by lower item. */
export function bestOfTaste(
  model: ScannedModel,
  vector: Float32Array,
  k: number,
  { allowed, above = Number.NEGATIVE_INFINITY, refused = k, among }: TasteBounds = {},
): Ranked {
  const { scan, scanAmong, itemIds } = model;
  const count = among?.length ?? itemIds.length;
  const look =
    among === undefined
      ? scan
      : scanAmong && ((of: Float32Array, depth: number) => scanAmong(of, depth, among));
  if (look !== undefined && k > 0) {
    const items: number[] = [];
    const products: number[] = [];
    let looked = 0;
    // A part is small: that all of it be ranked costs less than another arithmetic would.
    const deepest = among === undefined ? count / 2 : Number.POSITIVE_INFINITY;
    for (let depth = k + refused; depth < deepest; depth *= deeper) {
      // A deeper list begins as the one before it.
      const { indices, scores } = look(vector, depth);
      for (; looked < indices.length && items.length < k && scores[looked]! > above; looked++) {
        if (allowed !== undefined && !allowed(indices[looked]!)) continue;
        items.push(indices[looked]!);
        products.push(scores[looked]!);
      }
      const isWhole = items.length === k || indices.length < depth || scores[depth - 1]! <= above;
      if (isWhole) return { indices: Int32Array.from(items), scores: Float32Array.from(products) };
    }
  }
  return among === undefined
    ? plainScan(model, vector, k, allowed, above)
    : plainScanAmong(model, vector, k, allowed, above, among);
}

function plainScan(
  { itemFactors, itemIds }: ScannedModel,
  vector: Float32Array,
  k: number,
  allowed: TasteBounds['allowed'],
  above: number,
): Ranked {
  const scores = new Float32Array(itemIds.length);
  multiplyRows(itemFactors, vector, scores);
  return topK(scores, k, allowed, above);
}

function plainScanAmong(
  model: ScannedModel,
  vector: Float32Array,
  k: number,
  allowed: TasteBounds['allowed'],
  above: number,
  among: ItemPart,
): Ranked {
  const items = itemsOf(model, among);
  const scores = Float32Array.from(items, (item) =>
    multiplyRow(model.itemFactors, item * model.factors, vector),
  );
  return topKOf(items, scores, k, allowed, above);
}
