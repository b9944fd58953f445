/** The baselines of the next-basket protocol: what everybody buys most, and what the customer does. */

import type { BasketLog } from '../../algorithms/next-basket/basket-log.ts';
import { defineModel, NoParams } from '../model.ts';
import type { NextBasketModel } from './next-basket-model.ts';

/** The items that are in most baskets. */
export const globalTop: NextBasketModel = defineModel({
  name: 'global-top',
  params: NoParams,
  fit: (log) => {
    const counts = basketCounts(log);
    return { score: (_user, out) => out.set(counts) };
  },
});

/** The items that are in most of the customer's own baskets, and no others; of equals, the one that was bought first. */
export const personalTop: NextBasketModel = defineModel({
  name: 'personal-top',
  params: NoParams,
  fit: (log) => ({
    score: (user, out) => {
      out.fill(Number.NEGATIVE_INFINITY);
      scoreOwn(log, user, out);
    },
  }),
});

/** The customer's own as above, then everybody's. */
export const personalThenGlobal: NextBasketModel = defineModel({
  name: 'personal-then-global',
  params: NoParams,
  fit: (log) => {
    const counts = basketCounts(log);
    const largest = counts.reduce((most, count) => Math.max(most, count), 1);
    const belowOwn = Float32Array.from(counts, (count) => count / largest - 1);
    return {
      score: (user, out) => {
        out.set(belowOwn);
        scoreOwn(log, user, out);
      },
    };
  },
});

/** Above 0: how many of the user's baskets hold the item, less a part of one that grows with how late it was first bought. */
function scoreOwn({ item, basketItems, userBaskets }: BasketLog, user: number, out: Float32Array): void {
  const from = basketItems[userBaskets[user]!]!;
  const to = basketItems[userBaskets[user + 1]!]!;
  for (let p = from; p < to; p++) {
    const i = item[p]!;
    out[i] = out[i]! > 0 ? out[i]! + 1 : 1 - (p - from) / (to - from);
  }
}

function basketCounts({ item, items }: BasketLog): Float64Array {
  const counts = new Float64Array(items);
  for (const i of item) counts[i]!++;
  return counts;
}
