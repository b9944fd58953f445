import { expect, test } from 'vitest';
import { dayMs } from '../../../src/domain/time.ts';
import { chooseFusion } from '../../../src/train/collaborative/choose-settings.ts';
import {
  evaluateCollaborative,
  type JudgedName,
  servedOf,
} from '../../../src/train/collaborative/evaluate.ts';
import { fitCollaborative } from '../../../src/train/collaborative/fit-model.ts';
import { defaultSettings } from '../../../src/train/collaborative/settings.ts';
import { createTestSet } from '../../../src/train/collaborative/test-set.ts';
import { testKernels } from '../../support/kernels.ts';
import { purchasesOf } from '../../support/purchases.ts';

const kernels = await testKernels();
const now = 100 * dayMs;

test('figures are those of hand-made lists: popularity finds what everybody buys, in both protocols', async () => {
  // a … l sell in this order: a to 13 customers, b to 12 … l to 2. Customer 00 bought only b.
  const items = [...'abcdefghijkl'];
  const rows = items.flatMap((item, rank) =>
    Array.from({ length: 13 - rank }, (_, n) => [`buyer-${n}`, item, 90] as const),
  );
  const train = purchasesOf([...rows, ['00', 'b', 90]]);
  const later = purchasesOf([
    ['00', 'b', 105],
    ['00', 'd', 105],
  ]);
  const set = createTestSet(train, later, now, 100, 1);
  const settings = { ...defaultSettings, ials: { ...defaultSettings.ials, factors: 4 } };
  const model = await fitCollaborative(kernels, train, settings, now, 1, () => {});
  const { allPurchases, newItems } = await evaluateCollaborative(model, set);

  const all = (name: JudgedName) => allPurchases.get(name)!.mean();
  const fresh = (name: JudgedName) => newItems.get(name)!.mean();
  expect(servedOf(allPurchases).customers).toBe(1);
  // a and b are bought by 13 each, a first by index; b at rank 2 and d at rank 4 of 2 relevant.
  const ideal = 1 / Math.log2(2) + 1 / Math.log2(3);
  expect(all('popularity').recallAt10).toBe(2 / 2);
  expect(all('popularity').ndcgAt10).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / ideal, 12);
  // Buy-again knows b alone.
  expect(all('buyAgain')).toEqual({ recallAt10: 1 / 2, ndcgAt10: 1 / Math.log2(2) / ideal });
  // Without b: a, c, d: rank 3 of 1 relevant.
  expect(fresh('popularity')).toEqual({ recallAt10: 1, ndcgAt10: 1 / Math.log2(4) });
  expect(fresh('buyAgain')).toEqual({ recallAt10: 0, ndcgAt10: 0 });
});

test('a customer who bought nothing new does not count among new items', async () => {
  const train = purchasesOf([
    ['ann', 'tea', 1],
    ['bob', 'tea', 1],
    ['bob', 'coffee', 1],
  ]);
  const set = createTestSet(train, purchasesOf([['ann', 'tea', 105]]), now, 100, 1);
  const model = await fitCollaborative(kernels, train, defaultSettings, now, 1, () => {});
  const { allPurchases, newItems } = await evaluateCollaborative(model, set);
  expect([servedOf(allPurchases).customers, servedOf(newItems).customers]).toEqual([1, 0]);
});

const list = (...indices: number[]) => ({
  indices: Int32Array.from(indices),
  scores: new Float32Array(indices.length),
});
const twenty = (from: number) => Array.from({ length: 20 }, (_, n) => from + n);

test('the fusion leans on the source that is right', () => {
  const judged = (rightSource: 'ials' | 'neighbours', rebuys: boolean) => {
    const lists = {
      ials: list(...twenty(100)),
      neighbours: list(...twenty(200)),
      popularity: list(...twenty(300)),
      buyAgain: list(...twenty(400)),
    };
    const bought = lists[rightSource].indices.slice(0, 10);
    return {
      relevant: new Set(rebuys ? lists.buyAgain.indices.slice(0, 10) : bought),
      relevantNew: new Set(bought),
      all: lists,
      fresh: lists,
    };
  };
  const byIals = chooseFusion([judged('ials', false)]).weights;
  expect(byIals.ials).toBeGreaterThan(byIals.neighbours);
  expect(byIals.buyAgain).toBe(0);
  const byNeighbours = chooseFusion([judged('neighbours', false)]).weights;
  expect(byNeighbours.neighbours).toBeGreaterThan(byNeighbours.ials);
  expect(chooseFusion([judged('ials', true)]).weights.buyAgain).toBeGreaterThan(1);
});
