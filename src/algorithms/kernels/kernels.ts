/**
 * The numeric kernels: WebAssembly over one shared memory, with worker threads of their own. Everything large (factors,
 * sparse matrices) is put into the shared memory first and worked on there, in place.
 *
 *     const kernels = await createKernels(await openKernelRuntime(), { threads: 2 });
 *     const userItems = kernels.shareMatrix(matrix);
 *     const users = kernels.factors(matrix.rows, 64);
 *     await kernels.ialsHalfStep({ matrix: userItems, fixed: items, free: users, … });
 *
 * Calls that answer a promise run one after the other, whoever makes them; `scanTopK`, screened scans and networks run at once.
 */
import type { CsrMatrix } from '../csr.ts';
import type { Ranked } from '../top-k.ts';
import { gram, type IalsHalfStep, ialsHalfStep } from './ials-half-step.ts';
import { invertSymmetric } from './invert.ts';
import { type ItemProductsOptions, itemGram, itemProducts, type OnItemRow } from './item-products.ts';
import {
  readFactors,
  releaseMatrix,
  type SharedFactors,
  type SharedSymmetric,
  shareFactors,
  shareMatrix,
  shareSymmetric,
  writeFactors,
} from './matrices.ts';
import { type NetworkLayer, type ScoreRows, shareNetwork } from './network.ts';
import { instantiateKernels, type KernelBuild, type KernelRuntime, type KernelThread } from './runtime.ts';
import { type RankedRows, rowMultiplier, scanManyTopK, scanTopK } from './scan.ts';
import { type ScreenedScan, screenFactors } from './screened-scan.ts';
import { createSharedMemory, type SharedArray } from './shared-memory.ts';
import type { KernelContext, RunOptions } from './threads.ts';

export type { IalsHalfStep, RowMethod } from './ials-half-step.ts';
export type { SharedFactors, SharedSymmetric } from './matrices.ts';

export type KernelsOptions = {
  /** Worker threads. With 0 everything runs on the calling thread, which answers nothing meanwhile. */
  threads: number;
  /** Most bytes of shared memory; at most, and by default, 4 GiB. */
  maxBytes?: number;
};

export type Kernels = {
  build: KernelBuild;
  threads: number;

  /** Zero factors of `rows` × `size` (1 … 256); with `values`, a copy of them. RangeError when the memory does not suffice, here and below. */
  factors: (rows: number, size: number, values?: Float32Array) => SharedFactors;
  /** A copy outside the shared memory, without padding: rows × size. */
  readFactors: (factors: SharedFactors) => Float32Array;
  /** A copy in shared memory, checked: RangeError for indices outside the shape, and weights below 0 or not finite. */
  shareMatrix: (matrix: CsrMatrix) => CsrMatrix;
  /** A zero matrix in shared memory, to be filled by its `stride`. */
  symmetric: (size: number) => SharedSymmetric;
  /** `length` marks in shared memory for `scanTopK`, all 0. */
  marks: (length: number) => Uint8Array;
  /** Gives memory back. What is released must not be used again. */
  release: (what: SharedFactors | SharedSymmetric | CsrMatrix | SharedArray) => void;
  /** Bytes of shared memory that are in use. */
  usedBytes: () => number;

  /** FᵀF, size × size, whole. */
  gram: (factors: SharedFactors) => Promise<Float32Array>;
  ialsHalfStep: (step: IalsHalfStep) => Promise<void>;
  itemGram: (userItems: CsrMatrix, diagonal: number, options?: RunOptions) => Promise<SharedSymmetric>;
  itemProducts: (userItems: CsrMatrix, options: ItemProductsOptions, onRow: OnItemRow) => Promise<void>;
  /** In place. */
  invertSymmetric: (matrix: SharedSymmetric, options?: RunOptions) => Promise<{ residual: number }>;
  /** A network of dense layers, with ReLU between them and one output, which scores rows at once; it stays in the memory. */
  network: (layers: readonly NetworkLayer[]) => ScoreRows;
  scanTopK: (factors: SharedFactors, vector: Float32Array, k: number, allowed?: Uint8Array) => Ranked;
  /** Writes the product of `vector` and each row of `factors`, which lie anywhere, to `out`; of rows of `size` values. */
  rowMultiplier: (size: number) => (factors: Float32Array, vector: Float32Array, out: Float32Array) => void;
  /** Scans of these factors, which must not change any more, by a coarse copy of them that stays in the memory. */
  screen: (factors: SharedFactors) => ScreenedScan;
  scanManyTopK: (
    factors: SharedFactors,
    vectors: SharedFactors,
    k: number,
    seen?: CsrMatrix,
    options?: RunOptions,
  ) => Promise<RankedRows>;
  /** Ends the threads once their present work is done. */
  close: () => Promise<void>;
};

export async function createKernels(runtime: KernelRuntime, options: KernelsOptions): Promise<Kernels> {
  const memory = createSharedMemory(options.maxBytes);
  const local = instantiateKernels(runtime.module, memory.wasm);
  const started = await Promise.all(
    Array.from({ length: options.threads }, () => runtime.startThread(memory.wasm)),
  );
  const callingThread: KernelThread = {
    call: async (kernel, args) => Number(local[kernel](...args) ?? 0),
    close: async () => {},
  };
  const context: KernelContext = { memory, local, threads: started.length > 0 ? started : [callingThread] };

  // One at a time: all threads share one counter.
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  }

  return {
    build: runtime.build,
    threads: started.length,
    factors: (rows, size, values) => {
      const factors = shareFactors(memory, rows, size);
      if (values !== undefined) writeFactors(factors, values);
      return factors;
    },
    readFactors,
    shareMatrix: (matrix) => shareMatrix(memory, matrix),
    symmetric: (size) => shareSymmetric(memory, size),
    marks: memory.uint8,
    release: (what) => {
      if (ArrayBuffer.isView(what)) memory.release(what);
      else if ('indptr' in what) releaseMatrix(memory, what);
      else memory.release(what.values);
    },
    usedBytes: memory.usedBytes,
    gram: (factors) => inTurn(() => gram(context, factors)),
    ialsHalfStep: (step) => inTurn(() => ialsHalfStep(context, step)),
    itemGram: (userItems, diagonal, run) => inTurn(() => itemGram(context, userItems, diagonal, run)),
    itemProducts: (userItems, run, onRow) => inTurn(() => itemProducts(context, userItems, run, onRow)),
    invertSymmetric: (matrix, run) => inTurn(() => invertSymmetric(context, matrix, run)),
    network: (layers) => shareNetwork(context, layers),
    scanTopK: (factors, vector, k, allowed) => scanTopK(context, factors, vector, k, allowed),
    rowMultiplier: (size) => rowMultiplier(context, size),
    screen: (factors) => screenFactors(context, factors),
    scanManyTopK: (factors, vectors, k, seen, run) =>
      inTurn(() => scanManyTopK(context, factors, vectors, k, seen, run)),
    close: async () => {
      await last;
      await Promise.all(started.map((thread) => thread.close()));
    },
  };
}
