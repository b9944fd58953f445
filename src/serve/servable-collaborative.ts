/** A collaborative model as this process serves it, out of its files. */
import { type CollaborativeModel, collaborativeFromFiles } from '../algorithms/collaborative-model.ts';
import type { Logger } from '../infra/logger.ts';
import type { LoadedModel } from '../infra/model-store.ts';
import { warmUp } from './recommend/warm-up.ts';
import { scannedModel } from './scanned-model.ts';

/** With its items in the memory of the kernels where that can hold them. Throws where the files are not whole, or it cannot rank. */
export async function servableCollaborative(
  { manifest: { version }, arrays, tables }: LoadedModel,
  log: Logger,
): Promise<CollaborativeModel> {
  const read = collaborativeFromFiles(arrays, tables);
  const model = await scannedModel(read).catch((err) => {
    log.warn(
      { event: 'model.unscanned', model: 'collaborative', version, err },
      'the kernels cannot hold this model: its items are gone through in plain arithmetic, which is slower',
    );
    return read;
  });
  warmUp(model);
  return model;
}
