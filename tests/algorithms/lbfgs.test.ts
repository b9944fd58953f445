import { expect, test } from 'vitest';
import { minimize } from '../../src/algorithms/lbfgs.ts';

test('finds the bottom of a narrow valley (Rosenbrock: 0 at (1, 1))', () => {
  const { x, value } = minimize(
    ([a = 0, b = 0], gradient) => {
      gradient[0] = -2 * (1 - a) - 400 * a * (b - a * a);
      gradient[1] = 200 * (b - a * a);
      return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
    },
    Float64Array.of(-1.2, 1),
    { iterationsMax: 200, tolerance: 1e-8 },
  );
  expect(value).toBeLessThan(1e-10);
  expect(x[0]).toBeCloseTo(1, 5);
  expect(x[1]).toBeCloseTo(1, 5);
});

test('solves a quadratic, Σ k·(x_k − k)² / 2, and leaves the start as it is', () => {
  const start = new Float64Array(6);
  const { x } = minimize(
    (point, gradient) => {
      let sum = 0;
      for (let k = 0; k < 6; k++) {
        gradient[k] = (k + 1) * (point[k]! - k);
        sum += ((k + 1) * (point[k]! - k) ** 2) / 2;
      }
      return sum;
    },
    start,
    { tolerance: 1e-9 },
  );
  for (let k = 0; k < 6; k++) expect(x[k]).toBeCloseTo(k, 6);
  expect([...start]).toEqual([0, 0, 0, 0, 0, 0]);
});

test('stays where there is nothing to gain', () => {
  const { x, iterations } = minimize((_, gradient) => {
    gradient.fill(0);
    return 3;
  }, Float64Array.of(5));
  expect([x[0], iterations]).toEqual([5, 0]);
});
