import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrFromTriplets, transpose } from '../../src/algorithms/csr.ts';
import { createNearestRows, rowNorms } from '../../src/algorithms/nearest-rows.ts';

function matrixOf(rows: readonly (readonly number[])[], cols: number) {
  const cells = rows.flatMap((row, r) =>
    row.map((value, c) => [r, c, value] as const).filter(([, , v]) => v > 0),
  );
  return csrFromTriplets(rows.length, cols, {
    row: cells.map(([r]) => r),
    col: cells.map(([, c]) => c),
    value: cells.map(([, , value]) => value),
  });
}

test('the nearest by cosine, without the row itself, and never a row that shares nothing', () => {
  const matrix = matrixOf(
    [
      [1, 1, 0],
      [3, 3, 0],
      [1, 0, 0],
      [0, 0, 1],
    ],
    3,
  );
  const nearest = createNearestRows(
    transpose(matrix),
    rowNorms(matrix).map((norm) => 1 / norm),
  );
  const rows = new Int32Array(4);
  const similarities = new Float32Array(4);
  const query = { indices: matrix.indices, data: matrix.data, from: 0, to: 2 };
  expect(nearest.find(query, 1, 0, rows, similarities)).toBe(1);
  expect(rows[0]).toBe(1);
  // Not divided by the query's own length, √2.
  expect(similarities[0]).toBeCloseTo((1 * 3 + 1 * 3) / Math.sqrt(9 + 9), 6);
  expect(nearest.find(query, 4, 0, rows, similarities)).toBe(2);
  expect(new Set(rows.subarray(0, 2))).toEqual(new Set([1, 2]));
});

test('finds the same rows as scoring every row, call after call', () => {
  const cols = 5;
  const row = fc.array(fc.nat(3), { minLength: cols, maxLength: cols });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 25 }),
      (rows, k) => {
        const matrix = matrixOf(rows, cols);
        const nearest = createNearestRows(transpose(matrix));
        const found = new Int32Array(k);
        const similarities = new Float32Array(k);
        for (let q = 0; q < rows.length; q++) {
          const query = {
            indices: matrix.indices,
            data: matrix.data,
            from: matrix.indptr[q]!,
            to: matrix.indptr[q + 1]!,
          };
          const size = nearest.find(query, k, q, found, similarities);
          const dots = rows.map((other, r) =>
            r === q ? 0 : other.reduce((sum, value, c) => sum + value * rows[q]![c]!, 0),
          );
          const expected = [...dots.keys()]
            .filter((r) => dots[r]! > 0)
            .sort((a, b) => dots[b]! - dots[a]! || a - b)
            .slice(0, k);
          expect([...found.subarray(0, size)].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
          for (let n = 0; n < size; n++) expect(similarities[n]).toBe(dots[found[n]!]);
        }
      },
    ),
  );
});
