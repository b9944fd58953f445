/**
 * The baskets of all users, without dates, in order of time. User u's are the baskets b from `userBaskets[u]` up to
 * `userBaskets[u + 1]`, the oldest first; basket b holds `item[p]` for p from `basketItems[b]` up to
 * `basketItems[b + 1]`, each item once. No basket is empty; a user may have none.
 */
export type BasketLog = {
  users: number;
  /** The catalogue: also items that are in no basket of the log. */
  items: number;
  userBaskets: Int32Array;
  basketItems: Int32Array;
  item: Int32Array;
};

/** Number of baskets of user u. */
export function basketCount({ userBaskets }: BasketLog, u: number): number {
  return userBaskets[u + 1]! - userBaskets[u]!;
}

/** The items of basket b, as a view. */
export function itemsOfBasket({ basketItems, item }: BasketLog, b: number): Int32Array {
  return item.subarray(basketItems[b]!, basketItems[b + 1]!);
}

/** The items of the basket of this age (0: the user's last, 1: the one before …), as a view; empty where there is none. */
export function basketOfAge(log: BasketLog, u: number, age: number): Int32Array {
  const b = log.userBaskets[u + 1]! - 1 - age;
  return b < log.userBaskets[u]! ? new Int32Array(0) : itemsOfBasket(log, b);
}

/** By item: the share of all baskets that hold it. */
export function basketShares({ users, items, userBaskets, item }: BasketLog): Float32Array {
  const counts = new Float64Array(items);
  for (const i of item) counts[i]!++;
  return Float32Array.from(counts, (count) => count / Math.max(1, userBaskets[users]!));
}

/** The log without each user's last `count` baskets; users who have no more keep none. */
export function withoutLastBaskets(log: BasketLog, count: number): BasketLog {
  const { users, items, userBaskets, basketItems, item } = log;
  const keptBaskets = new Int32Array(users + 1);
  for (let u = 0; u < users; u++)
    keptBaskets[u + 1] = keptBaskets[u]! + Math.max(0, basketCount(log, u) - count);
  const keptStarts = new Int32Array(keptBaskets[users]! + 1);
  const kept = new Int32Array(item.length);
  let length = 0;
  for (let u = 0; u < users; u++) {
    const first = keptBaskets[u]!;
    const from = basketItems[userBaskets[u]!]!;
    for (let b = first; b < keptBaskets[u + 1]!; b++) {
      const source = userBaskets[u]! + b - first;
      keptStarts[b + 1] = length + basketItems[source + 1]! - from;
    }
    const to = basketItems[userBaskets[u]! + keptBaskets[u + 1]! - first]!;
    kept.set(item.subarray(from, to), length);
    length += to - from;
  }
  return { users, items, userBaskets: keptBaskets, basketItems: keptStarts, item: kept.slice(0, length) };
}
