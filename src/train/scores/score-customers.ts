/** What a batch of customers comes to: their records out of Redis, and what the models say of each. */
import type { CustomerId } from '../../domain/ids.ts';
import { orderTotalsOf } from '../../features/order-totals.ts';
import { type CustomerRecord, featureVector } from '../../features/record.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { type ScoreBatch, type ScoreRow, scoreBatch } from '../../history/score-snapshots.ts';
import { addressableChannels } from '../../offers/may-address.ts';
import { type CustomerScores, type ScoringModels, scoreCustomer } from '../../scoring/score-customer.ts';

export type ScoredBatch = ScoreBatch & {
  /** Customers without a record: it has not been rebuilt yet, or the customer was erased. */
  withoutRecord: number;
  /** What `onScored` answered: risks that have crossed the bound. */
  crossings: number;
};

export type BatchScorer = (customerIds: readonly CustomerId[]) => Promise<ScoredBatch>;

export type ScoredCustomer = { customerId: CustomerId; record: CustomerRecord; scores: CustomerScores };

export type BatchScoring = {
  records: Pick<RecordStore, 'readMany'>;
  models: ScoringModels;
  /** Milliseconds since 1970: the instant that everybody is looked at. */
  now: number;
  /** Hears of each batch before it is answered. */
  onScored?: (scored: readonly ScoredCustomer[]) => Promise<number>;
};

const ordersFeature = FEATURE_NAMES.indexOf('purchaseCount');

export function createBatchScorer({ records, models, now, onScored }: BatchScoring): BatchScorer {
  return async (customerIds) => {
    const read = await records.readMany(customerIds);
    const rows: ScoreRow[] = [];
    const scored: ScoredCustomer[] = [];
    customerIds.forEach((customerId, n) => {
      const record = read[n];
      if (record === undefined) return;
      const vector = featureVector(record, now);
      const scores = scoreCustomer(models, record, now, vector);
      rows.push(rowOf(customerId, record, scores, vector));
      scored.push({ customerId, record, scores });
    });
    const crossings = (await onScored?.(scored)) ?? 0;
    return { ...scoreBatch(rows), withoutRecord: customerIds.length - rows.length, crossings };
  };
}

export function rowOf(
  customerId: CustomerId,
  record: CustomerRecord,
  { churn, value, nextPurchase, ...bands }: CustomerScores,
  vector: Float32Array,
): ScoreRow {
  const { errands, lastErrandAt, spendMinor } = orderTotalsOf(record);
  return {
    customerId,
    risk: churn?.risk ?? null,
    horizonDays: churn?.horizonDays ?? null,
    riskBand: bands.riskBand,
    valueMinor: value?.valueMinor ?? null,
    lowMinor: value?.lowMinor ?? null,
    highMinor: value?.highMinor ?? null,
    valueHorizonDays: value?.horizonDays ?? null,
    expectedPurchases: value?.expectedPurchases ?? null,
    valueTier: bands.valueTier,
    rfmSegment: bands.rfmSegment,
    nextPurchaseAt: nextPurchase?.expectedAt ?? null,
    earliestAt: nextPurchase?.earliestAt ?? null,
    latestAt: nextPurchase?.latestAt ?? null,
    lastOrderAt: errands > 0 ? lastErrandAt : null,
    orders: vector[ordersFeature] ?? 0,
    spendMinor,
    addressable: addressableChannels(record.attributes),
  };
}
