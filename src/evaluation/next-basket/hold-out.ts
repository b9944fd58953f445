/** Basket logs with a basket held out. */
import type { BasketLog } from '../../algorithms/next-basket/basket-log.ts';

/** Users and the basket that each is to be foretold: `items` of user `user[n]` from `start[n]` up to `start[n + 1]`. */
export type BasketTruth = { user: Int32Array; start: Int32Array; items: Int32Array };

/** Holds out the last basket of every user who has at least two: what hyper-parameters are chosen on. */
export function holdOutLastBaskets(log: BasketLog): { history: BasketLog; truth: BasketTruth } {
  const { users, userBaskets, basketItems, item } = log;
  const keptBaskets = new Int32Array(users + 1);
  const keptStarts: number[] = [0];
  const kept = new Int32Array(item.length);
  const user: number[] = [];
  const start: number[] = [0];
  const held: number[] = [];
  let length = 0;
  for (let u = 0; u < users; u++) {
    const from = userBaskets[u]!;
    const to = userBaskets[u + 1]!;
    const known = to - from >= 2 ? to - 1 : to;
    for (let b = from; b < known; b++) {
      for (let p = basketItems[b]!; p < basketItems[b + 1]!; p++) kept[length++] = item[p]!;
      keptStarts.push(length);
    }
    keptBaskets[u + 1] = keptStarts.length - 1;
    if (known === to) continue;
    for (let p = basketItems[known]!; p < basketItems[to]!; p++) held.push(item[p]!);
    user.push(u);
    start.push(held.length);
  }
  return {
    history: {
      ...log,
      userBaskets: keptBaskets,
      basketItems: Int32Array.from(keptStarts),
      item: kept.slice(0, length),
    },
    truth: { user: Int32Array.from(user), start: Int32Array.from(start), items: Int32Array.from(held) },
  };
}
