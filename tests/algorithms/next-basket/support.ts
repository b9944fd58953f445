import type { BasketLog } from '../../../src/algorithms/next-basket/basket-log.ts';
import { createRng, shuffle } from '../../../src/algorithms/rng.ts';

/** A log from users → baskets → items. */
export function logOf(items: number, lists: readonly (readonly (readonly number[])[])[]): BasketLog {
  const userBaskets = [0];
  const basketItems = [0];
  const item: number[] = [];
  for (const baskets of lists) {
    for (const basket of baskets) {
      item.push(...basket);
      basketItems.push(item.length);
    }
    userBaskets.push(basketItems.length - 1);
  }
  return {
    users: lists.length,
    items,
    userBaskets: Int32Array.from(userBaskets),
    basketItems: Int32Array.from(basketItems),
    item: Int32Array.from(item),
  };
}

/**
 * Users of `tastes` tastes with ten items each: every basket holds the user's two staples of the taste and two others of it; and
 * the last basket of each user.
 */
export function simulatedBaskets(users: number, tastes: number, seed: number) {
  const rng = createRng(seed, 'baskets');
  const lists = Array.from({ length: users }, (_, u) => {
    const own = shuffle(
      Array.from({ length: 10 }, (_, n) => 10 * (u % tastes) + n),
      rng,
    );
    const [staples, others] = [own.slice(0, 2), own.slice(2)];
    return Array.from({ length: 4 + rng.nextInt(4) }, () => [
      ...staples,
      ...shuffle(others, rng).slice(0, 2),
    ]);
  });
  return {
    history: logOf(
      10 * tastes,
      lists.map((baskets) => baskets.slice(0, -1)),
    ),
    last: lists.map((baskets) => new Set(baskets.at(-1))),
  };
}
