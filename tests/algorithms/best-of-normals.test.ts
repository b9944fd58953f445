import { expect, test } from 'vitest';
import { bestOfNormals } from '../../src/algorithms/best-of-normals.ts';
import { logNormalCdf, normalCdf } from '../../src/algorithms/normal-distribution.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('the normal distribution function is that of the tables, far out too', () => {
  expect(normalCdf(0)).toBeCloseTo(0.5, 7);
  expect(normalCdf(1.959963985)).toBeCloseTo(0.975, 6);
  expect(normalCdf(-1.2815515655)).toBeCloseTo(0.1, 6);
  // Φ(−10), R's pnorm.
  expect(normalCdf(-10) / 7.61985302416e-24).toBeCloseTo(1, 6);
});

test('the table of its logarithm agrees, and goes on where it ends', () => {
  for (let z = -12; z < 9; z += 0.0371)
    expect(Math.abs(logNormalCdf(z) - Math.log(normalCdf(z)))).toBeLessThan(2e-5);
  expect(logNormalCdf(40)).toBe(0);
  expect(logNormalCdf(-200)).toBeCloseTo(-20006.2174, 2);
});

test('one value beats the floor with the probability that it lies above', () => {
  expect(bestOfNormals([1], [2], 0)[0]).toBeCloseTo(normalCdf(0.5), 4);
  expect(bestOfNormals([-3], [1.5], 0)[0]).toBeCloseTo(normalCdf(-2), 4);
});

test('of two values far above the floor, each is the larger with the probability of their difference', () => {
  const [a = 0, b = 0] = bestOfNormals([100, 101], [1, 0.5], 0);
  expect(a).toBeCloseTo(normalCdf(-1 / Math.hypot(1, 0.5)), 3);
  expect(a + b).toBeCloseTo(1, 9);
});

test('a certain value is a floor for the others, and the first of equals', () => {
  const probabilities = bestOfNormals([2, 3, 3, 2.5], [0, 0, 0, 1], 0);
  expect([...probabilities.slice(0, 3)]).toEqual([0, expect.closeTo(normalCdf(0.5), 4), 0]);
  expect(probabilities[3]).toBeCloseTo(1 - normalCdf(0.5), 4);
  expect([...bestOfNormals([-1, 0], [0, 0], 0)]).toEqual([0, 0]);
});

test('what is missing to 1 is the probability that none is above the floor', () => {
  const means = [-1, 0.5, 0.2];
  const deviations = [1, 0.1, 2];
  const none = means.reduce((all, mean, i) => all * normalCdf(-mean / deviations[i]!), 1);
  const sum = bestOfNormals(means, deviations, 0).reduce((all, p) => all + p, 0);
  expect(sum).toBeCloseTo(1 - none, 4);
});

test('agrees with drawing, for wide and narrow values mixed', () => {
  const rng = createRng('best-of-normals');
  const means = [40, 55, -20, 60, 10, 58, 0.5];
  const deviations = [40, 0.5, 60, 12, 10, 3, 200];
  const draws = 400_000;
  const wins = new Float64Array(means.length);
  for (let d = 0; d < draws; d++) {
    let best = -1;
    let most = 0;
    for (let i = 0; i < means.length; i++) {
      const value = means[i]! + deviations[i]! * rng.normal();
      if (value > most) [best, most] = [i, value];
    }
    if (best >= 0) wins[best]!++;
  }
  const probabilities = bestOfNormals(means, deviations, 0);
  // Four standard errors of a share are 0.003 at most.
  for (let i = 0; i < means.length; i++)
    expect(Math.abs(probabilities[i]! - wins[i]! / draws)).toBeLessThan(0.004);
});
