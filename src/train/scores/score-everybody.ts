/** Scores every customer of the lake into a snapshot: time passes, and nobody posts an event for it. */
import type { CustomerId } from '../../domain/ids.ts';
import { type Lake, queryChunks } from '../../history/lake.ts';
import { type Snapshot, type SnapshotId, writeSnapshot } from '../../history/score-snapshots.ts';
import type { BatchScorer, ScoredBatch } from './score-customers.ts';

export type ScoreEverybody = {
  lake: Lake;
  dataDir: string;
  score: BatchScorer;
  /** Batches that are being scored at any time: enough for every thread to have its next. */
  inFlight: number;
  versions: Snapshot['models'];
  id: SnapshotId;
  /** Milliseconds since 1970: the instant that everybody is looked at. */
  now: number;
  report: (share: number) => Promise<void> | void;
};

export type ScoreReport = { snapshot: Snapshot; withoutRecord: number; crossings: number };

const customersAtOnce = 500;

export async function scoreEverybody(options: ScoreEverybody): Promise<ScoreReport> {
  const { lake, dataDir, score, inFlight, versions, id, now, report } = options;
  const ids = await lake.connect();
  const parts = await lake.connect();
  try {
    const customers = Math.max(1, await countCustomers(lake));
    let seen = 0;
    let withoutRecord = 0;
    let crossings = 0;
    const about = { id, scoredAt: new Date(now).toISOString(), models: versions };
    const snapshot = await writeSnapshot(parts, dataDir, about, async ({ add }) => {
      const underWay: { customers: number; scored: Promise<ScoredBatch> }[] = [];
      const takeFirst = async () => {
        const first = underWay.shift();
        if (first === undefined) return;
        const batch = await first.scored;
        await add(batch);
        seen += first.customers;
        withoutRecord += batch.withoutRecord;
        crossings += batch.crossings;
        await report(Math.min(1, seen / customers));
      };
      for await (const batch of customerBatches(lake, ids)) {
        const scored = score(batch);
        // Handled when it is its turn.
        scored.catch(() => {});
        underWay.push({ customers: batch.length, scored });
        if (underWay.length >= inFlight) await takeFirst();
      }
      while (underWay.length > 0) await takeFirst();
    });
    return { snapshot, withoutRecord, crossings };
  } finally {
    ids.closeSync();
    parts.closeSync();
  }
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
      if (batch.length < customersAtOnce) continue;
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
