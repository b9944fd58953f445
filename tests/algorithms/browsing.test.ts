import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Browsing, browsingWeight, interestMatrix } from '../../src/algorithms/browsing.ts';
import { interactionMatrix, purchasePairs } from '../../src/algorithms/purchase-pairs.ts';
import { purchaseWeight } from '../../src/algorithms/purchase-weight.ts';

const day = 86_400_000;
const weighting = { halfLifeDays: 50, floor: 0.2 };
const now = 100 * day;

test('a purchase weighs more than a cart, a cart more than a look, and all of them age alike', () => {
  const bought = purchaseWeight(weighting, 1, now, now);
  const carted = browsingWeight(weighting, true, now, now);
  const viewed = browsingWeight(weighting, false, now, now);
  expect(bought).toBeGreaterThan(carted);
  expect(carted).toBeGreaterThan(viewed);
  expect(viewed).toBeGreaterThan(0);
  // After one half-life: .2 + .8 · ½ of it.
  for (const [fresh, old] of [
    [bought, purchaseWeight(weighting, 1, 50 * day, now)],
    [carted, browsingWeight(weighting, true, 50 * day, now)],
    [viewed, browsingWeight(weighting, false, 50 * day, now)],
  ])
    expect(old).toBeCloseTo((0.2 + 0.8 / 2) * fresh!, 12);
});

const [customers, items] = [4, 5];
const cells = fc.uniqueArray(
  fc.record({ u: fc.nat(customers - 1), i: fc.nat(items - 1), daysAgo: fc.integer({ min: 0, max: 99 }) }),
  { selector: ({ u, i }) => u * items + i, maxLength: 20 },
);
const sorted = <T extends { u: number; i: number }>(rows: readonly T[]) =>
  [...rows].sort((a, b) => a.u - b.u || a.i - b.i);

test('the matrix holds every purchase as it was, and what was browsed where nothing was bought', () => {
  fc.assert(
    fc.property(cells, cells, (bought, browsed) => {
      const purchases = sorted(bought);
      const looks = sorted(browsed);
      const pairs = purchasePairs(
        {
          customer: Int32Array.from(purchases, ({ u }) => u),
          item: Int32Array.from(purchases, ({ i }) => i),
          at: Float64Array.from(purchases, ({ daysAgo }) => now - daysAgo * day),
        },
        customers,
        items,
      );
      const browsing: Browsing = {
        customer: Int32Array.from(looks, ({ u }) => u),
        item: Int32Array.from(looks, ({ i }) => i),
        lastAt: Float64Array.from(looks, ({ daysAgo }) => now - daysAgo * day),
        addedToCart: Uint8Array.from(looks, ({ i }) => i % 2),
      };
      const expected = new Map(
        looks.map(({ u, i, daysAgo }) => [
          `${u} ${i}`,
          browsingWeight(weighting, i % 2 === 1, now - daysAgo * day, now),
        ]),
      );
      for (const { u, i, daysAgo } of purchases)
        expected.set(`${u} ${i}`, purchaseWeight(weighting, 1, now - daysAgo * day, now));

      const { rows, cols, indptr, indices, data } = interestMatrix(pairs, browsing, weighting, now);
      expect([rows, cols, indptr[rows]]).toEqual([customers, items, expected.size]);
      for (let u = 0; u < rows; u++) {
        const columns = indices.subarray(indptr[u], indptr[u + 1]);
        expect([...columns]).toEqual([...new Set(columns)].sort((a, b) => a - b));
        columns.forEach((i, n) => {
          expect(data[indptr[u]! + n]).toBe(Math.fround(expected.get(`${u} ${i}`)!));
        });
      }
      expect(interestMatrix(pairs, undefined, weighting, now)).toEqual(
        interactionMatrix(pairs, weighting, now),
      );
    }),
  );
});
