/**
 * Sparse matrix in compressed rows: the entries of row r are `indices[p]` (column) and `data[p]` (value) for p from
 * `indptr[r]` up to `indptr[r + 1]`, columns ascending and unique within a row. Interactions are users × items, and
 * `data` is confidence − 1: the weight of the cell above that of a cell where nothing was seen.
 */
export type CsrMatrix = {
  rows: number;
  cols: number;
  /** rows + 1 offsets. */
  indptr: Int32Array;
  indices: Int32Array;
  data: Float32Array;
};

/**
 * Builds a matrix from (row, column, value) triplets in any order; values of the same cell are summed. RangeError for an index
 * outside the shape.
 */
export function csrFromTriplets(
  rows: number,
  cols: number,
  triplets: { row: ArrayLike<number>; col: ArrayLike<number>; value: ArrayLike<number> },
): CsrMatrix {
  const { row, col, value } = triplets;
  const count = row.length;
  if (col.length !== count || value.length !== count)
    throw new RangeError('triplets must be of equal lengths');
  const indptr = new Int32Array(rows + 1);
  for (let t = 0; t < count; t++) {
    const r = row[t]!;
    const c = col[t]!;
    if (!(r >= 0 && r < rows && c >= 0 && c < cols))
      throw new RangeError(`triplet ${t} (${r}, ${c}) is outside ${rows} × ${cols}`);
    indptr[r + 1]!++;
  }
  for (let r = 0; r < rows; r++) indptr[r + 1]! += indptr[r]!;
  const indices = new Int32Array(count);
  const data = new Float32Array(count);
  const next = indptr.slice(0, rows);
  for (let t = 0; t < count; t++) {
    const p = next[row[t]!]!++;
    indices[p] = col[t]!;
    data[p] = value[t]!;
  }
  // Transposing twice sorts the columns of every row in linear time; sums of equal cells follow.
  return mergeEqualCells(transpose(transpose({ rows, cols, indptr, indices, data })));
}

/** The transposed matrix; rows of the result are sorted, whatever the order of columns in `matrix`. */
export function transpose(matrix: CsrMatrix): CsrMatrix {
  const { rows, cols } = matrix;
  const indptr = new Int32Array(cols + 1);
  for (let p = 0; p < matrix.indices.length; p++) indptr[matrix.indices[p]! + 1]!++;
  for (let c = 0; c < cols; c++) indptr[c + 1]! += indptr[c]!;
  const indices = new Int32Array(matrix.indices.length);
  const data = new Float32Array(matrix.indices.length);
  const next = indptr.slice(0, cols);
  for (let r = 0; r < rows; r++) {
    for (let p = matrix.indptr[r]!; p < matrix.indptr[r + 1]!; p++) {
      const q = next[matrix.indices[p]!]!++;
      indices[q] = r;
      data[q] = matrix.data[p]!;
    }
  }
  return { rows: cols, cols: rows, indptr, indices, data };
}

/** Sums neighbouring entries of the same cell, in place. */
function mergeEqualCells(matrix: CsrMatrix): CsrMatrix {
  const { rows, cols, indptr, indices, data } = matrix;
  let end = 0;
  for (let r = 0; r < rows; r++) {
    const first = indptr[r]!;
    const last = indptr[r + 1]!;
    const start = end;
    indptr[r] = start;
    for (let p = first; p < last; p++) {
      if (end > start && indices[end - 1] === indices[p]) data[end - 1]! += data[p]!;
      else {
        indices[end] = indices[p]!;
        data[end] = data[p]!;
        end++;
      }
    }
  }
  indptr[rows] = end;
  return { rows, cols, indptr, indices: indices.slice(0, end), data: data.slice(0, end) };
}
