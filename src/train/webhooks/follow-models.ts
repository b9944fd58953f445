/** The models that customers are scored with, in a worker's memory: the last good ones, as new ones are published. */
import type { ModelName } from '../../domain/manifest.ts';
import type { Logger } from '../../infra/logger.ts';
import { watchModels } from '../../infra/model-store.ts';
import type { ScoringModels } from '../../scoring/score-customer.ts';
import { servedChurn, servedCustomerValue } from '../scores/served-models.ts';

export type FollowedModels = {
  current: () => ScoringModels;
  /** Waits for a load under way. */
  stop: () => Promise<void>;
};

/** Resolves once what is there has been loaded. */
export async function followModels(
  modelsDir: string,
  log: Logger,
  pollIntervalMs?: number,
): Promise<FollowedModels> {
  let models: ScoringModels = { churn: undefined, value: undefined };

  /** Where none can be read, the one in memory stays. */
  async function load(name: ModelName): Promise<void> {
    try {
      if (name === 'churn')
        models = { ...models, churn: (await servedChurn(modelsDir, log))?.model ?? models.churn };
      else if (name === 'customer-value')
        models = { ...models, value: (await servedCustomerValue(modelsDir, log))?.model ?? models.value };
    } catch (err) {
      log.error({ event: 'model.refused', model: name, reason: String(err) }, 'a model cannot be read');
    }
  }

  await load('churn');
  await load('customer-value');
  let loading = Promise.resolve();
  const stop = watchModels(
    modelsDir,
    (name) => {
      loading = loading.then(() => load(name));
    },
    pollIntervalMs,
  );
  return {
    current: () => models,
    stop: async () => {
      stop();
      await loading;
    },
  };
}
