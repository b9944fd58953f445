/** The models that the service scores customers with, as it would take them. */
import { churnFromFiles } from '../../algorithms/churn-files.ts';
import { customerValueFromFiles } from '../../algorithms/customer-value/customer-value-files.ts';
import { offersFromFiles } from '../../algorithms/offer-model/offer-model-files.ts';
import type { ModelVersion } from '../../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../../features/registry.ts';
import type { Logger } from '../../infra/logger.ts';
import { type LoadedModel, loadModel, loadServableModel } from '../../infra/model-store.ts';
import { servedVersions } from '../../infra/served-versions.ts';

type ScoringModelName = 'churn' | 'customer-value' | 'offers';

/** `seenUntil`: the last event that it was trained on, milliseconds since 1970. */
export type ServedModel<M> = { version: ModelVersion; model: M; seenUntil: number };

const readChurn = ({ arrays, tables }: LoadedModel) => churnFromFiles(arrays, tables);
const readCustomerValue = ({ arrays, tables }: LoadedModel) => customerValueFromFiles(arrays, tables);

const readOffers = ({ arrays, tables }: LoadedModel) => offersFromFiles(arrays, tables);

export const servedChurn = (modelsDir: string, log: Logger) => served(modelsDir, 'churn', log, readChurn);
export const servedCustomerValue = (modelsDir: string, log: Logger) =>
  served(modelsDir, 'customer-value', log, readCustomerValue);
export const servedOffers = (modelsDir: string, log: Logger) => served(modelsDir, 'offers', log, readOffers);

/** The very version; AppError MODEL_UNAVAILABLE where it is not there as it was written. */
export const versionOfChurn = async (modelsDir: string, version: string) =>
  readChurn(await loadModel(modelsDir, 'churn', version));
export const versionOfCustomerValue = async (modelsDir: string, version: string) =>
  readCustomerValue(await loadModel(modelsDir, 'customer-value', version));

/** Where no model could be had although there are versions to serve: the cure. undefined: none was ever served. */
export async function whyUnreadable(modelsDir: string, name: ScoringModelName): Promise<string | undefined> {
  if ((await servedVersions(modelsDir, name)).length === 0) return undefined;
  return `no served version of ${name} can be read by this build: train-${name} makes another`;
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
      const { featureSchema, version, dataRange } = loaded.manifest;
      if (featureSchema !== null && featureSchema !== FEATURE_SCHEMA)
        throw new Error(`trained on features ${featureSchema}, this build has ${FEATURE_SCHEMA}`);
      found = { version, model: read(loaded), seenUntil: Date.parse(dataRange.to) };
    },
  );
  return found;
}
