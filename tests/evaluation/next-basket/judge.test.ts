import { expect, test } from 'vitest';
import type { FitContext } from '../../../src/evaluation/model.ts';
import { holdOutLastBaskets } from '../../../src/evaluation/next-basket/hold-out.ts';
import { judgeNextBasket } from '../../../src/evaluation/next-basket/judge.ts';
import { NEXT_BASKET_MODELS } from '../../../src/evaluation/next-basket/models.ts';
import { basketLog } from '../support.ts';

test('recall, NDCG and PHR at 10, means over users', () => {
  // User 0: items 0 … 11 in this order, 12 in the true basket: hits at ranks 2 and 10, one below the list, one nowhere.
  const truth = {
    user: Int32Array.of(0, 1),
    start: Int32Array.of(0, 4, 5),
    items: Int32Array.of(1, 9, 10, 12, 3),
  };
  const scorer = {
    score: (user: number, out: Float32Array) => {
      out.forEach((_, i) => {
        out[i] = user === 0 && i < 12 ? -i : Number.NEGATIVE_INFINITY;
      });
    },
  };
  const gain = 1 / Math.log2(3) + 1 / Math.log2(11);
  const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4) + 1 / Math.log2(5);
  const quality = judgeNextBasket(scorer, truth, 13);
  expect(quality.recallAt10).toBeCloseTo((2 / 4 + 0) / 2, 12);
  expect(quality.ndcgAt10).toBeCloseTo((gain / ideal + 0) / 2, 12);
  expect(quality.phrAt10).toBe((1 + 0) / 2);
});

test('the ideal of NDCG counts the whole true basket, also beyond 10', () => {
  const truth = {
    user: Int32Array.of(0),
    start: Int32Array.of(0, 12),
    items: Int32Array.from({ length: 12 }, (_, i) => i),
  };
  const scorer = { score: (_user: number, out: Float32Array) => void out.fill(1) };
  const discounts = (n: number) =>
    Array.from({ length: n }, (_, r) => 1 / Math.log2(r + 2)).reduce((a, b) => a + b);
  expect(judgeNextBasket(scorer, truth, 12).ndcgAt10).toBeCloseTo(discounts(10) / discounts(12), 12);
});

test('the counting models: everybody’s, own, and own before everybody’s', async () => {
  const log = basketLog(6, [[[4, 3], [3], [5]], [[1], [1, 2], [1, 0]], []]);
  const order = async (name: string, user: number) => {
    const model = NEXT_BASKET_MODELS.find((m) => m.name === name)!;
    const scorer = await model.fit(log, {}, {} as FitContext);
    const out = new Float32Array(6).fill(99);
    scorer.score(user, out);
    return [...out.keys()]
      .filter((i) => out[i] !== Number.NEGATIVE_INFINITY)
      .sort((a, b) => out[b]! - out[a]! || a - b);
  };
  // Counts: 1 three times, 3 twice, all others once.
  expect(await order('global-top', 0)).toEqual([1, 3, 0, 2, 4, 5]);
  // User 0: 3 twice; 4 was bought before 5.
  expect(await order('personal-top', 0)).toEqual([3, 4, 5]);
  expect(await order('personal-then-global', 0)).toEqual([3, 4, 5, 1, 0, 2]);
  expect(await order('personal-then-global', 2)).toEqual([1, 3, 0, 2, 4, 5]);
});

test('the last basket of everybody with two is held out', () => {
  const { history, truth } = holdOutLastBaskets(basketLog(5, [[[0], [1, 2]], [[3]], [], [[0], [4], [1]]]));
  expect(history).toEqual(basketLog(5, [[[0]], [[3]], [], [[0], [4]]]));
  expect(truth).toEqual({
    user: Int32Array.of(0, 3),
    start: Int32Array.of(0, 2, 3),
    items: Int32Array.of(1, 2, 1),
  });
});
