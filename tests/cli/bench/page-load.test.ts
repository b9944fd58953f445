import { expect, test } from 'vitest';
import { customersInTurn } from '../../../src/cli/bench/page-load.ts';

test('without those who return, everybody is asked about once before anybody is twice', () => {
  const customerOf = customersInTurn(100, 0, 2);
  expect(Array.from({ length: 100 }, (_, page) => customerOf(page))).toEqual([...Array(100).keys()]);
  expect(customerOf(100)).toBe(0);
});

test('who returns was asked about on the same service a little before, and is the share that was wanted', () => {
  const services = 2;
  const customerOf = customersInTurn(1e6, 0.75, services);
  const pages = Array.from({ length: 4000 }, (_, page) => customerOf(page));
  const askedAt = new Map<string, number>();
  let returned = 0;
  for (const [page, customer] of pages.entries()) {
    const place = `${page % services} ${customer}`;
    const before = askedAt.get(place);
    if (before !== undefined) {
      returned++;
      expect(page - before).toBe(50);
    }
    askedAt.set(place, page);
  }
  // Nobody can return among the first fifty.
  expect(returned / 3950).toBeCloseTo(0.75, 2);
  // Of those who were asked about on one service none was on the other.
  expect(new Set([...askedAt.keys()].map((place) => place.split(' ')[1])).size).toBe(askedAt.size);
});
