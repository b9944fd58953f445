/** What is known of a customer when a notice is made: the record, and what the served models say of it now. */
import type { ChurnModel } from '../../algorithms/churn-model.ts';
import type { NoticeReason } from '../../domain/webhook.ts';
import { namedFeatures } from '../../features/named-features.ts';
import { type CustomerRecord, featureVector } from '../../features/record.ts';
import { explainChurn } from '../../scoring/churn-reasons.ts';
import { type ScoringModels, scoreCustomer } from '../../scoring/score-customer.ts';
import type { KnownCustomer } from '../../webhooks/notice.ts';

const reasonsTold = 5;

/** `now` in milliseconds since 1970. */
export function knownCustomer(record: CustomerRecord, models: ScoringModels, now: number): KnownCustomer {
  const { churn, value } = scoreCustomer(models, record, now);
  return {
    attributes: record.attributes,
    features: namedFeatures(record, now),
    churn: churn && { risk: churn.risk, horizonDays: churn.horizonDays },
    value: value && { valueMinor: Math.round(value.valueMinor), horizonDays: value.horizonDays },
    reasons: churn === null || models.churn === undefined ? [] : riskReasons(models.churn, record, now),
  };
}

/** What raises the risk, strongest first. */
export function riskReasons(churnModel: ChurnModel, record: CustomerRecord, now: number): NoticeReason[] {
  return explainChurn(churnModel, featureVector(record, now))
    .reasons.filter(({ contribution }) => contribution > 0)
    .slice(0, reasonsTold)
    .map(({ feature, text }) => ({ feature, text }));
}
