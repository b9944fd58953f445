import { describe, expect, test } from 'vitest';
import {
  calibrationZ,
  countIn,
  spreadOf,
  stabilityByChance,
  stabilityIndex,
} from '../../src/algorithms/population-drift.ts';
import { createRng } from '../../src/algorithms/rng.ts';

const normals = (n: number, seed: number, shift = 0) => {
  const rng = createRng('drift', seed);
  return Float64Array.from({ length: n }, () => shift + rng.normal());
};

describe('bins', () => {
  test('are filled about equally, and count what lies on an edge below it', () => {
    const { edges, counts } = spreadOf(Float64Array.from({ length: 100 }, (_, i) => i));
    expect(edges).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(counts).toEqual([11, 10, 10, 10, 10, 10, 10, 10, 10, 9]);
    expect(countIn([1, 2], [0, 1, 1.5, 2, 3, -Infinity, Infinity])).toEqual([3, 2, 2]);
  });

  test('a value that most share is a bin of its own; beside a single value there is room for others', () => {
    const { edges, counts } = spreadOf([0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    expect(edges).toEqual([0, 1, 2]);
    expect(counts).toEqual([7, 1, 1, 1]);
    const same = spreadOf([5, 5, 5]);
    expect(same.counts).toEqual([0, 3, 0]);
    expect(countIn(same.edges, Float32Array.of(4.999999, 5, 5, 5.000001, 9))).toEqual([1, 2, 2]);
    expect(spreadOf([])).toEqual({ edges: [], counts: [0] });
  });
});

describe('the stability index', () => {
  test('is that of hand arithmetic', () => {
    // Shares .25, .75 then .75, .25 of two bins (with half a customer each): 2 × .5 × ln 3.
    expect(stabilityIndex([0.5, 2.5], [2.5, 0.5])).toBeCloseTo(Math.log(3), 12);
    expect(stabilityIndex([3, 4, 5], [6.5, 8.5, 10.5])).toBeCloseTo(0, 12);
  });

  test('stays within chance where nothing moved, and tells a shift', () => {
    const then = spreadOf(normals(2000, 1));
    let beyond = 0;
    for (let seed = 2; seed < 202; seed++) {
      const index = stabilityIndex(then.counts, countIn(then.edges, normals(500, seed)));
      if (index > stabilityByChance(10, 2000, 500)) beyond++;
    }
    expect(beyond).toBeLessThanOrEqual(2);
    const shifted = stabilityIndex(then.counts, countIn(then.edges, normals(500, 300, 0.8)));
    expect(shifted).toBeGreaterThan(Math.max(0.25, stabilityByChance(10, 2000, 500)));
  });

  test('tells of a value that nobody had before', () => {
    const then = spreadOf(new Float32Array(2000));
    const index = (some: number) =>
      stabilityIndex(
        then.counts,
        countIn(
          then.edges,
          Float32Array.from({ length: 1000 }, (_, i) => (i < some ? 1 : 0)),
        ),
      );
    expect(index(0)).toBeLessThan(stabilityByChance(3, 2000, 1000));
    expect(index(300)).toBeGreaterThan(0.25);
  });

  test('chance is bounded by the quantile of χ²', () => {
    // χ² of 9 degrees of freedom, .999: 27.877 (tables).
    expect(stabilityByChance(10, 1000, 1000) / (2 / 1000)).toBeCloseTo(27.877, 0);
  });
});

test('the calibration statistic is standard normal where probabilities are right, and large where they are not', () => {
  const rng = createRng('calibration', 1);
  const n = 4000;
  const probabilities = Float64Array.from({ length: n }, () => 0.05 + 0.9 * rng.next());
  const right = Uint8Array.from(probabilities, (p) => (rng.next() < p ? 1 : 0));
  const bold = Uint8Array.from(probabilities, (p) => (rng.next() < 0.5 + 0.7 * (p - 0.5) ? 1 : 0));
  expect(Math.abs(calibrationZ(probabilities, right))).toBeLessThan(3);
  expect(calibrationZ(probabilities, bold)).toBeGreaterThan(5);
  // By hand: y = 1, p = .2: (.8 × .6) / √(.36 × .16).
  expect(calibrationZ([0.2], [1])).toBeCloseTo(2, 12);
  expect(calibrationZ([0.5], [1])).toBe(0);
});
