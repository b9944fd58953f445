import { expect, test } from 'vitest';
import { createRng } from '../../../src/algorithms/rng.ts';
import {
  type CandidateGroups,
  learnWeights,
  qualityOf,
} from '../../../src/evaluation/pairs/learn-weights.ts';

/** Users with 30 candidates of which one is relevant: it has a signal in both sources, each under its own noise. */
function noisyGroups(users: number): CandidateGroups {
  const rng = createRng(1, 'groups');
  const total = users * 30;
  const relevant = Uint8Array.from({ length: total }, (_, c) => (c % 30 === 7 ? 1 : 0));
  const noisy = (signal: number) => Float32Array.from(relevant, (is) => signal * is + rng.normal());
  return {
    start: Int32Array.from({ length: users + 1 }, (_, g) => 30 * g),
    scores: [noisy(1.5), noisy(1.5), noisy(0)],
    relevant,
    relevantCount: new Int32Array(users).fill(1),
  };
}

test('the quality of a weighting is the mean of recall and NDCG, with what is no candidate missed', () => {
  const groups = {
    start: Int32Array.of(0, 3),
    scores: [Float32Array.of(3, 2, 1), Float32Array.of(0, 0, 9)],
    relevant: Uint8Array.of(0, 1, 1),
    relevantCount: Int32Array.of(4),
  };
  const ideal = 1 / Math.log2(2) + 1 / Math.log2(3);
  // By the first source the relevant are at ranks 2 and 3; of the first 2 places one is a hit, of 4 relevant.
  expect(qualityOf(groups, [1, 0], 2)).toBeCloseTo((1 / 4 + 1 / Math.log2(3) / ideal) / 2, 12);
  // The second lifts the last above all: ranks 1 and 3.
  expect(qualityOf(groups, [1, 1], 2)).toBeCloseTo((1 / 4 + 1 / ideal) / 2, 12);
});

test('two sources that err apart are better than each, and noise gets no say', () => {
  const groups = noisyGroups(600);
  const { weights, quality } = learnWeights(groups, 10);
  expect(quality).toBeGreaterThan(
    1.05 * Math.max(qualityOf(groups, [1, 0, 0], 10), qualityOf(groups, [0, 1, 0], 10)),
  );
  const [first = 0, second = 0, noise = 0] = weights;
  expect(first / second).toBeGreaterThan(0.5);
  expect(first / second).toBeLessThan(2);
  expect(Math.abs(noise)).toBeLessThan(0.25 * Math.max(first, second));
});
