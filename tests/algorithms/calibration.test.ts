import { expect, test } from 'vitest';
import { fitPlatt } from '../../src/algorithms/calibration.ts';
import { sigmoid } from '../../src/algorithms/logistic-regression.ts';
import { createRng } from '../../src/algorithms/rng.ts';

test('Platt finds the line that labels were drawn by', () => {
  const rng = createRng(1, 'platt');
  const logits = Float64Array.from({ length: 20_000 }, () => 2 * rng.normal());
  const labels = Uint8Array.from(logits, (z) => (rng.chance(sigmoid(0.7 * z - 0.4)) ? 1 : 0));
  const { slope, intercept } = fitPlatt(logits, labels);
  expect(slope).toBeCloseTo(0.7, 1);
  expect(intercept).toBeCloseTo(-0.4, 1);
});

test('Platt stays finite where logits tell the classes apart, and flat where they say the contrary', () => {
  const apart = fitPlatt(Float64Array.of(-2, -1, 1, 2), [0, 0, 1, 1]);
  expect(apart.slope).toBeGreaterThan(0);
  expect(apart.slope).toBeLessThan(10);
  const contrary = fitPlatt(Float64Array.of(-2, -1, 1, 2), [1, 1, 0, 0]);
  expect(contrary).toEqual({ slope: 0, intercept: 0 });
});
