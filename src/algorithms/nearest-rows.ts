/** The rows of a sparse matrix that are nearest to a sparse query, through an inverted index. */
import type { CsrMatrix } from './csr.ts';

/** Finds neighbours; owns its scratch memory (8 bytes a row), so one call at a time. */
export type NearestRows = {
  /**
   * Fills `rows` and `similarities` with the (at most `k`) rows of the highest similarity > 0, in no order, ties by lower row;
   * answers how many. `skip` is a row to leave out (the query itself), −1 for none.
   */
  find(
    query: { indices: Int32Array; data: Float32Array; from: number; to: number },
    k: number,
    skip: number,
    rows: Int32Array,
    similarities: Float32Array,
  ): number;
};

/**
 * Similarity of a query q and a row r: Σ qᵢ rᵢ · `scale[r]`, so that a scale of 1 / |r| ranks by cosine; without a scale, the
 * plain product. `byItem` is the matrix transposed: items × rows. Only rows that share an item with the query are touched: the
 * cost is that of the index's lists for the query's items. Values must be positive.
 */
export function createNearestRows(byItem: CsrMatrix, scale?: Float32Array): NearestRows {
  const dots = new Float32Array(byItem.cols);
  const touched = new Int32Array(byItem.cols);
  return {
    find(query, k, skip, rows, similarities) {
      let found = 0;
      for (let q = query.from; q < query.to; q++) {
        const value = query.data[q]!;
        const i = query.indices[q]!;
        const to = byItem.indptr[i + 1]!;
        for (let p = byItem.indptr[i]!; p < to; p++) {
          const r = byItem.indices[p]!;
          if (dots[r] === 0) touched[found++] = r;
          dots[r]! += value * byItem.data[p]!;
        }
      }
      let size = 0;
      const isWorse = (a: number, b: number) =>
        similarities[a]! < similarities[b]! || (similarities[a] === similarities[b] && rows[a]! > rows[b]!);
      const swap = (a: number, b: number) => {
        const row = rows[a]!;
        const similarity = similarities[a]!;
        rows[a] = rows[b]!;
        similarities[a] = similarities[b]!;
        rows[b] = row;
        similarities[b] = similarity;
      };
      const sink = (from: number) => {
        let at = from;
        for (;;) {
          let worst = at;
          const left = 2 * at + 1;
          if (left < size && isWorse(left, worst)) worst = left;
          if (left + 1 < size && isWorse(left + 1, worst)) worst = left + 1;
          if (worst === at) return;
          swap(at, worst);
          at = worst;
        }
      };
      for (let t = 0; t < found; t++) {
        const r = touched[t]!;
        const similarity = scale === undefined ? dots[r]! : dots[r]! * scale[r]!;
        dots[r] = 0;
        if (r === skip || !(similarity > 0)) continue;
        if (size < k) {
          rows[size] = r;
          similarities[size++] = similarity;
          if (size === k) for (let at = (size >> 1) - 1; at >= 0; at--) sink(at);
        } else if (similarity > similarities[0]! || (similarity === similarities[0] && r < rows[0]!)) {
          rows[0] = r;
          similarities[0] = similarity;
          sink(0);
        }
      }
      return size;
    },
  };
}

/** Euclidean length of each row. */
export function rowNorms({ rows, indptr, data }: CsrMatrix): Float32Array {
  const norms = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let p = indptr[r]!; p < indptr[r + 1]!; p++) squares += data[p]! ** 2;
    norms[r] = Math.sqrt(squares);
  }
  return norms;
}
