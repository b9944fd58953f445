/** The churn model that is served, in a worker's memory: the last good one, as a new one is published. */
import { type ChurnModel, churnFromFiles } from '../../algorithms/churn-model.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import type { Logger } from '../../infra/logger.ts';
import { loadServableModel, watchModels } from '../../infra/model-store.ts';

export type ServedChurn = {
  /** undefined: none has been published that can be used. */
  current: () => ChurnModel | undefined;
  /** Waits for a load under way. */
  stop: () => Promise<void>;
};

/** Resolves once what is there has been loaded. */
export async function followChurn(
  modelsDir: string,
  log: Logger,
  pollIntervalMs?: number,
): Promise<ServedChurn> {
  let model: ChurnModel | undefined;
  const load = async () => {
    await loadServableModel(
      modelsDir,
      'churn',
      (version, err) =>
        log.error(
          { event: 'model.refused', model: 'churn', version, reason: String(err) },
          'a published model was refused: webhooks go by the one before it',
        ),
      ({ manifest, arrays, tables }) => {
        if (manifest.featureSchema !== FEATURE_SCHEMA)
          throw new Error(`trained on features ${manifest.featureSchema}, this build has ${FEATURE_SCHEMA}`);
        model = churnFromFiles(arrays, tables);
      },
      // A folder that cannot be read now: the next version that is published is another try.
    ).catch((err) =>
      log.error({ event: 'model.refused', model: 'churn', reason: String(err) }, 'models cannot be read'),
    );
  };
  let loading = load();
  await loading;
  const stop = watchModels(
    modelsDir,
    (name) => {
      if (name === 'churn') loading = loading.then(load);
    },
    pollIntervalMs,
  );
  return {
    current: () => model,
    stop: async () => {
      stop();
      await loading;
    },
  };
}
