/** Versions of models that experiments try beside those that are served. */
import { churnFromFiles } from '../algorithms/churn-files.ts';
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import { customerValueFromFiles } from '../algorithms/customer-value/customer-value-files.ts';
import { offersFromFiles } from '../algorithms/offer-model/offer-model-files.ts';
import type { DecisionPolicy, ExperimentVariant } from '../domain/decision-policy.ts';
import { type ModelName, ModelVersion } from '../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../features/registry.ts';
import { type LoadedModel, loadModel } from '../infra/model-store.ts';
import { invalidSettings, type SettingsFault } from '../infra/settings-file.ts';
import { keepTrialVersions } from '../infra/trial-versions.ts';
import type { DecisionSettings } from '../offers/experiments.ts';
import type { Models, Served, TrialModels } from '../scoring/served.ts';

/** What a variant calls a model. */
type VariantModel = 'offerModel' | 'churnModel' | 'valueModel' | 'collaborativeModel';

type Named = { place: string; version: ModelVersion };

/** Decisions on offers go by the first three, pages by the last. */
export type LoadedTrials = TrialModels & {
  readonly collaborative: ReadonlyMap<string, Served<CollaborativeModel>>;
};

/**
 * Loads, and keeps from being removed, those that the policy's experiments name, but for experiments that have ended by `now`
 * (milliseconds since 1970). UsageError names each that cannot be had: decided by another model, a variant would be measured as
 * what it is not. Where `collaborativeFrom` is absent, no pages are made, and what they would go by is not loaded.
 */
export async function loadTrialModels(
  modelsDir: string,
  policy: DecisionPolicy,
  policyFile: string | undefined,
  now: number,
  collaborativeFrom?: (loaded: LoadedModel) => Promise<CollaborativeModel>,
): Promise<LoadedTrials> {
  const faults: SettingsFault[] = [];
  const load = async <M>(
    field: VariantModel,
    name: ModelName,
    from: (loaded: LoadedModel) => M | Promise<M>,
  ) => {
    const models = new Map<string, Served<M>>();
    for (const { place, version } of namedBy(policy, field, now))
      if (!models.has(version))
        try {
          models.set(version, await read(modelsDir, name, version, from));
        } catch (err) {
          const message = `cannot be had: ${err instanceof Error ? err.message : err}. nextbest models list shows which there are`;
          faults.push({ place, message });
        }
    return { name, models };
  };
  const offers = await load('offerModel', 'offers', ({ arrays, tables }) => offersFromFiles(arrays, tables));
  const churn = await load('churnModel', 'churn', ({ arrays, tables }) => churnFromFiles(arrays, tables));
  const customerValue = await load('valueModel', 'customer-value', ({ arrays, tables }) =>
    customerValueFromFiles(arrays, tables),
  );
  const collaborative =
    collaborativeFrom && (await load('collaborativeModel', 'collaborative', collaborativeFrom));
  if (faults.length > 0)
    throw invalidSettings(
      'DECISION_POLICY_FILE',
      policyFile ?? '',
      faults,
      'docs/experiments.md tells more.',
    );
  for (const { name, models } of [offers, churn, customerValue, ...(collaborative ? [collaborative] : [])])
    await keepTrialVersions(
      modelsDir,
      name,
      [...models.keys()].map((version) => ModelVersion.parse(version)),
    );
  return {
    offers: offers.models,
    churn: churn.models,
    customerValue: customerValue.models,
    collaborative: collaborative?.models ?? new Map(),
  };
}

function namedBy({ experiments }: DecisionPolicy, field: VariantModel, now: number): Named[] {
  return experiments.flatMap(({ variants, to }, e) =>
    Date.parse(to ?? '') <= now
      ? []
      : variants.flatMap((variant: ExperimentVariant, v): Named[] => {
          const version = variant[field];
          return version === undefined ? [] : [{ place: `experiments.${e}.variants.${v}.${field}`, version }];
        }),
  );
}

async function read<M>(
  modelsDir: string,
  name: ModelName,
  version: ModelVersion,
  from: (loaded: LoadedModel) => M | Promise<M>,
): Promise<Served<M>> {
  const loaded = await loadModel(modelsDir, name, version);
  const { manifest } = loaded;
  if (manifest.featureSchema !== null && manifest.featureSchema !== FEATURE_SCHEMA)
    throw new Error(`trained on features ${manifest.featureSchema}, this build has ${FEATURE_SCHEMA}`);
  return { version, manifest, model: await from(loaded) };
}

/** The same models, which go on following what is published, with others on trial. */
export function withTrialModels(models: Models, trials: TrialModels): Models {
  return {
    get collaborative() {
      return models.collaborative;
    },
    get churn() {
      return models.churn;
    },
    get customerValue() {
      return models.customerValue;
    },
    get offers() {
      return models.offers;
    },
    trials,
  };
}

/** What a decision goes by whose settings name these versions; undefined = the one that is served. */
export function modelsFor(
  models: Models,
  { offerModel, churnModel, valueModel }: Pick<DecisionSettings, 'offerModel' | 'churnModel' | 'valueModel'>,
): Models {
  if ((offerModel ?? churnModel ?? valueModel) === undefined) return models;
  const { collaborative, churn, customerValue, offers, trials } = models;
  return {
    collaborative,
    churn: trials?.churn.get(churnModel ?? '') ?? churn,
    customerValue: trials?.customerValue.get(valueModel ?? '') ?? customerValue,
    offers: trials?.offers.get(offerModel ?? '') ?? offers,
  };
}
