/**
 * What the published models say of a customer at an instant. The profile, the list for a CRM and the nightly scoring all
 * ask here, so that no two of them disagree.
 */
import { type ChurnModel, churnRisks } from '../algorithms/churn-model.ts';
import {
  type CustomerPast,
  type CustomerValue,
  type CustomerValueModel,
  customerValue,
} from '../algorithms/customer-value/customer-value-model.ts';
import { nextPurchase } from '../algorithms/customer-value/next-purchase.ts';
import type { RfmSegment, RiskBand, ValueTier } from '../domain/segments.ts';
import { dayMs } from '../domain/time.ts';
import { type CustomerRecord, featureVector } from '../features/record.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import { customerPastOf } from './customer-past.ts';
import { segmentsByLimits } from './segments-by-limits.ts';

/** undefined: none has been published yet. */
export type ScoringModels = {
  readonly churn: ChurnModel | undefined;
  /** Absent: what it tells is not asked for. */
  readonly value?: CustomerValueModel | undefined;
};

export type CustomerScores = {
  /** null: there is no churn model, or the customer has never ordered (the model knows nothing of such). */
  churn: { risk: number; horizonDays: number; risks: { days: number; risk: number }[] } | null;
  /** What follows is null without a customer value model, and for those who have never ordered. */
  value: CustomerValue | null;
  /** Milliseconds since 1970, of a customer who stays: half come before `expectedAt`, 80 in 100 between the other two. */
  nextPurchase: { expectedAt: number; earliestAt: number; latestAt: number } | null;
  /** Not `attributes.segment`, which is the shop's own. */
  rfmSegment: RfmSegment | null;
  valueTier: ValueTier | null;
  /** Also null while the limits of the bands are unknown: no churn model was served when they were told. */
  riskBand: RiskBand | null;
};

const ordersFeature = FEATURE_NAMES.indexOf('purchaseCount');

/** `now` in milliseconds since 1970. `vector` is the record's feature vector at `now`, where the caller has it. */
export function scoreCustomer(
  models: ScoringModels,
  record: CustomerRecord,
  now: number,
  vector: Float32Array = featureVector(record, now),
): CustomerScores {
  const churn = churnOf(models.churn, vector);
  const past = models.value && customerPastOf(record, models.value.margins, now);
  if (models.value === undefined || past === undefined)
    return { churn, value: null, nextPurchase: null, rfmSegment: null, valueTier: null, riskBand: null };
  const value = customerValue(models.value, past);
  const { rfmSegment, valueTier, riskBand } = segmentsByLimits(models.value, past, churn?.risk, value);
  return {
    churn,
    value,
    nextPurchase: nextPurchaseOf(models.value, past, now),
    rfmSegment,
    valueTier: valueTier ?? null,
    riskBand: riskBand ?? null,
  };
}

function churnOf(churn: ChurnModel | undefined, vector: Float32Array): CustomerScores['churn'] {
  const hasOrdered = (vector[ordersFeature] ?? 0) > 0;
  if (churn === undefined || !hasOrdered) return null;
  const risks = churnRisks(churn, vector);
  const own = risks.find(({ days }) => days === churn.horizonDays);
  return own === undefined ? null : { risk: own.risk, horizonDays: churn.horizonDays, risks };
}

function nextPurchaseOf(
  model: CustomerValueModel,
  past: CustomerPast,
  now: number,
): CustomerScores['nextPurchase'] {
  const { early, middle, late } = nextPurchase(model, past);
  const at = (days: number) => Math.round(now + days * dayMs);
  return { expectedAt: at(middle), earliestAt: at(early), latestAt: at(late) };
}
