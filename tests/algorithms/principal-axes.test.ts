import fc from 'fast-check';
import { expect, test } from 'vitest';
import { principalAxes } from '../../src/algorithms/principal-axes.ts';

test('of [[2, 1], [1, 2]]: 3 along the diagonal, 1 across it', () => {
  const { axes, variance } = principalAxes(Float64Array.of(2, 1, 1, 2), 2);
  expect(variance[0]).toBeCloseTo(3, 12);
  expect(variance[1]).toBeCloseTo(1, 12);
  expect(axes[0]! / axes[1]!).toBeCloseTo(1, 12);
  expect(axes[2]! / axes[3]!).toBeCloseTo(-1, 12);
});

test('Av = λv for any symmetric matrix, and the axes are orthonormal', () => {
  const size = 6;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 36, maxLength: 36 }), (cells) => {
      const a = Float64Array.from(
        cells,
        (_, at) => cells[Math.min(at, (at % size) * size + Math.floor(at / size))]!,
      );
      const { axes, variance } = principalAxes(a, size);
      for (let k = 0; k < size; k++) {
        const v = axes.subarray(k * size, (k + 1) * size);
        for (let i = 0; i < size; i++) {
          const product = v.reduce((sum, x, j) => sum + a[i * size + j]! * x, 0);
          expect(product).toBeCloseTo(variance[k]! * v[i]!, 6);
        }
        for (let l = 0; l <= k; l++) {
          const w = axes.subarray(l * size, (l + 1) * size);
          expect(v.reduce((sum, x, j) => sum + x * w[j]!, 0)).toBeCloseTo(k === l ? 1 : 0, 9);
        }
      }
    }),
    { numRuns: 30 },
  );
});
