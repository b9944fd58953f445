/**
 * What the published models say of a customer at an instant. The profile, the list for a CRM and the nightly scoring all
 * ask here, so that no two of them disagree.
 */
import { type ChurnModel, churnRisk } from '../algorithms/churn-model.ts';
import { type CustomerRecord, featureVector } from '../features/record.ts';
import { FEATURE_NAMES } from '../features/registry.ts';

/** undefined: none has been published yet. */
export type ScoringModels = { readonly churn: ChurnModel | undefined };

export type CustomerScores = {
  /** null: there is no churn model, or the customer has never ordered (the model knows nothing of such). */
  churn: { risk: number; horizonDays: number } | null;
};

const ordersFeature = FEATURE_NAMES.indexOf('purchaseCount');

/** `now` in milliseconds since 1970. `vector` is the record's feature vector at `now`, where the caller has it. */
export function scoreCustomer(
  models: ScoringModels,
  record: CustomerRecord,
  now: number,
  vector: Float32Array = featureVector(record, now),
): CustomerScores {
  const { churn } = models;
  const hasOrdered = (vector[ordersFeature] ?? 0) > 0;
  return {
    churn:
      churn === undefined || !hasOrdered
        ? null
        : { risk: churnRisk(churn, vector), horizonDays: churn.horizonDays },
  };
}
