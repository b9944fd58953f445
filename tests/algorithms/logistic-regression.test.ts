import { expect, test } from 'vitest';
import { fitLogistic, logisticLogit, logit, sigmoid } from '../../src/algorithms/logistic-regression.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('it finds the weights that labels were drawn by', () => {
  const rng = createRng(1, 'logistic');
  const rows = 20_000;
  const inputs = Float64Array.from({ length: 2 * rows }, () => rng.normal());
  const labels = Array.from({ length: rows }, (_, row) =>
    rng.chance(sigmoid(1.5 * inputs[2 * row]! - inputs[2 * row + 1]! + 0.5)) ? 1 : 0,
  );
  const fitted = fitLogistic(inputs, 2, labels, 0);
  expect(fitted.weights[0]).toBeCloseTo(1.5, 1);
  expect(fitted.weights[1]).toBeCloseTo(-1, 1);
  expect(fitted.intercept).toBeCloseTo(0.5, 1);
  expect(logisticLogit(fitted, Float64Array.of(9, 2, 3), 1)).toBeCloseTo(
    fitted.intercept + 2 * fitted.weights[0]! + 3 * fitted.weights[1]!,
    12,
  );
});

test('a ridge keeps weights finite where a line parts the labels, and leaves the base rate alone', () => {
  const fitted = fitLogistic(Float64Array.of(-1, -1, -1, 1), 1, [0, 0, 0, 1], 0.1);
  expect(fitted.weights[0]).toBeGreaterThan(0);
  expect(fitted.weights[0]).toBeLessThan(10);
  const blind = fitLogistic(Float64Array.of(0, 0, 0, 0), 1, [0, 0, 0, 1], 0.1);
  expect(blind.weights[0]).toBe(0);
  expect(sigmoid(blind.intercept)).toBeCloseTo(1 / 4, 5);
});

test('as many inputs as labels ask for, or an error', () => {
  expect(() => fitLogistic(Float64Array.of(1, 2, 3), 2, [1], 0)).toThrow(RangeError);
  expect(() => fitLogistic(Float64Array.of(), 2, [], 0)).toThrow(RangeError);
});

test('sigmoid and logit are each other’s inverse, far out too', () => {
  for (const z of [-30, -1, 0, 2]) expect(logit(sigmoid(z))).toBeCloseTo(z, 6);
  expect(sigmoid(-800)).toBe(0);
});
