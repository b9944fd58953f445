import { expect, test } from 'vitest';
import { benchKernels, type KernelBenchLine } from '../../../src/cli/bench/kernels.ts';
import { MOVIELENS_1M, syntheticInteractions } from '../../../src/cli/bench/synthetic.ts';

test('every kernel is measured, those with threads on one and on two', async () => {
  const lines: KernelBenchLine[] = [];
  const size = { users: 60, items: 70, pairs: 900 };
  await benchKernels(
    { size, repeats: 1, oracleStride: 1, only: ['ials', 'gram', 'ease', 'item'], seed: 1 },
    (line) => lines.push(line),
  );
  const names = [
    'ials-cholesky-d64',
    'ials-cg-d64',
    'gram-d64',
    'ials-cholesky-d128',
    'ials-cg-d128',
    'gram-d128',
  ];
  const expected = [...names, 'ease-inverse-n70', 'item-counts'];
  expect(lines.map(({ name, threads }) => `${name} ${threads}`)).toEqual(
    expected.flatMap((name) => [`${name} 1`, `${name} 2`]),
  );
  for (const line of lines) {
    expect(line.wallSeconds).toBeGreaterThan(0);
    expect(line.speedup).toBe(line.oracleCpuSeconds / line.cpuSeconds);
  }
});

test("the synthetic data have MovieLens-1M's size and a long tail", () => {
  const matrix = syntheticInteractions(MOVIELENS_1M, 1);
  expect([matrix.rows, matrix.cols]).toEqual([6040, 3706]);
  // Users at their limit have fewer than was meant for them; rounding takes or gives a few.
  expect(Math.abs(matrix.indices.length - MOVIELENS_1M.pairs)).toBeLessThan(0.02 * MOVIELENS_1M.pairs);
  const counts = new Float64Array(matrix.cols);
  for (const item of matrix.indices) counts[item]!++;
  counts.sort().reverse();
  const share = counts.subarray(0, 370).reduce((sum, value) => sum + value, 0) / matrix.indices.length;
  // MovieLens-1M's most bought tenth of the films has 43 % of the ratings.
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.55);
});
