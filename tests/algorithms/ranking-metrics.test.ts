import { expect, test } from 'vitest';
import { ndcgAtK, recallAtK } from '../../src/algorithms/ranking-metrics.ts';

const ranked = [7, 3, 9, 1];

test('recallAtK: the share of the relevant items among the first k', () => {
  expect(recallAtK(ranked, new Set([3, 1, 50]), 3)).toBe(1 / 3);
  expect(recallAtK(ranked, new Set([3, 1, 50]), 4)).toBe(2 / 3);
  expect(recallAtK(ranked, new Set([7]), 10)).toBe(1);
  expect(recallAtK([], new Set([7]), 10)).toBe(0);
});

test('ndcgAtK: one hit at rank 2 of 1 relevant', () => {
  expect(ndcgAtK(ranked, new Set([3]), 3)).toBeCloseTo(1 / Math.log2(3), 12);
});

test('ndcgAtK: hits at ranks 1 and 3 of 3 relevant', () => {
  const gain = 1 / Math.log2(2) + 1 / Math.log2(4);
  const ideal = 1 / Math.log2(2) + 1 / Math.log2(3) + 1 / Math.log2(4);
  expect(ndcgAtK(ranked, new Set([7, 9, 50]), 4)).toBeCloseTo(gain / ideal, 12);
});

test('ndcgAtK: a perfect list of k is 1 although more are relevant', () => {
  expect(ndcgAtK(ranked, new Set([7, 3, 9, 1]), 2)).toBe(1);
});

test('a hit below rank k does not count', () => {
  expect(recallAtK(ranked, new Set([9]), 2)).toBe(0);
  expect(ndcgAtK(ranked, new Set([9]), 2)).toBe(0);
});
