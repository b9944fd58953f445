import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsrMatrix, csrFromTriplets, transpose } from '../../src/algorithms/csr.ts';

function dense(matrix: CsrMatrix): number[][] {
  const rows = Array.from({ length: matrix.rows }, () => new Array<number>(matrix.cols).fill(0));
  for (let r = 0; r < matrix.rows; r++)
    for (let p = matrix.indptr[r]!; p < matrix.indptr[r + 1]!; p++)
      rows[r]![matrix.indices[p]!]! += matrix.data[p]!;
  return rows;
}

const cells = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })).chain(([rows, cols]) =>
  fc.record({
    rows: fc.constant(rows),
    cols: fc.constant(cols),
    cells: fc.array(fc.tuple(fc.nat(rows - 1), fc.nat(cols - 1), fc.integer({ min: 1, max: 9 })), {
      maxLength: 40,
    }),
  }),
);
type Cells = { rows: number; cols: number; cells: [number, number, number][] };
const matrixOf = ({ rows, cols, cells }: Cells) =>
  csrFromTriplets(rows, cols, {
    row: cells.map(([r]) => r),
    col: cells.map(([, c]) => c),
    value: cells.map(([, , v]) => v),
  });

test('a matrix holds the sum of the triplets of each cell, columns ascending and unique within a row', () => {
  fc.assert(
    fc.property(cells, (given) => {
      const matrix = matrixOf(given);
      const expected = Array.from({ length: given.rows }, () => new Array<number>(given.cols).fill(0));
      for (const [r, c, v] of given.cells) expected[r]![c]! += v;
      expect(dense(matrix)).toEqual(expected);
      for (let r = 0; r < matrix.rows; r++) {
        const columns = [...matrix.indices.subarray(matrix.indptr[r]!, matrix.indptr[r + 1]!)];
        expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
      }
    }),
  );
});

test('the transpose has rows and columns exchanged, and twice is the same again', () => {
  fc.assert(
    fc.property(cells, (given) => {
      const matrix = matrixOf(given);
      const rows = dense(matrix);
      const turned = transpose(matrix);
      expect(dense(turned)).toEqual(Array.from({ length: given.cols }, (_, c) => rows.map((row) => row[c]!)));
      expect(transpose(turned)).toEqual(matrix);
    }),
  );
});

test('a triplet outside the shape is refused', () => {
  expect(() => csrFromTriplets(2, 2, { row: [2], col: [0], value: [1] })).toThrow(RangeError);
  expect(() => csrFromTriplets(2, 2, { row: [0], col: [-1], value: [1] })).toThrow(RangeError);
  expect(() => csrFromTriplets(2, 2, { row: [0], col: [], value: [1] })).toThrow(RangeError);
});
