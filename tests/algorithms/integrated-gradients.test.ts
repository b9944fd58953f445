import { expect, test } from 'vitest';
import { integratedGradients } from '../../src/algorithms/integrated-gradients.ts';
import { type DenseLayer, mlpLogit } from '../../src/algorithms/mlp.ts';
import { createRng } from '../../src/algorithms/rng.ts';

function drawNetwork(widths: readonly number[], seed: number): DenseLayer[] {
  const rng = createRng(seed, 'network');
  return widths.slice(1).map((outputs, l) => {
    const inputs = widths[l]!;
    return {
      inputs,
      outputs,
      weights: Float32Array.from({ length: inputs * outputs }, () => rng.normal()),
      bias: Float32Array.from({ length: outputs }, () => rng.normal()),
    };
  });
}

test('contributions add up to what the network says beside the origin, for any network and point', () => {
  for (const widths of [
    [5, 1],
    [5, 8, 1],
    [6, 16, 8, 1],
    [3, 7, 7, 7, 1],
  ]) {
    for (let seed = 0; seed < 40; seed++) {
      const layers = drawNetwork(widths, seed);
      const rng = createRng(seed, 'point');
      const x = Float32Array.from({ length: widths[0]! }, () => 2 * rng.normal());
      const parts = new Float64Array(x.length);
      integratedGradients(layers, x, parts);
      const sum = parts.reduce((total, part) => total + part, 0);
      expect(sum).toBeCloseTo(mlpLogit(layers, x) - mlpLogit(layers, new Float32Array(x.length)), 3);
    }
  }
});

test('each input gets its own integral, as small steps give it', () => {
  const layers = drawNetwork([4, 6, 5, 1], 3);
  const x = Float32Array.of(1.5, -2, 0.5, 1);
  const parts = new Float64Array(4);
  integratedGradients(layers, x, parts);
  // The midpoint rule over 20,000 steps, each gradient by the difference of two forward passes.
  const steps = 20_000;
  const expected = new Float64Array(4);
  const forward = (point: number[]) => {
    let activations = point;
    for (const [l, { inputs, outputs, weights, bias }] of layers.entries()) {
      const next = [...bias] as number[];
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++) next[o]! += activations[i]! * weights[i * outputs + o]!;
      activations = l < layers.length - 1 ? next.map((value) => Math.max(0, value)) : next;
    }
    return activations[0]!;
  };
  for (let step = 0; step < steps; step++) {
    const t = (step + 0.5) / steps;
    for (let j = 0; j < 4; j++) {
      const shifted = (by: number) => forward([...x].map((value, i) => t * value + (i === j ? by : 0)));
      expected[j]! += (x[j]! * (shifted(1e-6) - shifted(-1e-6))) / 2e-6 / steps;
    }
  }
  for (let j = 0; j < 4; j++) expect(parts[j]).toBeCloseTo(expected[j]!, 2);
});

test('an input of 0 gets nothing, a linear network weight times input, and what was there stays', () => {
  const layers = [{ inputs: 2, outputs: 1, weights: Float32Array.of(2, -3), bias: Float32Array.of(1) }];
  const parts = Float64Array.of(10, 10);
  integratedGradients(layers, Float32Array.of(0, 4), parts);
  expect([...parts]).toEqual([10, 10 - 3 * 4]);
});

test('units without bias have their kink at the origin: they are taken as they are just behind it', () => {
  const layers = [
    { inputs: 1, outputs: 2, weights: Float32Array.of(1, -1), bias: Float32Array.of(0, 0) },
    { inputs: 2, outputs: 1, weights: Float32Array.of(5, 7), bias: Float32Array.of(0) },
  ];
  for (const [x, expected] of [
    [2, 10],
    [-2, 14],
  ] as const) {
    const parts = new Float64Array(1);
    integratedGradients(layers, Float32Array.of(x), parts);
    expect(parts[0]).toBeCloseTo(expected, 9);
  }
});
