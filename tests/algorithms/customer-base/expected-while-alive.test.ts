import { expect, test } from 'vitest';
import { createMomentsWhileAlive } from '../../../src/algorithms/customer-base/expected-while-alive.ts';

/** Fader, Hardie and Lee (2005, eq. 10), with the hypergeometric function as its series. */
function closedForm(a: number, b: number, m: number, n: number, z: number): number {
  const argument = z / (1 + z);
  let [term, sum] = [1, 1];
  for (let k = 0; term > 1e-17 * sum; k++) {
    term *= (((m + k) * (b + n + k)) / ((a + b + n - 1 + k) * (k + 1))) * argument;
    sum += term;
  }
  return ((a + b + n - 1) / (a - 1)) * (1 - (1 + z) ** -m * sum);
}

test.each([
  [0.79, 2.43, 2.24, 2, 0.9],
  [0.79, 2.43, 0.24, 0, 0.9],
  [3, 2, 5.5, 5, 2],
  [0.05, 0.4, 1.2, 1, 0.5],
  [40, 300, 7, 6, 0.7],
  [0.3, 90, 30, 30, 0.1],
])('a = %d, b = %d, m = %d, n = %d, z = %d: as in closed form', (a, b, m, n, z) => {
  const expected = closedForm(a, b, m, n, z);
  expect(Math.abs(createMomentsWhileAlive(a, b).expected(m, n, z) - expected)).toBeLessThan(1e-9 * expected);
});

test('passes through a = 1, where the closed form has no value', () => {
  const at = (a: number) => createMomentsWhileAlive(a, 2).expected(1.5, 1, 0.8);
  expect(at(1)).toBeCloseTo((at(1 - 1e-4) + at(1 + 1e-4)) / 2, 8);
});

test('nobody leaves: rate times time; all leave at the next purchase: the probability of one', () => {
  // p → 0: m z. p → 1: 1 − (1 + z)^−m.
  expect(createMomentsWhileAlive(1e-9, 1).expected(3, 0, 0.5)).toBeCloseTo(3 * 0.5, 7);
  expect(createMomentsWhileAlive(1, 1e-9).expected(3, 0, 0.5)).toBeCloseTo(1 - 1.5 ** -3, 7);
});

test('the square: nobody leaves, then it is that of a gamma-mixed Poisson count; all leave, then 0 or 1', () => {
  // X ~ NBD: E[X²] = m z + m (m + 1) z².
  expect(createMomentsWhileAlive(1e-9, 1).squared(3, 0, 0.5)).toBeCloseTo(1.5 + 12 * 0.25, 7);
  expect(createMomentsWhileAlive(1, 1e-9).squared(3, 0, 0.5)).toBeCloseTo(1 - 1.5 ** -3, 7);
});

test.each([
  [0.8, 2.4, 2.2, 2, 0.9],
  [0.05, 40, 1.2, 1, 3],
  [3, 2, 5.5, 5, 1e-4],
])('a = %d, b = %d, m = %d, n = %d, z = %d: the square is the sum over all counts', (a, b, m, n, z) => {
  // Given p: E[X²] = Σ (2 k − 1) P(X ≥ k), P(X ≥ k) = (1 − p)^(k − 1) P(N ≥ k), N ~ NBD(m, z); then the mean of
  // (1 − p)^(k − 1) over Beta(a, b + n) is a product.
  let [atLeast, term, survives, sum] = [1 - (1 + z) ** -m, (1 + z) ** -m, 1, 0];
  for (let k = 1; k < 400; k++) {
    sum += (2 * k - 1) * survives * atLeast;
    survives *= (b + n + k - 1) / (a + b + n + k - 1);
    term *= ((m + k - 1) / k) * (z / (1 + z));
    atLeast -= term;
  }
  const squared = createMomentsWhileAlive(a, b).squared(m, n, z);
  expect(Math.abs(squared - sum)).toBeLessThan(1e-8 * sum);
});
