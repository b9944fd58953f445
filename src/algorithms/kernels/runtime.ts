/** What the kernels need of the process that they run in; `infra/kernel-runtime.ts` gives it. */

export type KernelBuild = 'simd' | 'relaxed-simd';

export type KernelRuntime = {
  module: WebAssembly.Module;
  /** `relaxed-simd` fuses multiply and add, so that its last bits differ from those of `simd`. */
  build: KernelBuild;
  /** Starts a thread that has its own instance of the module over `memory`. */
  startThread: (memory: WebAssembly.Memory) => Promise<KernelThread>;
};

export type KernelThread = {
  /** Calls an export of the thread's instance; rejects when the kernel traps or the thread dies. */
  call: (kernel: KernelName, args: readonly number[]) => Promise<number>;
  close: () => Promise<void>;
};

/** Exports of assembly/index.ts. A boolean is 0 or 1, nothing is 0. */
const KERNEL_NAMES = [
  'denseRows',
  'gramBlocks',
  'gramScratchBytes',
  'packScaled',
  'sumGram',
  'solveRowsCg',
  'cgScratchBytes',
  'solveRowsCholesky',
  'choleskyScratchBytes',
  'inverseDiagonal',
  'inverseFinish',
  'inverseMirror',
  'inversePrepare',
  'inverseScratchBytes',
  'inverseUpdate',
  'multiplyVector',
  'multiplyRows',
  'itemProductsDense',
  'itemProductsScratchBytes',
  'itemProductsSparse',
  'scanManyTopK',
  'scanTopK',
  'coarsenRows',
  'measureRows',
  'screenNamedTopK',
  'screenTopK',
] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

export type KernelExports = Record<KernelName, (...args: number[]) => number>;

/** An instance of the module on the calling thread. */
export function instantiateKernels(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
}
