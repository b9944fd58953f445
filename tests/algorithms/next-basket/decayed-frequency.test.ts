import { expect, test } from 'vitest';
import {
  type AgeWeight,
  decayedFrequency,
  decayedShareWeight,
  groupDecayWeight,
  recentShareWeight,
} from '../../../src/algorithms/next-basket/decayed-frequency.ts';
import { logOf } from './support.ts';

const rowOf = (baskets: readonly (readonly number[])[], weight: AgeWeight) => {
  const { indices, data } = decayedFrequency(logOf(4, [baskets]), weight);
  return Object.fromEntries(Array.from(indices, (i, p) => [i, data[p]]));
};

test('groups decay among themselves and baskets within them, and both are averaged', () => {
  const weight = groupDecayWeight({ withinDecay: 0.5, groupDecay: 0.1, groupSize: 2 });
  // Ages 2 | 1 0: item 0 in ages 0 and 2, item 1 in age 1. Two groups, of two baskets and of one.
  const row = rowOf([[0], [1], [0, 3]], weight);
  expect(row[0]).toBeCloseTo(1 / (2 * 2) + 0.1 / (1 * 2), 6);
  expect(row[1]).toBeCloseTo(0.5 / (2 * 2), 6);
  expect(row[3]).toBeCloseTo(1 / (2 * 2), 6);
});

test('the recent share counts the last baskets, as many as there are, and leaves out what is older', () => {
  expect(rowOf([[2], [0], [0, 1]], recentShareWeight(2))).toEqual({ 0: 1, 1: 0.5 });
  expect(rowOf([[0]], recentShareWeight(5))).toEqual({ 0: 1 });
  expect(rowOf([[2], [0], [0, 1], [1]], recentShareWeight(0))).toEqual({ 0: 0.5, 1: 0.5, 2: 0.25 });
});

test('the decayed share of an item that is in every basket is 1', () => {
  for (const decay of [0.5, 0.9, 1])
    expect(rowOf([[0], [0, 1], [0]], decayedShareWeight(decay))[0]).toBeCloseTo(1, 6);
  expect(rowOf([[0], [0, 1], [0]], decayedShareWeight(0.5))[1]).toBeCloseTo(0.5 / (1 + 0.5 + 0.25), 6);
});
