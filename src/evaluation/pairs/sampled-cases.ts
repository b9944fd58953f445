/** Test pairs with the negatives among which each is to be found. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { createRng } from '../../algorithms/rng.ts';

/** Case n: item `item[n]` of user `user[n]` among itself and `negatives` from `start[n]` up to `start[n + 1]`. */
export type SampledCases = {
  user: Int32Array;
  item: Int32Array;
  start: Int32Array;
  negatives: Int32Array;
};

const negativesPerCase = 99;

/**
 * Draws up to 99 different negatives for each pair, evenly among the items that the user has neither in `userItems` nor
 * among the pairs. A user's draw depends on the seed and the user alone.
 */
export function drawNegatives(
  pairs: { user: Int32Array; item: Int32Array },
  userItems: CsrMatrix,
  seed: number,
): SampledCases {
  const { cols: items, indptr, indices } = userItems;
  const tested = new Map<number, number[]>();
  pairs.user.forEach((user, n) => {
    const own = tested.get(user);
    if (own) own.push(pairs.item[n]!);
    else tested.set(user, [pairs.item[n]!]);
  });
  const start = new Int32Array(pairs.user.length + 1);
  const negatives = new Int32Array(pairs.user.length * negativesPerCase);
  let length = 0;
  for (let n = 0; n < pairs.user.length; n++) {
    const user = pairs.user[n]!;
    const taken = new Set<number>(tested.get(user));
    for (let p = indptr[user]!; p < indptr[user + 1]!; p++) taken.add(indices[p]!);
    const rng = createRng(seed, 'negatives', user, n);
    const wanted = Math.min(negativesPerCase, items - taken.size);
    // Where hardly any item is left to draw, drawing blindly would take for ever.
    const left = wanted > (items - taken.size) / 2 ? itemsBut(taken, items) : undefined;
    for (let drawn = 0; drawn < wanted; drawn++) {
      if (left !== undefined) {
        const at = drawn + rng.nextInt(left.length - drawn);
        negatives[length++] = left[at]!;
        left[at] = left[drawn]!;
        continue;
      }
      let item = rng.nextInt(items);
      while (taken.has(item)) item = rng.nextInt(items);
      taken.add(item);
      negatives[length++] = item;
    }
    start[n + 1] = length;
  }
  return { user: pairs.user, item: pairs.item, start, negatives: negatives.slice(0, length) };
}

function itemsBut(taken: ReadonlySet<number>, items: number): Int32Array {
  return Int32Array.from({ length: items }, (_, item) => item).filter((item) => !taken.has(item));
}
