/** A worker thread with its own instance of the kernels: calls what it is told to and answers the result. */
import { parentPort, workerData } from 'node:worker_threads';

export type KernelReply = { result: number } | { error: unknown };

type Kernel = (...args: number[]) => number | undefined;

const { module, memory } = workerData as { module: WebAssembly.Module; memory: WebAssembly.Memory };
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, Kernel>;

parentPort?.on('message', ({ kernel, args }: { kernel: string; args: number[] }) => {
  let reply: KernelReply;
  try {
    const run = kernels[kernel];
    if (run === undefined) throw new TypeError(`there is no kernel ${kernel}`);
    reply = { result: Number(run(...args) ?? 0) };
  } catch (error) {
    reply = { error };
  }
  parentPort?.postMessage(reply);
});
parentPort?.postMessage({ result: 0 } satisfies KernelReply);
