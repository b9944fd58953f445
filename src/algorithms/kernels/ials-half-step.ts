/** Host side of the iALS kernels. */
import type { CsrMatrix } from '../csr.ts';
import type { SharedFactors } from './matrices.ts';
import { borrowing } from './shared-memory.ts';
import { type KernelContext, type RunOptions, runRows } from './threads.ts';

/** How a row's system is solved: exactly, or by so many steps of conjugate gradients from the row's present value. */
export type RowMethod = { kind: 'cholesky' } | { kind: 'cg'; steps: number };

export type IalsHalfStep = RunOptions & {
  /** In shared memory; its rows are those of `free`, its columns those of `fixed`, its values confidence − 1. */
  matrix: CsrMatrix;
  fixed: SharedFactors;
  /** Solved in place. */
  free: SharedFactors;
  /** L2 weight of each row. */
  regularization: Float32Array;
  /** α₀: weight of every cell, seen or not. */
  unobservedWeight: number;
  method: RowMethod;
};

/** Rows of a Gram matrix's partial sums are a multiple of the kernel's chunk, and of at most this many blocks. */
const CHUNK_ROWS = 256;
const MOST_BLOCKS = 64;

/** FᵀF of factors, size × size, row-major, whole. */
export function gram(context: KernelContext, factors: SharedFactors): Promise<Float32Array> {
  return borrowing(context.memory, async (arrays) => {
    const { size, stride } = factors;
    const padded = arrays.float32(stride * stride);
    await writeGram(context, factors, padded);
    const out = new Float32Array(size * size);
    for (let i = 0; i < size; i++) out.set(padded.subarray(i * stride, i * stride + size), i * size);
    return out;
  });
}

/**
 * Half an iteration of alternating least squares: each row x of `free` becomes the solution of
 *
 *   (α₀ FᵀF + Σ w f fᵀ + λI) x = Σ w f
 *
 * over its entries (Hu, Koren and Volinsky 2008, eq. 4, with the weights of Rendle et al. 2021, arXiv 2110.14037), or
 * comes nearer to it. A row without entries becomes zero. The result does not depend on the number of threads.
 * RangeError for shapes that do not fit, and when a system is not positive definite in single precision.
 */
export async function ialsHalfStep(context: KernelContext, step: IalsHalfStep): Promise<void> {
  checkShapes(step);
  const { memory, local } = context;
  const { matrix, fixed, free, regularization, method } = step;
  const d = fixed.stride;
  await borrowing(memory, async (arrays) => {
    const whole = arrays.float32(d * d);
    await writeGram(context, fixed, whole);
    const scaled = arrays.float32(d * d);
    local.packScaled(memory.pointerTo(whole), d, step.unobservedWeight, memory.pointerTo(scaled));
    // Padding has nothing to solve: with ones on its diagonal it stays zero, whatever the regularization.
    for (let f = fixed.size; f < d; f++) scaled[((f >> 3) * d + f) * 8 + (f & 7)] = 1;
    const ridges = arrays.float32(free.rows);
    ridges.set(regularization);

    const { indptr, indices, data } = matrix;
    const operands = [indptr, indices, data, fixed.values, free.values, scaled, ridges];
    const common = [free.rows, ...operands.map(memory.pointerTo), d];
    const rows = { to: free.rows };
    if (method.kind === 'cg') {
      const args = (scratch: number) => [...common, method.steps, scratch];
      await runRows(context, 'solveRowsCg', rows, local.cgScratchBytes(d), args, step);
    } else {
      const args = (scratch: number) => [...common, scratch];
      const answers = await runRows(
        context,
        'solveRowsCholesky',
        rows,
        local.choleskyScratchBytes(d),
        args,
        step,
      );
      const failed = answers.find((row) => row >= 0);
      if (failed !== undefined)
        throw new RangeError(
          `the system of row ${failed} is not positive definite: its regularization ${regularization[failed]} is too small`,
        );
    }
  });
}

/** The same as stride × stride values to `out`. */
async function writeGram(context: KernelContext, factors: SharedFactors, out: Float32Array): Promise<void> {
  const { memory, local } = context;
  const { rows, stride } = factors;
  if (rows === 0) return;
  const blockRows = Math.ceil(rows / MOST_BLOCKS / CHUNK_ROWS) * CHUNK_ROWS;
  const blocks = Math.ceil(rows / blockRows);
  await borrowing(memory, async (arrays) => {
    const partials = arrays.float32(blocks * stride * stride);
    const common = [memory.pointerTo(factors.values), rows, stride, blockRows, memory.pointerTo(partials)];
    const args = (scratch: number) => [...common, scratch];
    await runRows(context, 'gramBlocks', { to: blocks }, local.gramScratchBytes(stride), args);
    local.sumGram(memory.pointerTo(partials), blocks, stride, memory.pointerTo(out));
  });
}

function checkShapes({ matrix, fixed, free, regularization, method }: IalsHalfStep): void {
  if (matrix.rows !== free.rows || matrix.cols !== fixed.rows || free.size !== fixed.size)
    throw new RangeError(
      `a ${matrix.rows} × ${matrix.cols} matrix does not fit ${free.rows} × ${free.size} and ${fixed.rows} × ${fixed.size} factors`,
    );
  if (regularization.length !== free.rows)
    throw new RangeError(`${regularization.length} regularizations for ${free.rows} rows`);
  if (method.kind === 'cg' && !(Number.isInteger(method.steps) && method.steps >= 1))
    throw new RangeError(`conjugate gradients need at least one step, not ${method.steps}`);
}
