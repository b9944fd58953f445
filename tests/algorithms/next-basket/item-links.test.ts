import { expect, test } from 'vitest';
import { nextBasketLinks, sameUserLinks } from '../../../src/algorithms/next-basket/item-links.ts';
import { logOf } from './support.ts';

type Links = ReturnType<typeof nextBasketLinks>;
const linksOf = ({ indptr, indices, data }: Links, i: number) =>
  Object.fromEntries(
    Array.from(indices.subarray(indptr[i]!, indptr[i + 1]!), (j, n) => [
      j,
      Number(data[indptr[i]! + n]!.toFixed(6)),
    ]),
  );
const round = (value: number) => Number(value.toFixed(6));

test('what follows an item is counted over pairs of successive baskets of one user', () => {
  const log = logOf(4, [[[0], [1, 0], [2]], [[0, 1], [1]], [[3]]]);
  const links = nextBasketLinks(log, { links: 10, shrinkage: 2 });
  // Item 0 is in three baskets that another follows, which hold 1 twice and 2 once. Itself it does not link to.
  expect(linksOf(links, 0)).toEqual({ 1: round(2 / (3 + 2)), 2: round(1 / (3 + 2)) });
  // User 1's last basket and user 2's first are no pair.
  expect(linksOf(links, 2)).toEqual({});
  expect(linksOf(links, 3)).toEqual({});
});

test('items of the same users score their cosine, shrunk; one common user is chance', () => {
  const log = logOf(3, [[[0], [1]], [[0, 1]], [[0, 2]]]);
  const links = sameUserLinks(log, { links: 10, shrinkage: 5 });
  expect(linksOf(links, 0)).toEqual({ 1: round((2 / Math.sqrt(3 * 2)) * (2 / (2 + 5))) });
  expect(linksOf(links, 2)).toEqual({});
});

test('the best links are kept', () => {
  const log = logOf(4, [
    [[0], [1, 2]],
    [[0], [2, 3]],
  ]);
  expect(linksOf(nextBasketLinks(log, { links: 1, shrinkage: 0 }), 0)).toEqual({ 2: 1 });
});
