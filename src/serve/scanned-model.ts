/**
 * A collaborative model whose factors lie in the memory of the kernels, which scan them some six times as fast as plain
 * arithmetic. Each model has a memory of its own, which goes when nobody holds the model any more: answers that are being made
 * out of an old one are not disturbed by a new one.
 */
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import { createKernels } from '../algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../infra/kernel-runtime.ts';

/** Beside the factors: lists of a scan, and what the allocator rounds up. */
const besidesBytes = 2 ** 24;

export async function scannedModel(model: CollaborativeModel): Promise<CollaborativeModel> {
  const { factors: size, itemFactors, itemIds } = model;
  if (itemIds.length === 0) return model;
  const padded = Math.ceil(size / 8) * 8;
  const kernels = await createKernels(await openKernelRuntime(), {
    threads: 0,
    maxBytes: Math.ceil((4 * padded * itemIds.length + besidesBytes) / 2 ** 16) * 2 ** 16,
  });
  const factors = kernels.factors(itemIds.length, size, itemFactors);
  return {
    ...model,
    // The same bytes, unless rows are padded: no second copy.
    itemFactors: factors.stride === size ? factors.values : itemFactors,
    scan: (vector, k) => kernels.scanTopK(factors, vector, k),
  };
}
