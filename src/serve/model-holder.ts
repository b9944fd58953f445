/** The models in memory: follows what is published, swaps by one assignment, and keeps the last good one. */
import { churnFromFiles } from '../algorithms/churn-files.ts';
import type { ChurnModel } from '../algorithms/churn-model.ts';
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import { customerValueFromFiles } from '../algorithms/customer-value/customer-value-files.ts';
import type { CustomerValueModel } from '../algorithms/customer-value/customer-value-model.ts';
import type { OfferModel } from '../algorithms/offer-model/offer-model.ts';
import { offersFromFiles } from '../algorithms/offer-model/offer-model-files.ts';
import { AppError } from '../domain/errors.ts';
import { MODEL_NAMES, type ModelManifest, type ModelName, type ModelVersion } from '../domain/manifest.ts';
import type { Logger } from '../infra/logger.ts';
import { type LoadedModel, loadModel, loadServableModel, watchModels } from '../infra/model-store.ts';
import { currentVersion } from '../infra/served-versions.ts';
import type { Models, Served } from '../scoring/served.ts';
import type { ServeMetrics } from './metrics.ts';
import { servableCollaborative } from './servable-collaborative.ts';

export type ModelHolder = Models & {
  /** Loads what is there, then follows. A model that cannot be used is logged, counted and passed over. */
  start: () => Promise<void>;
  /** Waits for a load under way. */
  stop: () => Promise<void>;
};

export type ModelHolderOptions = {
  modelsDir: string;
  /** Hash of the feature definitions of this build: a model trained on others would misread the records. */
  featureSchema: string;
  metrics: Pick<ServeMetrics, 'modelLoadFailures' | 'modelSwaps'>;
  log: Logger;
  pollIntervalMs?: number;
  /** How often a version that was refused is tried again. */
  retryIntervalMs?: number;
};

const retryIntervalDefaultMs = 60_000;

export function createModelHolder(options: ModelHolderOptions): ModelHolder {
  const { modelsDir, log, metrics } = options;
  let collaborative: Served<CollaborativeModel> | undefined;
  let churn: Served<ChurnModel> | undefined;
  let customerValue: Served<CustomerValueModel> | undefined;
  let offers: Served<OfferModel> | undefined;
  /** The version that was last looked at, used or refused: a refused one is not read again each second. */
  const tried = new Map<ModelName, ModelVersion>();
  /** Why a version was refused: its files may still be on their way, or be put right where they are. */
  const refused = new Map<ModelName, string>();
  /** Loads come one after another, so that the last one published is the last one taken. */
  let loading: Promise<void> = Promise.resolve();
  let stopWatching = () => {};
  let retrying: NodeJS.Timeout | undefined;

  const served = (name: ModelName) =>
    ({ collaborative, churn, 'customer-value': customerValue, offers })[name];

  async function adopt(loaded: LoadedModel): Promise<void> {
    const { manifest, arrays, tables } = loaded;
    refuseOtherFeatures(manifest, options.featureSchema);
    const { name, version } = manifest;
    if (name === 'collaborative') {
      collaborative = { version, manifest, model: await servableCollaborative(loaded, log) };
    } else if (name === 'churn') {
      churn = { version, manifest, model: churnFromFiles(arrays, tables) };
    } else if (name === 'offers') {
      offers = { version, manifest, model: offersFromFiles(arrays, tables) };
    } else {
      customerValue = { version, manifest, model: customerValueFromFiles(arrays, tables) };
    }
    metrics.modelSwaps.inc({ model: name });
    log.info({ event: 'model.loaded', model: name, version }, 'model loaded');
  }

  function refuse(model: ModelName, version: ModelVersion | undefined, err: unknown): void {
    const reason = err instanceof Error ? err.message : String(err);
    metrics.modelLoadFailures.inc({ model });
    // Once is enough: it is tried again and again.
    if (refused.get(model) === `${version} ${reason}`) return;
    refused.set(model, `${version} ${reason}`);
    log.error(
      { event: 'model.refused', model, version, reason },
      'a published model was refused, and what is loaded (or none) goes on; after a change of the features, train again: nextbest train',
    );
  }

  async function loadFirst(name: ModelName): Promise<void> {
    let newest: ModelVersion | undefined;
    try {
      const loaded = await loadServableModel(
        modelsDir,
        name,
        (version, err) => {
          newest ??= version;
          refuse(name, version, err);
        },
        adopt,
      );
      newest ??= loaded?.manifest.version;
    } catch (err) {
      refuse(name, newest, err);
    }
    if (newest === undefined) return;
    tried.set(name, newest);
    if (served(name)?.version === newest) refused.delete(name);
  }

  async function loadNext(name: ModelName, version: ModelVersion): Promise<void> {
    if (tried.get(name) === version) return;
    tried.set(name, version);
    try {
      await adopt(await loadModel(modelsDir, name, version));
      refused.delete(name);
    } catch (err) {
      refuse(name, version, err);
    }
  }

  async function retryRefused(): Promise<void> {
    for (const name of refused.keys()) {
      const version = await currentVersion(modelsDir, name).catch(() => undefined);
      // Another one than was refused is what the watch has just heard of, too.
      if (version === undefined || served(name)?.version === version) continue;
      tried.delete(name);
      await loadNext(name, version);
    }
  }

  return {
    get collaborative() {
      return collaborative;
    },
    get churn() {
      return churn;
    },
    get customerValue() {
      return customerValue;
    },
    get offers() {
      return offers;
    },
    start: async () => {
      for (const name of MODEL_NAMES) await loadFirst(name);
      stopWatching = watchModels(
        modelsDir,
        (name, version) => {
          loading = loading.then(() => loadNext(name, version));
        },
        options.pollIntervalMs,
      );
      retrying = setInterval(() => {
        loading = loading.then(retryRefused);
      }, options.retryIntervalMs ?? retryIntervalDefaultMs).unref();
    },
    stop: async () => {
      stopWatching();
      clearInterval(retrying);
      await loading;
    },
  };
}

function refuseOtherFeatures({ featureSchema }: ModelManifest, own: string): void {
  if (featureSchema === null || featureSchema === own) return;
  throw new AppError('MODEL_UNAVAILABLE', {
    public: 'The model belongs to another version of nextbest.',
    internal: `trained on features ${featureSchema}, this build has ${own}`,
  });
}
