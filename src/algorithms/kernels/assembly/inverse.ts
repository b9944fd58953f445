/**
 * Inverse of a symmetric positive definite matrix, in place, by a block sweep (Gauss–Jordan without exchanges, which
 * such matrices do not need): n³ / 2 multiply-adds, all but a sliver of them in independent 64 × 64 blocks.
 *
 * For each block k of 64, with W = A[k][·] and D = A[k][k]⁻¹: R = D·W; every other block A[i][j] −= W[i]ᵀ·R[j];
 * A[k][·] = R, A[k][k] = −D. After the last block A holds −A⁻¹. Only the upper half is kept up; W and R lie in panels
 * (all of W, then all of R, then D). Each step's four parts run one after the other, each on all threads.
 */
import { factorize, solveFactorized } from './cholesky';
import { panelOffset } from './gram';
import { dot } from './simd';
import { addTile, PANEL_ROW, subtractTile } from './tile';

/** Width of a block; n is a multiple of it. */
const WIDTH: i32 = 64;
/** Bytes of a panel of 8 columns and 64 rows, and of a block's eight panels. */
const PANEL: usize = <usize>WIDTH * PANEL_ROW;
const BLOCK: usize = 8 * PANEL;

/** Bytes that the sweep of an n × n matrix needs beside it. */
export function inverseScratchBytes(n: i32): i32 {
  return 2 * (n >> 6) * <i32>BLOCK + 2 * <i32>BLOCK + 3 * WIDTH * 4;
}

/** D = A[k][k]⁻¹ into the scratch, on one thread. Answers false when the matrix is not positive definite. */
export function inverseDiagonal(a: usize, n: i32, k: i32, scratch: usize): bool {
  const inverse = scratch + 2 * <usize>(n >> 6) * BLOCK;
  const factor = inverse + BLOCK;
  const reciprocals = factor + BLOCK;
  const unit = reciprocals + ((<usize>WIDTH) << 2);
  const column = unit + ((<usize>WIDTH) << 2);
  const corner = elementOf(a, n, k * WIDTH, k * WIDTH);
  for (let i = 0; i < WIDTH; i++)
    for (let j = i; j < WIDTH; j++)
      store<f32>(factor + panelOffset(i, j, WIDTH), load<f32>(elementOf(corner, n, i, j)));
  if (!factorize(factor, WIDTH, reciprocals)) return false;
  for (let j = 0; j < WIDTH; j++) {
    memory.fill(unit, 0, (<usize>WIDTH) << 2);
    store<f32>(unit + ((<usize>j) << 2), 1);
    solveFactorized(factor, WIDTH, reciprocals, unit, column);
    for (let i = 0; i < WIDTH; i++)
      store<f32>(inverse + panelOffset(i, j, WIDTH), load<f32>(column + ((<usize>i) << 2)));
  }
  return true;
}

/** W and R = D·W of the columns of blocks from the counter. */
export function inversePrepare(counter: usize, a: usize, n: i32, k: i32, scratch: usize): void {
  const blocks = n >> 6;
  const inverse = scratch + 2 * <usize>blocks * BLOCK;
  for (;;) {
    const j = atomic.add<i32>(counter, 1);
    if (j >= blocks) return;
    const w = scratch + <usize>j * BLOCK;
    const r = scratch + <usize>(blocks + j) * BLOCK;
    if (j < k) readTransposed(elementOf(a, n, j * WIDTH, k * WIDTH), n, w);
    else if (j > k) readBlock(elementOf(a, n, k * WIDTH, j * WIDTH), n, w);
    else memory.fill(w, 0, BLOCK); // so that the update leaves the swept row alone
    memory.fill(r, 0, BLOCK);
    for (let panel: usize = 0; panel < BLOCK; panel += PANEL)
      for (let i = 0; i < WIDTH; i += 4)
        // D is symmetric: its columns are its rows.
        addTile(leftOperand(inverse, i), w + panel, WIDTH, r + panel + <usize>i * PANEL_ROW, PANEL_ROW);
  }
}

/** A[i][j] −= W[i]ᵀ·R[j] for the rows of blocks from the counter. */
export function inverseUpdate(counter: usize, a: usize, n: i32, k: i32, scratch: usize): void {
  const blocks = n >> 6;
  const rowBytes = (<usize>n) << 2;
  for (;;) {
    const i = atomic.add<i32>(counter, 1);
    if (i >= blocks) return;
    if (i == k) continue;
    const w = scratch + <usize>i * BLOCK;
    for (let j = i; j < blocks; j++) {
      if (j == k) continue;
      const r = scratch + <usize>(blocks + j) * BLOCK;
      const corner = elementOf(a, n, i * WIDTH, j * WIDTH);
      for (let panel = 0; panel < 8; panel++) {
        const top = corner + <usize>panel * PANEL_ROW;
        // On the diagonal, tiles below it are left out.
        const end = i == j ? (panel + 1) * 8 : WIDTH;
        for (let q = 0; q < end; q += 4)
          subtractTile(
            leftOperand(w, q),
            r + <usize>panel * PANEL,
            WIDTH,
            top + <usize>q * rowBytes,
            rowBytes,
          );
      }
    }
  }
}

/** A[k][j] = R[j] for the blocks from the counter (as A[j][k] = R[j]ᵀ left of the diagonal), A[k][k] = −D. */
export function inverseFinish(counter: usize, a: usize, n: i32, k: i32, scratch: usize): void {
  const blocks = n >> 6;
  for (;;) {
    const j = atomic.add<i32>(counter, 1);
    if (j >= blocks) return;
    const r = scratch + <usize>(blocks + j) * BLOCK;
    if (j < k) writeTransposed(r, elementOf(a, n, j * WIDTH, k * WIDTH), n);
    else if (j > k) writeBlock(r, elementOf(a, n, k * WIDTH, j * WIDTH), n, 1);
    else writeBlock(scratch + 2 * <usize>blocks * BLOCK, elementOf(a, n, k * WIDTH, k * WIDTH), n, -1);
  }
}

/** Negates the upper half of rows of blocks from the counter, and copies it to the lower half. */
export function inverseMirror(counter: usize, a: usize, n: i32): void {
  const blocks = n >> 6;
  for (;;) {
    const block = atomic.add<i32>(counter, 1);
    if (block >= blocks) return;
    for (let other = block; other < blocks; other++) {
      for (let i = block * WIDTH; i < (block + 1) * WIDTH; i++) {
        for (let j = max(i, other * WIDTH); j < (other + 1) * WIDTH; j++) {
          const value = -load<f32>(elementOf(a, n, i, j));
          store<f32>(elementOf(a, n, i, j), value);
          store<f32>(elementOf(a, n, j, i), value);
        }
      }
    }
  }
}

/** y = Ax of a whole n × n matrix, rows from the counter. */
export function multiplyVector(counter: usize, a: usize, n: i32, x: usize, y: usize): void {
  for (;;) {
    const first = atomic.add<i32>(counter, WIDTH);
    if (first >= n) return;
    const end = min(n, first + WIDTH);
    for (let i = first; i < end; i++)
      store<f32>(y + ((<usize>i) << 2), dot(elementOf(a, n, i, 0), x, (<usize>n) << 2));
  }
}

function elementOf(a: usize, n: i32, i: i32, j: i32): usize {
  return a + ((<usize>i * <usize>n + <usize>j) << 2);
}

/** Columns i … i + 3 of a block in panels. */
function leftOperand(block: usize, i: i32): usize {
  return block + <usize>(i >> 3) * PANEL + ((<usize>(i & 4)) << 2);
}

function readBlock(corner: usize, n: i32, block: usize): void {
  for (let q = 0; q < WIDTH; q++) {
    const row = elementOf(corner, n, q, 0);
    for (let j = 0; j < WIDTH; j += 4)
      v128.store(block + panelOffset(q, j, WIDTH), v128.load(row + ((<usize>j) << 2)));
  }
}

function readTransposed(corner: usize, n: i32, block: usize): void {
  for (let j = 0; j < WIDTH; j++)
    for (let q = 0; q < WIDTH; q++)
      store<f32>(block + panelOffset(q, j, WIDTH), load<f32>(elementOf(corner, n, j, q)));
}

function writeBlock(block: usize, corner: usize, n: i32, sign: f32): void {
  const s = f32x4.splat(sign);
  for (let q = 0; q < WIDTH; q++) {
    const row = elementOf(corner, n, q, 0);
    for (let j = 0; j < WIDTH; j += 4)
      v128.store(row + ((<usize>j) << 2), f32x4.mul(s, v128.load(block + panelOffset(q, j, WIDTH))));
  }
}

function writeTransposed(block: usize, corner: usize, n: i32): void {
  for (let j = 0; j < WIDTH; j++)
    for (let q = 0; q < WIDTH; q++)
      store<f32>(elementOf(corner, n, j, q), load<f32>(block + panelOffset(q, j, WIDTH)));
}
