import { expect, test } from 'vitest';
import { OWN_COLUMN } from '../../../src/algorithms/ranker/features.ts';
import { fitLinearRanker } from '../../../src/algorithms/ranker/fit-linear.ts';
import { createRankerScorer } from '../../../src/algorithms/ranker/ranker.ts';
import { SampleCollector } from '../../../src/algorithms/ranker/samples.ts';
import { judgeRanker } from '../../../src/train/collaborative/ranker-samples.ts';
import { samplesWhere, width } from './samples.ts';

test('finds the features that matter, for own and for new items each its own', () => {
  // Own items are bought by feature 3, new ones by feature 5.
  const rule = (row: Float32Array) => row[row[OWN_COLUMN] === 1 ? 3 : 5]! > 0.8;
  const ranker = fitLinearRanker(samplesWhere(rule, 300, 1), 1e-4);
  if (ranker.kind !== 'linear') throw new Error('not linear');
  const [fresh, own] = [ranker.weights.subarray(0, width), ranker.weights.subarray(width)];
  const strongest = (weights: Float32Array) =>
    [...weights.keys()].filter((f) => f !== OWN_COLUMN).sort((a, b) => weights[b]! - weights[a]!)[0];
  expect(strongest(fresh)).toBe(5);
  expect(strongest(own)).toBe(3);
  // On other customers it puts what is bought first.
  expect(judgeRanker(ranker, samplesWhere(rule, 100, 2)).mean().recallAt10).toBeGreaterThan(0.95);
});

test('two candidates, one of them always bought: the odds of the softmax are those of the data', () => {
  // 100 customers choose between x = 1 and x = 0, 80 of them the first: w = ln(80 / 20).
  const collector = new SampleCollector(width);
  for (let u = 0; u < 100; u++) {
    for (const x of [1, 0]) {
      const row = new Float32Array(width);
      row[0] = x;
      collector.add(row, u < 80 === (x === 1));
    }
    collector.endGroup(1);
  }
  const ranker = fitLinearRanker(collector.finish(), 1e-9);
  const rows = new Float32Array(2 * width);
  rows[0] = 1;
  const scores = new Float32Array(2);
  createRankerScorer(ranker)(rows, 2, scores);
  expect(scores[0]! - scores[1]!).toBeCloseTo(Math.log(80 / 20), 2);
});

test('customers who bought none of their candidates teach nothing', () => {
  const rule = (row: Float32Array) => row[3]! > 0.8;
  const samples = samplesWhere(rule, 50, 1);
  const collector = new SampleCollector(width);
  for (let g = 0; g < samples.relevant.length; g++) {
    for (let r = samples.indptr[g]!; r < samples.indptr[g + 1]!; r++)
      collector.add(samples.features.subarray(r * width, (r + 1) * width), samples.labels[r] === 1);
    collector.endGroup(samples.relevant[g]!);
  }
  // The same candidates again, of somebody who bought something that no source brought: labels are all 0.
  for (let r = 0; r < 20; r++) collector.add(samples.features.subarray(r * width, (r + 1) * width), false);
  collector.endGroup(3);
  const ranker = fitLinearRanker(collector.finish(), 1e-3);
  expect(judgeRanker(ranker, samplesWhere(rule, 50, 2)).mean().recallAt10).toBeGreaterThan(0.95);
});
