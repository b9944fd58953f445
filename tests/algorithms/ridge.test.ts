import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { solveRidge } from '../../src/algorithms/ridge.ts';

test('one input, one column: Σwxy / (Σwx² + λ)', () => {
  const x = csrFromTriplets(3, 1, { row: [0, 1, 2], col: [0, 0, 0], value: [1, 2, 3] });
  const { weights } = solveRidge({
    x,
    target: Float64Array.of(2, 3, 1),
    weight: Float64Array.of(1, 1, 0.5),
    columns: 1,
    ridge: 2,
  });
  // (1·2 + 2·3 + 0.5·3·1) / (1 + 4 + 0.5·9 + 2) = 9.5 / 11.5.
  expect(weights[0]).toBeCloseTo(9.5 / 11.5, 12);
});

test('solves the normal equations of every shape, a column of zeros and an input that is never seen included', () => {
  const value = fc.integer({ min: -4, max: 4 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(value, { minLength: 80, maxLength: 80 }),
      fc.boolean(),
      (rows, inputs, columns, numbers, warm) => {
        const dense = (r: number, i: number) => (i === inputs - 1 && inputs > 1 ? 0 : numbers[r * 6 + i]!);
        const triplets = { row: [] as number[], col: [] as number[], value: [] as number[] };
        for (let r = 0; r < rows; r++) {
          for (let i = 0; i < inputs; i++) {
            triplets.row.push(r);
            triplets.col.push(i);
            triplets.value.push(dense(r, i));
          }
        }
        const target = Float64Array.from({ length: rows * columns }, (_, k) =>
          k % columns === 0 ? 0 : numbers[k]!,
        );
        const weight = Float64Array.from({ length: rows }, (_, r) => Math.abs(numbers[79 - r]!) / 4);
        const ridge = 0.5;
        const start = warm
          ? Float64Array.from({ length: inputs * columns }, (_, k) => numbers[k]!)
          : undefined;
        const x = csrFromTriplets(rows, inputs, triplets);
        const { weights } = solveRidge({ x, target, weight, columns, ridge, start });
        for (let i = 0; i < inputs; i++) {
          for (let c = 0; c < columns; c++) {
            // Gradient: Σ w x (Bᵀx − y) + λB = 0.
            let gradient = ridge * weights[i * columns + c]!;
            for (let r = 0; r < rows; r++) {
              let guess = 0;
              for (let j = 0; j < inputs; j++) guess += dense(r, j) * weights[j * columns + c]!;
              gradient += weight[r]! * dense(r, i) * (guess - target[r * columns + c]!);
            }
            expect(Math.abs(gradient)).toBeLessThan(0.05);
          }
        }
      },
    ),
  );
});
