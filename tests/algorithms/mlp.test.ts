import { expect, test } from 'vitest';
import { mlpLogit } from '../../src/algorithms/mlp.ts';

const hidden = {
  inputs: 2,
  outputs: 2,
  weights: Float32Array.of(1, -1, 2, 0.5),
  bias: Float32Array.of(0.5, 0),
};
const output = { inputs: 2, outputs: 1, weights: Float32Array.of(3, 4), bias: Float32Array.of(-1) };

test('hidden layers are rectified, the last one is not', () => {
  // Input (1, 2): hidden (1·1 + 2·2 + 0.5, 1·−1 + 2·0.5) = (5.5, 0); logit 3·5.5 + 4·0 − 1.
  expect(mlpLogit([hidden, output], Float32Array.of(1, 2))).toBe(3 * 5.5 + 4 * 0 - 1);
  // Input (1, 0): hidden (1.5, −1 → 0); input (−2, 0): hidden (−1.5 → 0, 2).
  expect(mlpLogit([hidden, output], Float32Array.of(1, 0))).toBe(3 * 1.5 - 1);
  expect(mlpLogit([hidden, output], Float32Array.of(-2, 0))).toBe(4 * 2 - 1);
  expect(mlpLogit([output], Float32Array.of(-1, -1))).toBe(-3 - 4 - 1);
});

test('layers that do not fit are refused', () => {
  expect(() => mlpLogit([hidden, output], Float32Array.of(1))).toThrow('layer 0 takes 2 inputs, not 1');
  expect(() => mlpLogit([hidden], Float32Array.of(1, 2))).toThrow('one output');
  expect(() => mlpLogit([], Float32Array.of(1))).toThrow('one output');
});
