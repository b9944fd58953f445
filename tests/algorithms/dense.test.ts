import { expect, test } from 'vitest';
import { addGram, gramOf, multiplyRows, solveCholesky } from '../../src/algorithms/dense.ts';
import { createRng } from '../../src/algorithms/rng.ts';

const random = (length: number, seed: number) => {
  const rng = createRng(seed);
  return Float64Array.from({ length }, () => rng.normal());
};

function gramByDefinition(rows: ArrayLike<number>, size: number): number[][] {
  const count = rows.length / size;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => {
      let sum = 0;
      for (let r = 0; r < count; r++) sum += rows[r * size + i]! * rows[r * size + j]!;
      return sum;
    }),
  );
}

test.each([
  [1, 4],
  [7, 8],
  [64, 12],
])('addGram adds PᵀP of %i rows of %i in the lower half', (count, size) => {
  const rows = random(count * size, 1);
  const out = new Float64Array(size * size).fill(1);
  addGram(rows, count, size, out);
  const expected = gramByDefinition(rows, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) expect(out[i * size + j]).toBeCloseTo(1 + expected[i]![j]!, 10);
});

test.each([1, 4, 7])('gramOf sums over more rows than a block holds, size %i', (size) => {
  const factors = Float32Array.from(random(600 * size, 2));
  const gram = gramOf(factors, size);
  const expected = gramByDefinition(factors, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) expect(gram[i * size + j]).toBeCloseTo(expected[i]![j]!, 8);
});

test.each([2, 4, 6, 32])('solveCholesky finds the x with Ax = b, size %i', (size) => {
  const rows = random(2 * size * size, 3);
  const a = Float64Array.from(gramByDefinition(rows, size).flat());
  const x = random(size, 4);
  const b = Float64Array.from(x, (_, i) => x.reduce((sum, value, j) => sum + a[i * size + j]! * value, 0));
  // The upper half must not matter.
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) a[i * size + j] = Number.NaN;
  solveCholesky(a, b, size);
  for (let i = 0; i < size; i++) expect(b[i]).toBeCloseTo(x[i]!, 6);
});

test('solveCholesky refuses a matrix that is not positive definite', () => {
  expect(() => solveCholesky(Float64Array.of(1, 0, 2, 1), Float64Array.of(1, 1), 2)).toThrow(RangeError);
});

test('multiplyRows gives the dot product of every row', () => {
  const out = new Float32Array(2);
  multiplyRows(Float32Array.of(1, 2, 3, 4, 0, -1, 0, 1), Float32Array.of(1, 10, 100, 1000), out);
  // 1·1 + 2·10 + 3·100 + 4·1000; −1·10 + 1·1000
  expect([...out]).toEqual([4321, 990]);
});
