/** Opens the numeric kernels for a process that trains: the faster build, on threads of its own. */
import { availableParallelism } from 'node:os';
import { createKernels, type Kernels } from '../algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../infra/kernel-runtime.ts';

/** Memory, not arithmetic, bounds what more threads would do. */
const mostThreads = 8;

/** `threads` absent: one a core, at most eight. To be closed by whoever opened them. */
export async function openKernels(threads?: number): Promise<Kernels> {
  return createKernels(await openKernelRuntime(), {
    threads: threads ?? Math.min(mostThreads, availableParallelism()),
  });
}

/** As a manifest's `backend` has it. */
export function kernelBackend(kernels: Pick<Kernels, 'build'>): string {
  return `wasm-${kernels.build}`;
}
