/** The models that offers are decided by, as the service would take them: the newest of the served ones that can be read. */
import { churnFromFiles } from '../../algorithms/churn-files.ts';
import { collaborativeFromFiles } from '../../algorithms/collaborative-model.ts';
import { customerValueFromFiles } from '../../algorithms/customer-value/customer-value-files.ts';
import { offersFromFiles } from '../../algorithms/offer-model/offer-model-files.ts';
import type { ModelName } from '../../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import type { Logger } from '../../infra/logger.ts';
import { type LoadedModel, loadServableModel } from '../../infra/model-store.ts';
import type { Models, Served } from '../../scoring/served.ts';

export async function readDecidingModels(modelsDir: string, log: Logger): Promise<Models> {
  const read = <M>(name: ModelName, from: (loaded: LoadedModel) => M) => served(modelsDir, name, log, from);
  const [collaborative, churn, customerValue, offers] = await Promise.all([
    read('collaborative', ({ arrays, tables }) => collaborativeFromFiles(arrays, tables)),
    read('churn', ({ arrays, tables }) => churnFromFiles(arrays, tables)),
    read('customer-value', ({ arrays, tables }) => customerValueFromFiles(arrays, tables)),
    read('offers', ({ arrays, tables }) => offersFromFiles(arrays, tables)),
  ]);
  return { collaborative, churn, customerValue, offers };
}

async function served<M>(
  modelsDir: string,
  name: ModelName,
  log: Logger,
  from: (loaded: LoadedModel) => M,
): Promise<Served<M> | undefined> {
  let found: Served<M> | undefined;
  await loadServableModel(
    modelsDir,
    name,
    (version, err) =>
      log.warn(
        { event: 'batch.model-unreadable', model: name, version, err },
        'a served model cannot be read; the one before it is tried',
      ),
    (loaded) => {
      const { featureSchema, version } = loaded.manifest;
      if (featureSchema !== null && featureSchema !== FEATURE_SCHEMA)
        throw new Error(`trained on features ${featureSchema}, this build has ${FEATURE_SCHEMA}`);
      found = { version, manifest: loaded.manifest, model: from(loaded) };
    },
  );
  return found;
}
