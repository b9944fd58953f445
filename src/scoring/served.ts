/** Models as a process serves them: each with the version that answers are stamped with. */
import type { ChurnModel } from '../algorithms/churn-model.ts';
import type { CollaborativeModel } from '../algorithms/collaborative-model.ts';
import type { CustomerValueModel } from '../algorithms/customer-value/customer-value-model.ts';
import type { OfferModel } from '../algorithms/offer-model/offer-model.ts';
import type { ModelManifest } from '../domain/manifest.ts';

export type Served<M> = { version: string; manifest: ModelManifest; model: M };

/** The models in memory. Read a field once per request: it is replaced by one assignment when a new one is published. */
export type Models = {
  readonly collaborative: Served<CollaborativeModel> | undefined;
  readonly churn: Served<ChurnModel> | undefined;
  readonly customerValue: Served<CustomerValueModel> | undefined;
  readonly offers: Served<OfferModel> | undefined;
  /** Those that experiments try. */
  readonly trials?: TrialModels;
};

/** By version. */
export type TrialModels = {
  readonly churn: ReadonlyMap<string, Served<ChurnModel>>;
  readonly customerValue: ReadonlyMap<string, Served<CustomerValueModel>>;
  readonly offers: ReadonlyMap<string, Served<OfferModel>>;
};
