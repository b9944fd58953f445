/** Kernels on the test's own thread: what they compute does not depend on how many there are. */
import { createKernels, type Kernels } from '../../src/algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../../src/infra/kernel-runtime.ts';

export async function testKernels(): Promise<Kernels> {
  return createKernels(await openKernelRuntime(), { threads: 0 });
}
