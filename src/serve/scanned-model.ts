/**
 * A collaborative model whose factors lie in the memory of the kernels, which scan them much faster than plain
 * arithmetic, and its ranker's network likewise. Each model has a memory of its own, which goes when nobody holds the model any
 * more: answers that are being made out of an old one are not disturbed by a new one.
 */
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import { createKernels } from '../algorithms/kernels/kernels.ts';
import { screenedBytes } from '../algorithms/kernels/screened-scan.ts';
import { foldedLayers } from '../algorithms/ranker/ranker.ts';
import { openKernelRuntime } from '../infra/kernel-runtime.ts';

/** Beside the factors: the network, lists of a scan, and what the allocator rounds up. */
const besidesBytes = 2 ** 24;

export async function scannedModel(model: CollaborativeModel): Promise<CollaborativeModel> {
  const { factors: size, itemFactors, itemIds } = model;
  if (itemIds.length === 0) return model;
  const padded = Math.ceil(size / 8) * 8;
  const kernels = await createKernels(await openKernelRuntime(), {
    threads: 0,
    maxBytes:
      Math.ceil(
        (4 * padded * itemIds.length + screenedBytes(itemIds.length, size) + besidesBytes) / 2 ** 16,
      ) *
      2 ** 16,
  });
  const factors = kernels.factors(itemIds.length, size, itemFactors);
  const { order, byProduct, byProductAmong, byAngle } = kernels.screen(factors);
  return {
    ...model,
    // The same bytes, unless rows are padded: no second copy.
    itemFactors: factors.stride === size ? factors.values : itemFactors,
    ...(model.ranker?.kind === 'network' && {
      scoreCandidates: kernels.network(foldedLayers(model.ranker)),
    }),
    scan: byProduct,
    scanAmong: byProductAmong,
    scanOrder: order,
    scanAngles: byAngle,
    multiplyRows: kernels.rowMultiplier(size),
  };
}
