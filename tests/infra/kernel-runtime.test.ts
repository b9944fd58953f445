import { expect, test } from 'vitest';
import { createSharedMemory } from '../../src/algorithms/kernels/shared-memory.ts';
import { openKernelRuntime } from '../../src/infra/kernel-runtime.ts';

test('the build with fused multiply-add is chosen where the engine has it, as every supported Node on x64 and arm64 has', async () => {
  expect((await openKernelRuntime()).build).toBe('relaxed-simd');
  expect((await openKernelRuntime('simd')).build).toBe('simd');
});

test('a call that traps rejects, and the thread goes on; after closing, calls reject', async () => {
  const runtime = await openKernelRuntime();
  const memory = createSharedMemory();
  const thread = await runtime.startThread(memory.wasm);
  // Reads far beyond the memory's end.
  await expect(thread.call('packScaled', [2 ** 31, 8, 1, 2 ** 31])).rejects.toThrow(/out of bounds/);
  await expect(thread.call('noSuchKernel', [])).rejects.toThrow(/no kernel/);
  // 8 factors are one panel of 256 rows of 32 bytes, and 128 bytes.
  expect(await thread.call('gramScratchBytes', [8])).toBe(256 * 32 + 128);
  await thread.close();
  await expect(thread.call('gramScratchBytes', [8])).rejects.toThrow(/ended/);
});
