/** Rows of alternating least squares, each solved exactly. */
import { factorize, solveFactorized } from './cholesky';
import { addChunkGram, CHUNK, CHUNK_PANEL, gatherWeighted } from './gram';
import { PANEL_ROW } from './tile';

/** Rows that a thread takes from the counter at a time. */
const BLOCK_ROWS: i32 = 16;

/**
 * Solves (G + Σ w·y·yᵀ + λᵣI) xᵣ = Σ w·y for each row r of a sparse matrix (entries `indptr[r]` up to `indptr[r + 1]`
 * of `indices` and `weights`), as one of several threads that take rows from the counter. `gram` is G in panels,
 * `fixed` holds the y (d floats each), `free` receives the x, `ridges` holds λ. A row without entries is zero.
 * `scratch`: `choleskyScratchBytes(d)`. Answers −1, or a row whose system is not positive definite.
 */
export function solveRowsCholesky(
  counter: usize,
  rows: i32,
  indptr: usize,
  indices: usize,
  weights: usize,
  fixed: usize,
  free: usize,
  gram: usize,
  ridges: usize,
  d: i32,
  scratch: usize,
): i32 {
  const rowBytes = (<usize>d) << 2;
  const system = scratch;
  const right = system + <usize>d * rowBytes;
  const inverses = right + rowBytes;
  const chunk = inverses + rowBytes;
  for (
    let first = atomic.add<i32>(counter, BLOCK_ROWS);
    first < rows;
    first = atomic.add<i32>(counter, BLOCK_ROWS)
  ) {
    const last = min(rows, first + BLOCK_ROWS);
    for (let r = first; r < last; r++) {
      const from = load<i32>(indptr + ((<usize>r) << 2));
      const to = load<i32>(indptr + ((<usize>r) << 2), 4);
      const x = free + <usize>r * rowBytes;
      if (from == to) {
        memory.fill(x, 0, rowBytes);
        continue;
      }
      memory.copy(system, gram, <usize>d * rowBytes);
      addRidge(system, d, load<f32>(ridges + ((<usize>r) << 2)));
      memory.fill(right, 0, rowBytes);
      for (let e = from; e < to; e += CHUNK) {
        const count = min(CHUNK, to - e);
        const at = (<usize>e) << 2;
        gatherWeighted(fixed, indices + at, weights + at, count, d, chunk, right);
        addChunkGram(chunk, count, d, system);
      }
      if (!factorize(system, d, inverses)) return r;
      solveFactorized(system, d, inverses, right, x);
    }
  }
  return -1;
}

export function choleskyScratchBytes(d: i32): i32 {
  return d * d * 4 + 2 * d * 4 + (d >> 3) * <i32>CHUNK_PANEL;
}

function addRidge(system: usize, d: i32, ridge: f32): void {
  for (let panel = 0; panel < d; panel += 8) {
    const corner = system + (<usize>(panel >> 3) * <usize>d + <usize>panel) * PANEL_ROW;
    for (let o = corner; o < corner + 8 * PANEL_ROW; o += PANEL_ROW + 4) store<f32>(o, load<f32>(o) + ridge);
  }
}
