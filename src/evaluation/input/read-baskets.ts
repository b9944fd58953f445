/** Basket files as numbers: histories, and the baskets that came after them. */

import type { BasketLog } from '../../algorithms/next-basket/basket-log.ts';
import { UsageError } from '../../domain/errors.ts';
import type { BasketTruth } from '../next-basket/hold-out.ts';
import { IdIndex } from './id-index.ts';
import { Int32List } from './int32-list.ts';
import { scanBaskets } from './scan-baskets.ts';

export type BasketFiles = { history: BasketLog; truth: BasketTruth; users: IdIndex; items: IdIndex };

/**
 * Reads both files. Items and users of the second that the first does not know are part of the catalogue and of the
 * users all the same. UsageError for what cannot be understood, a file without baskets, and a user who is there twice.
 */
export async function readBasketFiles(historyPath: string, futurePath: string): Promise<BasketFiles> {
  const users = new IdIndex();
  const items = new IdIndex();
  const known = await readHistory(historyPath, users, items);
  const truth = await readTruth(futurePath, users, items);
  const userBaskets = new Int32Array(users.size + 1).fill(known.userBaskets.at(-1)!);
  userBaskets.set(known.userBaskets);
  return { history: { ...known, users: users.size, items: items.size, userBaskets }, truth, users, items };
}

/** A history alone, as `tune` takes it. */
export async function readBasketLog(path: string): Promise<BasketLog> {
  return readHistory(path, new IdIndex(), new IdIndex());
}

async function readHistory(path: string, users: IdIndex, items: IdIndex): Promise<BasketLog> {
  const userBaskets = new Int32List();
  const basketItems = new Int32List();
  const item = new Int32List();
  userBaskets.push(0);
  basketItems.push(0);
  for await (const { user, baskets } of scanBaskets(path)) {
    addOnce(users, user, path);
    for (const basket of baskets) {
      for (const id of basket) item.push(items.add(id));
      basketItems.push(item.length);
    }
    userBaskets.push(basketItems.length - 1);
  }
  if (item.length === 0) throw new UsageError(`${path} has no basket with an item in it.`);
  return {
    users: users.size,
    items: items.size,
    userBaskets: userBaskets.toArray(),
    basketItems: basketItems.toArray(),
    item: item.toArray(),
  };
}

/** The first basket of each user; users without one have nothing to be foretold. */
async function readTruth(path: string, users: IdIndex, items: IdIndex): Promise<BasketTruth> {
  const told = new IdIndex();
  const user = new Int32List();
  const start = new Int32List();
  const held = new Int32List();
  start.push(0);
  for await (const entry of scanBaskets(path)) {
    addOnce(told, entry.user, path);
    const basket = entry.baskets[0];
    if (basket === undefined) continue;
    user.push(users.add(entry.user));
    for (const id of basket) held.push(items.add(id));
    start.push(held.length);
  }
  if (user.length === 0) throw new UsageError(`${path} has no basket with an item in it.`);
  return { user: user.toArray(), start: start.toArray(), items: held.toArray() };
}

function addOnce(users: IdIndex, user: string, path: string): void {
  const before = users.size;
  if (users.add(user) < before)
    throw new UsageError(
      `${path} has two entries of user ${user}; put all of a user's baskets into one list.`,
    );
}
