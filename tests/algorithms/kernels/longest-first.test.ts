import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { longestFirst, scanLongestFirst } from '../../../src/algorithms/kernels/longest-first.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { openKernels, VARIANTS } from './support.ts';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels(...VARIANTS[0]!);
});
afterAll(() => kernels.close());

/** Rows whose lengths fall like those of what sells: few long, most short. */
function skewed(rows: number, size: number, seed: number): Float32Array {
  const rng = createRng(seed, 'longest');
  const values = new Float32Array(rows * size);
  for (let r = 0; r < rows; r++) {
    const length = rng.next() ** 4;
    for (let f = 0; f < size; f++) values[r * size + f] = length * (rng.next() - 0.4);
  }
  return values;
}

test.each([
  { rows: 6000, k: 50 },
  { rows: 6000, k: 2000 },
  { rows: 3, k: 50 },
])('the list of a scan of everything: %j', ({ rows, k }) => {
  const factors = kernels.factors(rows, 12, skewed(rows, 12, 1));
  const scanned = longestFirst(kernels, factors);
  for (let seed = 2; seed < 8; seed++) {
    const vector = skewed(1, 12, seed);
    expect(scanLongestFirst(kernels, scanned, vector, k)).toEqual(kernels.scanTopK(factors, vector, k));
    // Where nothing points in its direction, all are looked at.
    const away = vector.map((value) => -Math.abs(value));
    expect(scanLongestFirst(kernels, scanned, away, k)).toEqual(kernels.scanTopK(factors, away, k));
  }
  for (const what of [factors, scanned.longest]) kernels.release(what);
});

test('rows that are too short to be among the best are not read', () => {
  const factors = kernels.factors(6000, 12, skewed(6000, 12, 1));
  const scanned = longestFirst(kernels, factors);
  const vector = skewed(1, 12, 2).map(Math.abs);
  const looked: number[] = [];
  const counting: Kernels = {
    ...kernels,
    scanTopK: (what, ...rest) => {
      looked.push(what.rows);
      return kernels.scanTopK(what, ...rest);
    },
  };
  scanLongestFirst(counting, scanned, vector, 20);
  expect(looked.reduce((sum, rows) => sum + rows, 0)).toBeLessThan(3000);
  for (const what of [factors, scanned.longest]) kernels.release(what);
});
