import { expect, test } from 'vitest';
import {
  CustomerNeighbourOptions,
  customerNeighbourScores,
  customerVector,
  fitCustomerNeighbours,
  indexExemplars,
  similarCustomerScores,
} from '../../src/algorithms/customer-neighbours.ts';
import { purchasePairs } from '../../src/algorithms/purchase-pairs.ts';
import { createRng } from '../../src/algorithms/rng.ts';

const day = 86_400_000;
const now = 1000 * day;
type Row = readonly [customer: number, item: number, daysAgo: number];

/** Rows must be sorted by customer, item and time. */
function pairsOf(rows: readonly Row[], customers: number, items: number) {
  return purchasePairs(
    {
      customer: Int32Array.from(rows, ([customer]) => customer),
      item: Int32Array.from(rows, ([, item]) => item),
      at: Float64Array.from(rows, ([, , daysAgo]) => now - daysAgo * day),
    },
    customers,
    items,
  );
}

function fitToy(
  rows: readonly Row[],
  customers: number,
  items: number,
  options: Partial<CustomerNeighbourOptions> = {},
) {
  return fitCustomerNeighbours(
    pairsOf(rows, customers, items),
    CustomerNeighbourOptions.parse(options),
    now,
    createRng(1, 'exemplars'),
  );
}

const once = (item: number, daysAgo = 0) => ({
  item,
  purchaseCount: 1,
  firstAt: now - daysAgo * day,
  lastAt: now - daysAgo * day,
});

/** Customers of two tastes: 0–9 and 10–19, each with all of the items 0–3 or 4–7 but one of its own. */
const twoTastes = Array.from({ length: 8 }, (_, u) => u).flatMap((u) => {
  const first = u < 4 ? 0 : 4;
  return [0, 1, 2, 3].filter((n) => n !== u % 4).map((n) => [u, first + n, 10] as const);
});

test('the item that a customer lacks is what those of the same taste buy', () => {
  const model = fitToy(twoTastes, 8, 8);
  for (let missing = 0; missing < 8; missing++) {
    const first = missing < 4 ? 0 : 4;
    const history = [0, 1, 2, 3].map((n) => first + n).filter((item) => item !== missing);
    const scores = similarCustomerScores(
      model,
      history.map((item) => once(item, 10)),
      now,
    );
    for (let item = 0; item < 8; item++) {
      if (item === missing) expect(scores[item]).toBeGreaterThan(0);
      // The other taste is in nobody's way.
      else if (!history.includes(item)) expect(scores[item]).toBe(0);
    }
  }
});

test('a customer’s vector has length 1, and each purchase halves with its half-life', () => {
  const vector = customerVector([once(0, 0), once(1, 30)], now, 30);
  const length = Math.hypot(1, 1 / 2);
  expect([...vector]).toEqual([expect.closeTo(1 / length, 6), expect.closeTo(1 / 2 / length, 6)]);
});

test('the score is α times the own vector and 1 − α times the neighbours’ mean', () => {
  // Two exemplars who are equally like the customer: each shares item 0 and has one more.
  const rows: Row[] = [
    [0, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [1, 2, 0],
  ];
  const model = fitToy(rows, 2, 3, { ownWeight: 0.4, neighbours: 2 });
  const scores = customerNeighbourScores(model, [once(0)], now);
  expect(scores[0]).toBeCloseTo(0.4 * 1 + 0.6 * ((1 / Math.SQRT2 + 1 / Math.SQRT2) / 2), 6);
  expect(scores[1]).toBeCloseTo(0.6 * (1 / Math.SQRT2 / 2), 6);
  expect(scores[2]).toBeCloseTo(scores[1]!, 6);
});

test('a neighbour weighs its similarity to the power of the locality', () => {
  const rows: Row[] = [
    [0, 0, 0],
    [0, 1, 0],
    [1, 0, 0],
    [1, 2, 0],
    [1, 3, 0],
  ];
  const model = fitToy(rows, 2, 4, { ownWeight: 0, locality: 2 });
  const idf = (owners: number) => Math.log(1 + 2 / (1 + owners));
  const cosine = (others: number) => idf(2) / Math.hypot(idf(2), ...Array(others).fill(idf(1)));
  const [near, far] = [cosine(1) ** 2, cosine(2) ** 2];
  const scores = customerNeighbourScores(model, [once(0)], now);
  expect(scores[1]).toBeCloseTo(((near / (near + far)) * 1) / Math.SQRT2, 5);
  expect(scores[2]).toBeCloseTo(((far / (near + far)) * 1) / Math.sqrt(3), 5);
});

test('somebody without a history, or with items that no exemplar has, gets zeros', () => {
  const model = fitToy(twoTastes, 8, 9);
  expect(customerNeighbourScores(model, [], now).every((score) => score === 0)).toBe(true);
  expect(similarCustomerScores(model, [once(8)], now).every((score) => score === 0)).toBe(true);
});

test('exemplars are as many as asked for, of two items or more, and mostly of those who still shop', () => {
  const rows: Row[] = Array.from({ length: 200 }, (_, u) => u).flatMap((u) => {
    const daysAgo = u < 100 ? 1 : 1000;
    return u % 2 === 0
      ? [[u, u, daysAgo] as const]
      : [[u, u - 1, daysAgo] as const, [u, u, daysAgo] as const];
  });
  const { exemplars } = fitToy(rows, 200, 200, { exemplars: 40, halfLifeDays: 100 });
  expect(exemplars.rows).toBe(40);
  const sizes = Array.from({ length: 40 }, (_, r) => exemplars.indptr[r + 1]! - exemplars.indptr[r]!);
  expect(sizes.every((size) => size === 2)).toBe(true);
  // 50 are recent; each of the others is drawn at 2^−10 of their chance.
  expect(exemplars.indices.every((item) => item < 100)).toBe(true);
});

test('of an exemplar’s items the heaviest are kept', () => {
  const rows: Row[] = [
    [0, 0, 400],
    [0, 1, 3],
    [0, 2, 2],
  ];
  expect([...fitToy(rows, 1, 3, { itemsPerExemplar: 2 }).exemplars.indices]).toEqual([1, 2]);
});

test('the index follows from the exemplars alone: a model read back answers the same', () => {
  const model = fitToy(twoTastes, 8, 8);
  const again = { ...model, ...indexExemplars(model.exemplars) };
  const history = [once(0, 3), once(1, 9)];
  expect(customerNeighbourScores(again, history, now)).toEqual(customerNeighbourScores(model, history, now));
});

test('the same seed draws the same exemplars', () => {
  const options = { exemplars: 3 };
  expect(fitToy(twoTastes, 8, 8, options)).toEqual(fitToy(twoTastes, 8, 8, options));
});
