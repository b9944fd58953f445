/** One user's purchases of each item, as dense rows that are cleared by what was touched. */
import { type BasketLog, basketCount, itemsOfBasket } from './basket-log.ts';

/** Ages are in baskets: 0 is the user's last one. By item; only those of `bought` are to be read, all others have count 0. */
export type UserPast = {
  baskets: number;
  /** Items over all baskets, repeats counted. */
  purchases: number;
  /** Purchases of an item that had been bought before. */
  repeats: number;
  /** Items of the first basket, none of which could be a repeat. */
  firstBasketItems: number;
  bought: number[];
  readonly count: Int32Array;
  /** Age of the latest and of the first purchase, and of the one before the latest. */
  readonly age: Int32Array;
  readonly firstAge: Int32Array;
  readonly previousAge: Int32Array;
};

export function createUserPast(items: number): UserPast {
  return {
    baskets: 0,
    purchases: 0,
    repeats: 0,
    firstBasketItems: 0,
    bought: [],
    count: new Int32Array(items),
    age: new Int32Array(items),
    firstAge: new Int32Array(items),
    previousAge: new Int32Array(items),
  };
}

/** Makes `past` that of user u. */
export function readUserPast(log: BasketLog, u: number, past: UserPast): void {
  for (const i of past.bought) past.count[i] = 0;
  past.bought = [];
  past.baskets = basketCount(log, u);
  past.purchases = 0;
  past.repeats = 0;
  past.firstBasketItems = past.baskets === 0 ? 0 : itemsOfBasket(log, log.userBaskets[u]!).length;
  for (let age = past.baskets - 1; age >= 0; age--) {
    const b = log.userBaskets[u + 1]! - 1 - age;
    for (let p = log.basketItems[b]!; p < log.basketItems[b + 1]!; p++) {
      const i = log.item[p]!;
      past.purchases++;
      if (past.count[i] === 0) {
        past.bought.push(i);
        past.firstAge[i] = age;
      } else past.repeats++;
      past.previousAge[i] = past.count[i] === 0 ? age : past.age[i]!;
      past.age[i] = age;
      past.count[i]!++;
    }
  }
}
