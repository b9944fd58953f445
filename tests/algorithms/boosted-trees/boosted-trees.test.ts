import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BoostedTreesOptions,
  fitBoostedTrees,
  scoreBoosted,
} from '../../../src/algorithms/boosted-trees/boosted-trees.ts';
import { binRows, chooseEdges } from '../../../src/algorithms/boosted-trees/feature-bins.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

const options = (given: Partial<BoostedTreesOptions>) => BoostedTreesOptions.parse(given);

test('one tree of two leaves: bias and leaf values by hand', async () => {
  // x = 0 has one yes in four, x = 1 three in four: the bias is 0, every p is 1/2, and G of a leaf ±(2 − 1).
  const values = Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
  const label = Uint8Array.of(1, 0, 0, 0, 1, 1, 1, 0);
  const trees = await fitBoostedTrees(
    { rows: 8, columns: 1, values },
    label,
    new Uint8Array(8),
    options({ trees: 1, leaves: 2, learningRate: 0.5, l2: 1, minHessian: 0.5 }),
  );
  expect(trees.bias).toBe(0);
  // H = 4 · 1/4; value = −G / (H + λ)
  expect(scoreBoosted(trees, values, 0)).toBeCloseTo(0.5 * (-1 / (1 + 1)), 6);
  expect(scoreBoosted(trees, values, 4)).toBeCloseTo(0.5 * (1 / (1 + 1)), 6);
});

test('learns what no sum of single features can: exclusive or', async () => {
  const rng = createRng(1, 'xor');
  const rows = 400;
  const values = Float32Array.from({ length: 2 * rows }, () => rng.next());
  const isYes = (r: number) => values[2 * r]! > 0.5 !== values[2 * r + 1]! > 0.5;
  const label = Uint8Array.from({ length: rows }, (_, r) => (isYes(r) ? 1 : 0));
  const trees = await fitBoostedTrees(
    { rows, columns: 2, values },
    label,
    new Uint8Array(rows),
    options({ trees: 60, leaves: 8, minHessian: 0.5, l2: 1, learningRate: 0.3 }),
  );
  let right = 0;
  for (let r = 0; r < rows; r++) if (scoreBoosted(trees, values, 2 * r) > 0 === isYes(r)) right++;
  expect(right / rows).toBeGreaterThan(0.95);
});

test('where there is nothing to learn, held-out rows leave few trees', async () => {
  const rng = createRng(2, 'noise');
  const rows = 2000;
  const values = Float32Array.from({ length: 3 * rows }, () => rng.next());
  const label = Uint8Array.from({ length: rows }, () => (rng.chance(0.5) ? 1 : 0));
  const heldOut = Uint8Array.from({ length: rows }, (_, r) => r % 2);
  const data = { rows, columns: 3, values };
  const trees = await fitBoostedTrees(
    data,
    label,
    heldOut,
    options({ trees: 100, minHessian: 1, patience: 5 }),
  );
  expect(trees.roots.length).toBeLessThan(10);
});

test('no rows to learn from is refused', async () => {
  const empty = { rows: 1, columns: 1, values: Float32Array.of(1) };
  await expect(fitBoostedTrees(empty, Uint8Array.of(1), Uint8Array.of(1), options({}))).rejects.toThrow(
    RangeError,
  );
});

test('a bin is the number of edges at or below the value, and few values have a bin each', () => {
  const column = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(column, fc.integer({ min: 2, max: 64 }), (list, binsMax) => {
      const data = { rows: list.length, columns: 1, values: Float32Array.from(list, (v) => v + 0) };
      const edges = chooseEdges(data, binsMax);
      const [bins] = binRows(data, edges);
      expect(edges[0]!.length).toBeLessThan(binsMax);
      data.values.forEach((value, r) => {
        expect(bins![r]).toBe(edges[0]!.filter((edge) => edge <= value).length);
      });
      const distinct = new Set(data.values).size;
      if (distinct <= binsMax) expect(new Set(bins).size).toBe(distinct);
    }),
  );
});

test('squared loss, by hand: means of the leaves, rows counting by their weight', async () => {
  // Weighted mean (3·2 + 1·6 + 2·10 + 2·14) / 8 = 7.5. Left: G = 3·5.5 + 1·1.5 = 18, H = 4; right: G = −18, H = 4.
  const values = Float32Array.of(0, 0, 1, 1);
  const trees = await fitBoostedTrees(
    { rows: 4, columns: 1, values },
    Float64Array.of(2, 6, 10, 14),
    new Uint8Array(4),
    options({ loss: 'squared', trees: 1, leaves: 2, learningRate: 1, l2: 0, minHessian: 1 }),
    () => {},
    [3, 1, 2, 2],
  );
  expect(scoreBoosted(trees, values, 0)).toBeCloseTo(7.5 - 18 / 4, 5);
  expect(scoreBoosted(trees, values, 2)).toBeCloseTo(7.5 + 18 / 4, 5);
});
