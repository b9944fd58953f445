import { expect, test } from 'vitest';
import { historyWeights } from '../../../src/algorithms/collaborative-model.ts';
import { fitCustomerNeighbours } from '../../../src/algorithms/customer-neighbours.ts';
import { purchasePairs } from '../../../src/algorithms/purchase-pairs.ts';
import { createCandidateFinder, RANKER_FEATURES } from '../../../src/algorithms/ranker/features.ts';
import { fitItemFacts } from '../../../src/algorithms/ranker/item-facts.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { shopModel } from '../../support/shop-models.ts';

const bare = shopModel();
const now = bare.asOf;
const items = bare.itemIds.length;

/** Customer 0 buys item 10 and 11 together with others; categories are coffee (1) and tea (2); item i costs 100 · 2^i. */
function model() {
  const at = Float64Array.of(now - 20 * dayMs, now - 10 * dayMs, now - 5 * dayMs, now - 5 * dayMs);
  const log = { customer: Int32Array.of(0, 0, 1, 1), item: Int32Array.of(10, 11, 10, 12), at };
  const category = Int32Array.from({ length: items }, (_, i) => (i < 10 ? 1 : 2));
  const prices = Float64Array.from({ length: items }, (_, i) => 100 * 2 ** i);
  const exemplars = {
    exemplars: 10,
    itemsPerExemplar: 10,
    halfLifeDays: 90,
    neighbours: 5,
    locality: 1,
    ownWeight: 0.5,
  };
  return {
    ...bare,
    sources: {
      facts: fitItemFacts(log, category, prices, now),
      customers: fitCustomerNeighbours(purchasePairs(log, 2, items), exemplars, now, createRng(1)),
      habitHalfLifeDays: 30,
    },
  };
}

const history = [
  { item: 10, purchaseCount: 3, firstAt: now - 90 * dayMs, lastAt: now - 30 * dayMs },
  { item: 12, purchaseCount: 1, firstAt: now - 30 * dayMs, lastAt: now - 30 * dayMs },
];
const subject = { history, interests: historyWeights(bare, history, now), segment: '', now };

function featuresOf(item: number, found: ReturnType<ReturnType<typeof createCandidateFinder>>) {
  const c = found.items.indexOf(item);
  expect(c, `item ${item} is a candidate`).toBeGreaterThanOrEqual(0);
  const row = found.features.subarray(c * RANKER_FEATURES.length);
  return Object.fromEntries(RANKER_FEATURES.map((name, f) => [name, row[f]!]));
}

test('candidates are the union of all sources, each once', () => {
  const { items: found, lists, count } = createCandidateFinder(model())(subject, 100);
  const union = new Set(Object.values(lists).flatMap(({ indices }) => [...indices]));
  expect(new Set(found)).toEqual(union);
  expect(count).toBe(union.size);
});

test('what was bought is told by the customer’s own rhythm, what was not has none of it', () => {
  const found = createCandidateFinder(model())(subject, 100);
  const own = featuresOf(10, found);
  // Three orders in 60 days, and everybody's gap of 30: the usual gap is 30 days, which have passed.
  expect(own).toMatchObject({ own: 1, ownShare: 1, ownLastOrder: 1 });
  expect(own.ownCount).toBeCloseTo(Math.log(3), 5);
  expect(own.ownRecency).toBeCloseTo(2 ** (-30 / 30), 5);
  expect(own.ownOverdue).toBeCloseTo(Math.log((1 + 30) / (1 + 30)), 5);
  expect(own.habitScore).toBe(1);
  expect(own.habitRank).toBe(1);
  const other = featuresOf(11, found);
  expect(other).toMatchObject({ own: 0, ownCount: 0, ownRecency: 0, habitScore: 0, habitRank: 0 });
});

test('scores are beside the best of their source, ranks fall from 1', () => {
  const found = createCandidateFinder(model())(subject, 100);
  const best = found.lists.popularity.indices[0]!;
  const third = found.lists.popularity.indices[2]!;
  expect(featuresOf(best, found)).toMatchObject({ popularityScore: 1, popularityRank: 1 });
  expect(featuresOf(third, found).popularityRank).toBeCloseTo(5 / (5 + 2), 5);
  expect(featuresOf(third, found).popularityScore).toBeCloseTo(18 / 20, 5);
});

test('price and category are seen from what the customer buys', () => {
  const found = createCandidateFinder(model())(subject, 100);
  // Bought: 100 · 2^10 and 100 · 2^12, on the logarithmic scale 11 in the middle. Clamped at 3.
  const [cheap, dear] = [featuresOf(10, found), featuresOf(13, found)];
  expect(cheap.priceAbove).toBeCloseTo(-Math.LN2, 4);
  expect(dear.priceAbove).toBeCloseTo(2 * Math.LN2, 4);
  expect(dear.priceApart).toBeCloseTo(2 * Math.LN2, 4);
  expect(featuresOf(0, found).priceAbove).toBe(-3);
  expect([cheap.categoryAffinity, featuresOf(0, found).categoryAffinity]).toEqual([1, 0]);
});

test('every feature is finite, for somebody without a history and a model without facts too', () => {
  const nobody = { history: [], interests: historyWeights(bare, [], now), now };
  for (const whole of [model(), bare])
    for (const whom of [subject, nobody]) {
      const { features, count } = createCandidateFinder(whole)(whom, 100);
      expect(count).toBeGreaterThan(0);
      expect(features.every(Number.isFinite)).toBe(true);
    }
});

test('nothing is left of one customer for the next', () => {
  const find = createCandidateFinder(model());
  const first = find(subject, 100).features.slice();
  find({ ...subject, history: history.slice(1), interests: historyWeights(bare, history.slice(1), now) }, 7);
  expect(find(subject, 100).features).toEqual(first);
});

test('what is not allowed is no candidate of any source', () => {
  const { items: found } = createCandidateFinder(model())(subject, 100, (item) => item >= 10);
  expect([...found].every((item) => item >= 10)).toBe(true);
});
