/** What is known of a customer when a notice is made: the record, and what the served models say of it now. */
import type { ChurnModel } from '../../algorithms/churn-model.ts';
import type { NoticeReason } from '../../domain/webhook.ts';
import { namedFeatures } from '../../features/named-features.ts';
import { type CustomerRecord, featureVector } from '../../features/record.ts';
import { churnReasons } from '../../scoring/churn-reasons.ts';
import { scoreCustomer } from '../../scoring/score-customer.ts';
import type { KnownCustomer } from '../../webhooks/notice.ts';

const reasonsTold = 5;

/** `now` in milliseconds since 1970. */
export function knownCustomer(
  record: CustomerRecord,
  churnModel: ChurnModel | undefined,
  now: number,
): KnownCustomer {
  const { churn } = scoreCustomer({ churn: churnModel }, record, now);
  return {
    attributes: record.attributes,
    features: namedFeatures(record, now),
    churn: churn && { risk: churn.risk, horizonDays: churn.horizonDays },
    reasons: churn === null || churnModel === undefined ? [] : riskReasons(churnModel, record, now),
  };
}

/** What raises the risk, strongest first. */
export function riskReasons(churnModel: ChurnModel, record: CustomerRecord, now: number): NoticeReason[] {
  return churnReasons(churnModel, featureVector(record, now), reasonsTold)
    .filter(({ contribution }) => contribution > 0)
    .map(({ feature, text }) => ({ feature, text }));
}
