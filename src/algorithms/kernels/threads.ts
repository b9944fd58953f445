/** Kernels on several threads: each takes rows from the shared counter until there are none left. */
import type { KernelExports, KernelName, KernelThread } from './runtime.ts';
import type { SharedMemory } from './shared-memory.ts';

/** What every kernel's host side works with. */
export type KernelContext = {
  memory: SharedMemory;
  /** At least one. */
  threads: readonly KernelThread[];
  /** The instance of the calling thread, for what is short. */
  local: KernelExports;
};

export type RunOptions = {
  /** Told the share of the work that is done, a few times a second. */
  onProgress?: ((share: number) => void) | undefined;
  /** Stops the work within a few rows; what has been written by then stays. */
  signal?: AbortSignal | undefined;
};

const PROGRESS_INTERVAL_MS = 200;

/**
 * Runs a kernel on all threads over rows `from` up to `to`. `args(scratch)` gives a thread's arguments after the
 * counter; `scratch` is its own space of `scratchBytes` zeroed bytes. Answers what each thread's call answered.
 */
export async function runRows(
  context: KernelContext,
  kernel: KernelName,
  rows: { from?: number; to: number },
  scratchBytes: number,
  args: (scratch: number) => readonly number[],
  { onProgress, signal }: RunOptions = {},
): Promise<number[]> {
  const { memory, threads } = context;
  const { counter } = memory;
  const { from = 0, to } = rows;
  signal?.throwIfAborted();
  // Apart by more than a cache line, lest threads wait for one another's writes.
  const spaceBytes = Math.ceil(scratchBytes / 64) * 64 + 128;
  const space = memory.uint8(spaceBytes * threads.length);
  Atomics.store(counter, 0, from);
  const stop = () => void Atomics.store(counter, 0, to);
  signal?.addEventListener('abort', stop);
  const shareDone = () => Math.min(1, (Atomics.load(counter, 0) - from) / Math.max(1, to - from));
  const timer = onProgress && setInterval(() => onProgress(shareDone()), PROGRESS_INTERVAL_MS);
  try {
    const calls = threads.map(async (thread, t) => {
      try {
        const scratch = memory.pointerTo(space) + t * spaceBytes;
        return await thread.call(kernel, [memory.pointerTo(counter), ...args(scratch)]);
      } catch (err) {
        stop();
        throw err;
      }
    });
    // All of them, so that none still writes when the scratch is given back.
    const outcomes = await Promise.allSettled(calls);
    signal?.throwIfAborted();
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
    memory.release(space);
  }
}
