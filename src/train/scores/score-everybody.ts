/** Scores every customer of the lake from the records in Redis into a snapshot: time passes, and nobody posts an event for it. */
import type { CustomerId } from '../../domain/ids.ts';
import { orderTotalsOf } from '../../features/order-totals.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { featureVector } from '../../features/record.ts';
import type { RecordStore } from '../../features/record-store.ts';
import { FEATURE_NAMES } from '../../features/registry.ts';
import { type Lake, queryChunks } from '../../history/lake.ts';
import {
  type ScoreRow,
  type Snapshot,
  type SnapshotId,
  writeSnapshot,
} from '../../history/score-snapshots.ts';
import { type CustomerScores, type ScoringModels, scoreCustomer } from '../../scoring/score-customer.ts';

export type ScoreEverybody = {
  lake: Lake;
  records: Pick<RecordStore, 'readMany'>;
  dataDir: string;
  models: ScoringModels;
  versions: Snapshot['models'];
  id: SnapshotId;
  /** Milliseconds since 1970: the instant that everybody is looked at. */
  now: number;
  report: (share: number) => Promise<void> | void;
  /** Hears of everybody, some at a time, as they are scored. */
  onScored?: (scored: readonly ScoredCustomer[]) => Promise<unknown>;
};

export type ScoredCustomer = { customerId: CustomerId; record: CustomerRecord; scores: CustomerScores };

export type ScoreReport = {
  snapshot: Snapshot;
  /** Customers of the lake without a record: it has not been rebuilt yet, or the customer was erased. */
  withoutRecord: number;
};

/** Read ahead while others are scored. */
const recordsAtOnce = 500;
const ordersFeature = FEATURE_NAMES.indexOf('purchaseCount');

export async function scoreEverybody(options: ScoreEverybody): Promise<ScoreReport> {
  const { lake, records, dataDir, models, versions, id, now, report, onScored } = options;
  const ids = await lake.connect();
  const parts = await lake.connect();
  try {
    const customers = Math.max(1, await countCustomers(lake));
    let seen = 0;
    let withoutRecord = 0;
    const about = { id, scoredAt: new Date(now).toISOString(), models: versions };
    const snapshot = await writeSnapshot(parts, dataDir, about, async ({ add }) => {
      const batches = customerBatches(lake, ids);
      let next = readBatch(await batches.next());
      for (;;) {
        const batch = await next;
        if (batch === undefined) break;
        // The next ones are on their way while these are scored.
        next = batches.next().then(readBatch);
        // Handled when it is awaited.
        next.catch(() => {});
        const scored: ScoredCustomer[] = [];
        for (const [customerId, record] of batch) {
          seen++;
          if (record === undefined) {
            withoutRecord++;
            continue;
          }
          const vector = featureVector(record, now);
          const scores = scoreCustomer(models, record, now, vector);
          scored.push({ customerId, record, scores });
          const pending = add(rowOf(customerId, record, scores, vector));
          if (pending !== undefined) await pending;
        }
        await onScored?.(scored);
        await report(Math.min(1, seen / customers));
      }
    });
    return { snapshot, withoutRecord };
  } finally {
    ids.closeSync();
    parts.closeSync();
  }

  async function readBatch(
    result: IteratorResult<CustomerId[]>,
  ): Promise<[CustomerId, CustomerRecord | undefined][] | undefined> {
    if (result.done) return undefined;
    const read = await records.readMany(result.value);
    return result.value.map((customerId, n) => [customerId, read[n]]);
  }
}

/** In the order of SCORE_COLUMNS. */
export function rowOf(
  customerId: CustomerId,
  record: CustomerRecord,
  scores: CustomerScores,
  vector: Float32Array,
): ScoreRow {
  const { churn, value, nextPurchase } = scores;
  const { errands, lastErrandAt, spendMinor } = orderTotalsOf(record);
  return [
    customerId,
    churn?.risk ?? null,
    churn?.horizonDays ?? null,
    scores.riskBand,
    value?.valueMinor ?? null,
    value?.lowMinor ?? null,
    value?.highMinor ?? null,
    value?.horizonDays ?? null,
    value?.expectedPurchases ?? null,
    scores.valueTier,
    scores.rfmSegment,
    nextPurchase?.expectedAt ?? null,
    nextPurchase?.earliestAt ?? null,
    nextPurchase?.latestAt ?? null,
    errands > 0 ? lastErrandAt : null,
    vector[ordersFeature] ?? 0,
    spendMinor,
  ];
}

async function* customerBatches(
  lake: Lake,
  connection: Awaited<ReturnType<Lake['connect']>>,
): AsyncGenerator<CustomerId[]> {
  const query = `SELECT DISTINCT "customerId" FROM ${lake.from('events')} WHERE "customerId" IS NOT NULL`;
  let batch: CustomerId[] = [];
  for await (const chunk of queryChunks(connection, query)) {
    const ids = chunk.getColumnVector(0);
    for (let r = 0; r < chunk.rowCount; r++) {
      batch.push(String(ids.getItem(r)) as CustomerId);
      if (batch.length < recordsAtOnce) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function countCustomers(lake: Lake): Promise<number> {
  const counted = await lake.connection.runAndReadAll(
    `SELECT approx_count_distinct("customerId")::DOUBLE FROM ${lake.from('events')}`,
  );
  return Number(counted.value(0, 0));
}
