/** The models that the service scores customers with, as it would take them. */
import { churnFromFiles } from '../../algorithms/churn-model.ts';
import { customerValueFromFiles } from '../../algorithms/customer-value/customer-value-files.ts';
import type { ModelVersion } from '../../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import type { Logger } from '../../infra/logger.ts';
import { type LoadedModel, loadServableModel } from '../../infra/model-store.ts';

type ScoringModelName = 'churn' | 'customer-value';

export type ServedModel<M> = { version: ModelVersion; model: M };

export async function servedChurn(modelsDir: string, log: Logger) {
  return served(modelsDir, 'churn', log, ({ arrays, tables }) => churnFromFiles(arrays, tables));
}

export async function servedCustomerValue(modelsDir: string, log: Logger) {
  return served(modelsDir, 'customer-value', log, ({ arrays, tables }) =>
    customerValueFromFiles(arrays, tables),
  );
}

/** The newest of the served versions that can be read; undefined where there is none. */
async function served<M>(
  modelsDir: string,
  name: ScoringModelName,
  log: Logger,
  read: (loaded: LoadedModel) => M,
): Promise<ServedModel<M> | undefined> {
  let found: ServedModel<M> | undefined;
  await loadServableModel(
    modelsDir,
    name,
    (version, err) =>
      log.warn(
        { event: 'scores.model-unreadable', model: name, version, err },
        'a served model cannot be read to score with; the one before it is tried',
      ),
    (loaded) => {
      const { featureSchema, version } = loaded.manifest;
      if (featureSchema !== null && featureSchema !== FEATURE_SCHEMA)
        throw new Error(`trained on features ${featureSchema}, this build has ${FEATURE_SCHEMA}`);
      found = { version, model: read(loaded) };
    },
  );
  return found;
}
