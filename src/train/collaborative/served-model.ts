/** The collaborative model that is served, as the next one goes on from it. */
import { type CollaborativeModel, collaborativeFromFiles } from '../../algorithms/collaborative-model.ts';
import type { KnownFactors } from '../../algorithms/ials.ts';
import type { ModelManifest } from '../../domain/manifest.ts';
import { openErasureFiles } from '../../infra/erasure-files.ts';
import type { Logger } from '../../infra/logger.ts';
import { loadServableModel } from '../../infra/model-store.ts';

export type ServedModel = { manifest: ModelManifest; model: CollaborativeModel };

/**
 * The newest served version whose files are whole and of this build's layout; undefined where there is none, or CURRENT
 * cannot be read. What is passed over is logged.
 */
export async function loadServedModel({
  modelsDir,
  log,
}: {
  modelsDir: string;
  log: Logger;
}): Promise<ServedModel | undefined> {
  const passOver = (version: string | undefined, err: unknown) =>
    log.warn({ event: 'model.refused', version, reason: String(err) }, 'passed over');
  let served: ServedModel | undefined;
  try {
    await loadServableModel(modelsDir, 'collaborative', passOver, ({ manifest, arrays, tables }) => {
      served = { manifest, model: collaborativeFromFiles(arrays, tables) };
    });
  } catch (err) {
    passOver(undefined, err);
  }
  return served;
}

/** Row of each item in the model; −1: it does not know the item. */
export function rowsInModel(model: CollaborativeModel, itemIds: readonly string[]): Int32Array {
  return Int32Array.from(itemIds, (id) => model.itemIndex.get(id) ?? -1);
}

/** The model's factors of these items, for a warm start; undefined where they are of another dimension, or too few. */
export function warmStartFrom(
  model: CollaborativeModel,
  itemIds: readonly string[],
  factors: number,
): KnownFactors | undefined {
  if (model.factors !== factors) return undefined;
  const known = rowsInModel(model, itemIds);
  const rows = Int32Array.from(known.keys()).filter((i) => known[i]! >= 0);
  if (rows.length < itemIds.length / 2) return undefined;
  const values = new Float32Array(rows.length * factors);
  rows.forEach((i, n) => {
    values.set(model.itemFactors.subarray(known[i]! * factors, (known[i]! + 1) * factors), n * factors);
  });
  return { rows, factors: values };
}

/** When its factors were learned, ISO 8601: an update in between leaves those of known items as they are. */
export function trainedAtOf({ parameters, createdAt }: ModelManifest): string {
  return String(parameters.trainedAt ?? createdAt);
}

/** Has a customer been erased since, of whom its factors may still hold something? */
export async function isBeforeErasure(
  manifest: ModelManifest,
  dataDir: string | undefined,
): Promise<boolean> {
  if (dataDir === undefined) return false;
  const receipts = await (await openErasureFiles(dataDir)).receipts();
  const trainedAt = Date.parse(trainedAtOf(manifest));
  return receipts.some(({ completedAt }) => Date.parse(completedAt) >= trainedAt);
}
