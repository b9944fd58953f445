import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../../src/algorithms/csr.ts';
import { judgeFull } from '../../../src/evaluation/pairs/judge-full.ts';
import { judgeRank, judgeSampled } from '../../../src/evaluation/pairs/judge-sampled.ts';
import type { PairScorer } from '../../../src/evaluation/pairs/pair-model.ts';

test('sampled: hit ratio and NDCG of ranks 1, 3 and 11', () => {
  // Item i has the score −i; case n is item 0, 2 or 10 among the rest of 0 … 20.
  const tested = [0, 2, 10];
  const rest = tested.map((item) => Array.from({ length: 21 }, (_, i) => i).filter((i) => i !== item));
  const scorer: Pick<PairScorer, 'score'> = {
    score: (_user, items, out) => out.set(items.map((item) => -item)),
  };
  const quality = judgeSampled(scorer as PairScorer, {
    user: Int32Array.of(0, 1, 2),
    item: Int32Array.from(tested),
    start: Int32Array.of(0, 20, 40, 60),
    negatives: Int32Array.from(rest.flat()),
  });
  expect(quality.hrAt10).toBeCloseTo((1 + 1 + 0) / 3, 12);
  expect(quality.ndcgAt10).toBeCloseTo((1 / Math.log2(2) + 1 / Math.log2(4) + 0) / 3, 12);
});

test('sampled: ties are averaged over the ranks that they share', () => {
  // Nine are above, one beside: rank 10 or 11.
  const scores = Float32Array.of(1, ...Array<number>(9).fill(2), 1, 0);
  expect(judgeRank(scores, 0).hit).toBeCloseTo(1 / 2, 12);
  expect(judgeRank(scores, 0).gain).toBeCloseTo(1 / 2 / Math.log2(11), 12);
  // All 100 alike: ten of a hundred places are hits.
  expect(judgeRank(new Float32Array(100), 0).hit).toBeCloseTo(10 / 100, 12);
});

test('sampled: a score that is no number ranks last', () => {
  expect(judgeRank(Float32Array.of(Number.NaN, ...Array<number>(10).fill(0)), 0)).toEqual({
    hit: 0,
    gain: 0,
  });
});

test('full: recall over the test items, ideal capped at 20, mean over users with test items', async () => {
  const lists = [Array.from({ length: 20 }, (_, i) => i), [5, 6, ...Array<number>(18).fill(-1)]];
  const scorer = {
    rank: async (users: Int32Array, k: number) => ({
      k,
      indices: Int32Array.from([...users].flatMap((user) => lists[user]!)),
      scores: new Float32Array(users.length * k),
    }),
  };
  // User 0: items 0 and 2 (ranks 1, 3) and 30; user 1: all of 6 … 30, of which rank 2 is the only hit; user 2: none.
  const test = [[0, 2, 30], Array.from({ length: 25 }, (_, i) => i + 6)];
  const row = test.flatMap((items, user) => items.map(() => user));
  const matrix = csrFromTriplets(3, 40, { row, col: test.flat(), value: row.map(() => 1) });
  const discounts = (n: number) =>
    Array.from({ length: n }, (_, r) => 1 / Math.log2(r + 2)).reduce((a, b) => a + b);
  const quality = await judgeFull(scorer as unknown as PairScorer, matrix);
  expect(quality.recallAt20).toBeCloseTo((2 / 3 + 1 / 25) / 2, 12);
  const first = (1 / Math.log2(2) + 1 / Math.log2(4)) / discounts(3);
  const second = 1 / Math.log2(3) / discounts(20);
  expect(quality.ndcgAt20).toBeCloseTo((first + second) / 2, 12);
});
