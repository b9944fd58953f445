/** Loads the kernels that `npm run build` made, the faster build where the engine has it, and starts their threads. */
import { readFile } from 'node:fs/promises';
import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';
import { builtEntry } from './built-entry.ts';
import type { KernelReply } from './kernel-thread.ts';

type KernelBuild = 'simd' | 'relaxed-simd';
type KernelThread = {
  call: (kernel: string, args: readonly number[]) => Promise<number>;
  close: () => Promise<void>;
};
type KernelRuntime = {
  module: WebAssembly.Module;
  build: KernelBuild;
  startThread: (memory: WebAssembly.Memory) => Promise<KernelThread>;
};

/** For `createKernels` of algorithms/kernels. `build` picks one of the builds; by default the faster that runs here. */
export async function openKernelRuntime(build?: KernelBuild): Promise<KernelRuntime> {
  const chosen = build ?? (await fastestBuild());
  const bytes = await kernelBytes(chosen);
  if (chosen === 'relaxed-simd') allowRelaxedSimd(bytes);
  const module = new WebAssembly.Module(bytes);
  return { module, build: chosen, startThread: (memory) => startThread(module, memory) };
}

async function fastestBuild(): Promise<KernelBuild> {
  return allowRelaxedSimd(await kernelBytes('relaxed-simd')) ? 'relaxed-simd' : 'simd';
}

function kernelBytes(build: KernelBuild): Promise<Buffer> {
  return readFile(builtEntry(`../algorithms/kernels/${build}.wasm`, import.meta.url));
}

/** Node 20 knows relaxed SIMD but keeps it behind a flag, which can be set while it runs; later ones need none. */
function allowRelaxedSimd(bytes: Buffer): boolean {
  if (WebAssembly.validate(bytes)) return true;
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(bytes);
}

async function startThread(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<KernelThread> {
  const worker = new Worker(builtEntry('./kernel-thread.js', import.meta.url), {
    workerData: { module, memory },
  });
  let pending: { resolve: (result: number) => void; reject: (cause: unknown) => void } | undefined;
  let failure: unknown;

  const settle = (reply: KernelReply) => {
    const call = pending;
    pending = undefined;
    // An idle thread does not keep the process from ending.
    worker.unref();
    if ('result' in reply) call?.resolve(reply.result);
    else call?.reject(reply.error);
  };
  const fail = (cause: unknown) => {
    failure ??= cause;
    settle({ error: failure });
  };
  await new Promise<void>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.on('message', settle);
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the kernel thread has ended')));
  worker.unref();

  return {
    call: (kernel, args) => {
      if (failure !== undefined) return Promise.reject(failure);
      if (pending !== undefined) return Promise.reject(new Error('the kernel thread is busy'));
      return new Promise((resolve, reject) => {
        pending = { resolve, reject };
        worker.ref();
        worker.postMessage({ kernel, args });
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
