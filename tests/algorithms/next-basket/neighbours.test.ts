import { expect, test } from 'vitest';
import { createTifuKnn } from '../../../src/algorithms/next-basket/tifu-knn.ts';
import { createUpCf } from '../../../src/algorithms/next-basket/up-cf.ts';
import { logOf } from './support.ts';

const plain = { withinDecay: 1, groupDecay: 1, groupSize: 1000 };

test('TIFU-KNN: own share and the mean of the nearest, α to 1 − α', () => {
  // User 0 is likest to user 1 (cosine 1/√2) and then to user 2 (1/√3 · …); user 3 shares nothing.
  const log = logOf(5, [[[0]], [[0, 1]], [[0, 2, 3]], [[4]]]);
  const out = new Float32Array(5);
  createTifuKnn(log, { ...plain, neighbours: 1, ownWeight: 0.7 })(0, 1, out);
  expect([...out].map((score) => Number(score.toFixed(6)))).toEqual([0.7 + 0.3, 0.3, 0, 0, 0]);
  out.fill(0);
  // Of four neighbours asked for only two share an item: their mean.
  createTifuKnn(log, { ...plain, neighbours: 4, ownWeight: 0.7 })(0, 1, out);
  expect([...out].map((score) => Number(score.toFixed(6)))).toEqual([0.7 + 0.3, 0.15, 0.15, 0.15, 0]);
});

test('UP-CF: similarities by the asymmetric cosine, to the power of the locality, the user among them', () => {
  const log = logOf(4, [[[0, 1]], [[0, 2, 3], [2]], [[3]]]);
  const out = new Float32Array(4);
  createUpCf(log, { recentBaskets: 1, asymmetry: 0.75, locality: 2, neighbours: 10 })(0, 1, out);
  // One item shared of the user's 2 and the other's 3.
  const similarity = (1 / (2 ** 0.75 * 3 ** 0.25)) ** 2;
  expect(out[0]).toBeCloseTo(1, 6);
  expect(out[1]).toBeCloseTo(1, 6);
  expect(out[2]).toBeCloseTo(similarity, 6);
  // In the neighbour's first basket only, which is not recent.
  expect(out[3]).toBe(0);
});

test('a user without baskets gets nothing', () => {
  const log = logOf(2, [[], [[0]]]);
  const out = new Float32Array(2);
  createTifuKnn(log, { ...plain, neighbours: 3, ownWeight: 0.5 })(0, 1, out);
  createUpCf(log, { recentBaskets: 0, asymmetry: 0.5, locality: 1, neighbours: 3 })(0, 1, out);
  expect([...out]).toEqual([0, 0]);
});
