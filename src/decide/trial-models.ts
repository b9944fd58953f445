/** Versions of the offer model that experiments try beside the one that is served. */
import type { OfferModel } from '../algorithms/offer-model/offer-model.ts';
import { offersFromFiles } from '../algorithms/offer-model/offer-model-files.ts';
import type { DecisionPolicy } from '../domain/decision-policy.ts';
import { ModelVersion } from '../domain/manifest.ts';
import { FEATURE_SCHEMA } from '../features/registry.ts';
import { loadModel } from '../infra/model-store.ts';
import { invalidSettings } from '../infra/settings-file.ts';
import { keepTrialVersions } from '../infra/trial-versions.ts';
import type { Models, Served } from '../scoring/served.ts';

export type TrialModels = NonNullable<Models['trialOffers']>;

/**
 * Loads, and keeps from being removed, those that the policy's experiments name, but for experiments that have ended by `now` (milliseconds since 1970). UsageError
 * names each that cannot be had: decided by another model, a variant would be measured as what it is not.
 */
export async function loadTrialModels(
  modelsDir: string,
  { experiments }: DecisionPolicy,
  policyFile: string | undefined,
  now: number,
): Promise<TrialModels> {
  const models = new Map<string, Served<OfferModel> & { version: ModelVersion }>();
  const faults: { place: string; message: string }[] = [];
  for (const [e, { variants, to }] of experiments.entries()) {
    if (Date.parse(to ?? '') <= now) continue;
    for (const [v, { offerModel }] of variants.entries()) {
      if (offerModel === undefined || models.has(offerModel)) continue;
      try {
        models.set(offerModel, await load(modelsDir, offerModel));
      } catch (err) {
        const message = `cannot be had: ${err instanceof Error ? err.message : err}. nextbest models list shows which there are`;
        faults.push({ place: `experiments.${e}.variants.${v}.offerModel`, message });
      }
    }
  }
  if (faults.length > 0)
    throw invalidSettings(
      'DECISION_POLICY_FILE',
      policyFile ?? '',
      faults,
      'docs/experiments.md tells more.',
    );
  await keepTrialVersions(
    modelsDir,
    'offers',
    [...models.values()].map(({ version }) => version),
  );
  return models;
}

async function load(modelsDir: string, name: string) {
  const version = ModelVersion.parse(name);
  const { manifest, arrays, tables } = await loadModel(modelsDir, 'offers', version);
  if (manifest.featureSchema !== null && manifest.featureSchema !== FEATURE_SCHEMA)
    throw new Error(`trained on features ${manifest.featureSchema}, this build has ${FEATURE_SCHEMA}`);
  return { version, manifest, model: offersFromFiles(arrays, tables) };
}

/** The same models, which go on following what is published, with others on trial. */
export function withTrialModels(models: Models, trialOffers: TrialModels): Models {
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
    trialOffers,
  };
}

/** What a decision goes by whose settings name this version of the offer model; undefined = the one that is served. */
export function modelsFor(models: Models, offerModel: string | undefined): Models {
  const offers = offerModel === undefined ? undefined : models.trialOffers?.get(offerModel);
  if (offers === undefined) return models;
  const { collaborative, churn, customerValue } = models;
  return { collaborative, churn, customerValue, offers };
}
