import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitRhythm, type PurchaseRhythm, rankBuyAgain } from '../../src/algorithms/buy-again.ts';

const day = 86_400_000;
const now = 1000 * day;

const rhythm: PurchaseRhythm = {
  gapDays: Float32Array.of(10, 10),
  repeatShare: Float32Array.of(0.5, 0.1),
  shape: 3,
};
const boughtOnce = (item: number, daysAgo: number) => ({
  item,
  purchaseCount: 1,
  firstAt: now - daysAgo * day,
  lastAt: now - daysAgo * day,
});

test('the score is the mixture cure model’s chance of a purchase within the horizon', () => {
  const [due] = rankBuyAgain(rhythm, [boughtOnce(0, 8)], now, 7);
  const survives = (days: number) => 1 / (1 + (days / 10) ** 3);
  const expected = (0.5 * (survives(8) - survives(15))) / (0.5 * survives(8) + 0.5);
  expect(due).toEqual({
    item: 0,
    score: expect.closeTo(expected, 6),
    usualGapDays: 10,
    daysSinceLast: expect.closeTo(8, 9),
  });
});

test('what is due now goes before what was bought yesterday and what was given up long ago', () => {
  const order = (...daysAgo: number[]) =>
    rankBuyAgain(
      { ...rhythm, gapDays: new Float32Array(3).fill(10), repeatShare: new Float32Array(3).fill(0.5) },
      daysAgo.map((days, item) => boughtOnce(item, days)),
      now,
      3,
    ).map(({ item }) => item);
  expect(order(0, 9, 300)[0]).toBe(1);
});

test('of two items alike, the one that people come back for is first', () => {
  expect(rankBuyAgain(rhythm, [boughtOnce(1, 9), boughtOnce(0, 9)], now, 7).map(({ item }) => item)).toEqual([
    0, 1,
  ]);
});

test('a customer’s own gap outweighs the item’s as it is seen more often', () => {
  const gapAfter = (purchaseCount: number) =>
    rankBuyAgain(
      rhythm,
      [{ item: 0, purchaseCount, firstAt: now - 30 * (purchaseCount - 1) * day, lastAt: now }],
      now,
      7,
    )[0]!.usualGapDays;
  // One gap of 30 beside the item's 10, which weighs two: (10² · 30)^(1/3)
  expect(gapAfter(2)).toBeCloseTo(3000 ** (1 / 3), 3);
  expect(gapAfter(9)).toBeCloseTo((10 ** 2 * 30 ** 8) ** (1 / 10), 3);
});

test('every score is a probability, whatever the history', () => {
  const history = fc.record({
    purchaseCount: fc.integer({ min: 1, max: 500 }),
    firstDay: fc.integer({ min: 0, max: 2000 }),
    days: fc.integer({ min: 0, max: 2000 }),
  });
  fc.assert(
    fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (h, share) => {
      const entry = {
        item: 0,
        purchaseCount: h.purchaseCount,
        firstAt: h.firstDay * day,
        lastAt: (h.firstDay + h.days) * day,
      };
      const [due] = rankBuyAgain({ ...rhythm, repeatShare: Float32Array.of(share) }, [entry], now, 28);
      expect(due!.score).toBeGreaterThanOrEqual(0);
      expect(due!.score).toBeLessThanOrEqual(1);
      expect(due!.usualGapDays).toBeGreaterThan(0);
    }),
  );
});

/** One row a purchase, sorted by customer, item and time. */
function purchasesOf(rows: readonly (readonly [customer: number, item: number, day: number])[]) {
  return {
    customer: Int32Array.from(rows, ([customer]) => customer),
    item: Int32Array.from(rows, ([, item]) => item),
    at: Float64Array.from(rows, ([, , days]) => days * day),
  };
}

test('an item’s gap is the median of its gaps, with five of its category’s, those with five of the shop’s', () => {
  const learned = fitRhythm(
    purchasesOf([
      [0, 0, 0],
      [0, 0, 8],
      [1, 0, 5],
      [1, 0, 21],
      [1, 0, 25],
      [2, 1, 0],
      [2, 1, 32],
    ]),
    3,
    Int32Array.of(0, 1, 1),
    2,
  );
  // Gaps: item 0 has 4, 8, 16; item 1 has 32. The shop's median is the third of four: 16.
  const category0 = Math.exp((3 * Math.log(8) + 5 * Math.log(16)) / 8);
  const category1 = Math.exp((1 * Math.log(32) + 5 * Math.log(16)) / 6);
  expect(learned.gapDays[0]).toBeCloseTo(Math.exp((3 * Math.log(8) + 5 * Math.log(category0)) / 8), 4);
  expect(learned.gapDays[1]).toBeCloseTo(Math.exp((1 * Math.log(32) + 5 * Math.log(category1)) / 6), 4);
  // Never bought: as its category.
  expect(learned.gapDays[2]).toBeCloseTo(category1, 4);
});

test('orders of one day are one errand: neither a gap nor a repeat', () => {
  const learned = fitRhythm(
    purchasesOf([
      [0, 0, 0],
      [0, 0, 0.2],
      [1, 0, 0],
      [1, 0, 0.1],
      [1, 0, 8],
    ]),
    1,
    Int32Array.of(0),
    1,
  );
  // One gap, of 7.9 days, and one of two buyers came back.
  expect(learned.gapDays[0]).toBeCloseTo(7.9, 4);
  const shop = (1 + 5 * 0.05) / (2 + 5);
  expect(learned.repeatShare[0]).toBeCloseTo((1 + 5 * ((1 + 5 * shop) / (2 + 5))) / (2 + 5), 6);
});

test('an item’s repeat share is that of its buyers, shrunk likewise', () => {
  const learned = fitRhythm(
    purchasesOf([
      [0, 0, 0],
      [0, 0, 8],
      [1, 0, 5],
      [2, 1, 0],
    ]),
    2,
    Int32Array.of(0, 0),
    1,
  );
  const shop = (1 + 5 * 0.05) / (3 + 5);
  const category = (1 + 5 * shop) / (3 + 5);
  expect(learned.repeatShare[0]).toBeCloseTo((1 + 5 * category) / (2 + 5), 6);
  expect(learned.repeatShare[1]).toBeCloseTo((0 + 5 * category) / (1 + 5), 6);
});

test('a shop in which nothing was bought twice has a rhythm all the same', () => {
  const learned = fitRhythm(purchasesOf([[0, 0, 3]]), 2, Int32Array.of(0, 0), 1);
  expect(learned.gapDays.every((gap) => gap > 0)).toBe(true);
  expect(learned.repeatShare.every((share) => share > 0 && share < 1)).toBe(true);
  expect(learned.shape).toBeGreaterThan(0);
});
