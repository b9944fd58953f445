/** Host side of the symmetric inverse. */
import type { SharedSymmetric } from './matrices.ts';
import { borrowing } from './shared-memory.ts';
import { type KernelContext, type RunOptions, runRows } from './threads.ts';

/** Width of the kernel's blocks. */
const BLOCK = 64;

/**
 * Inverts a symmetric positive definite matrix in place. `residual` is the largest |A⁻¹(Av) − v| for one vector v of
 * ±1: what single precision lost, 0 where nothing. RangeError when the matrix is not positive definite, or so nearly
 * not that single precision cannot tell; its contents are lost then, as when the signal aborts.
 */
export function invertSymmetric(
  context: KernelContext,
  matrix: SharedSymmetric,
  { onProgress, signal }: RunOptions = {},
): Promise<{ residual: number }> {
  const { memory, local, threads } = context;
  const n = matrix.stride;
  const blocks = n / BLOCK;
  return borrowing(memory, async (arrays) => {
    const a = memory.pointerTo(matrix.values);
    const scratch = memory.pointerTo(arrays.uint8(local.inverseScratchBytes(n)));
    const probe = arrays.float32(n);
    const image = arrays.float32(n);
    const multiply = (x: Float32Array, y: Float32Array) =>
      runRows(context, 'multiplyVector', { to: n }, 0, () => [
        a,
        n,
        memory.pointerTo(x),
        memory.pointerTo(y),
      ]);

    for (let i = 0; i < n; i++) probe[i] = probeSign(i);
    await multiply(probe, image);
    for (let k = 0; k < blocks; k++) {
      const definite = await threads[0]!.call('inverseDiagonal', [a, n, k, scratch]);
      if (definite !== 1)
        throw new RangeError(
          `the matrix is not positive definite: row ${k * BLOCK} or one of the ${BLOCK - 1} after it`,
        );
      for (const kernel of ['inversePrepare', 'inverseUpdate', 'inverseFinish'] as const)
        await runRows(context, kernel, { to: blocks }, 0, () => [a, n, k, scratch], { signal });
      onProgress?.((k + 1) / blocks);
    }
    await runRows(context, 'inverseMirror', { to: blocks }, 0, () => [a, n]);
    await multiply(image, probe);
    let residual = 0;
    for (let i = 0; i < matrix.size; i++) {
      const off = Math.abs(probe[i]! - probeSign(i));
      // NaN must not pass for a small residual.
      if (!(off <= residual)) residual = off;
    }
    return { residual };
  });
}

/** +1 or −1, without a pattern that a matrix might share. */
function probeSign(i: number): number {
  return Math.imul(i + 1, 0x9e3779b1) < 0 ? -1 : 1;
}
