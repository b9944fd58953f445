/** Looks, after the faults, at what there is: in the lake, in Redis, among the models. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createBudgetLedger } from '../../../decide/ledger/offer-budget.ts';
import { ModelName, ModelVersion } from '../../../domain/manifest.ts';
import type { Offer } from '../../../domain/offer.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../../features/record.ts';
import { encodeRecord } from '../../../features/record-codec.ts';
import { createRecordStore } from '../../../features/record-store.ts';
import { type Lake, openLake, sqlText } from '../../../history/lake.ts';
import { replayCustomers } from '../../../history/replay.ts';
import type { JobQueue } from '../../../infra/job-queue.ts';
import type { Keys } from '../../../infra/keys.ts';
import { loadModel } from '../../../infra/model-store.ts';
import type { Redis } from '../../../infra/redis.ts';
import { currentVersion } from '../../../infra/served-versions.ts';
import type { Found, FoundEvent } from './first-loss.ts';

export type FindDeps = {
  redis: Redis;
  keys: Keys;
  jobs: JobQueue;
  dataDir: string;
  modelsDir: string;
  offers: readonly Offer[];
};

const recordsAtOnce = 500;

/** `imported` is the part of the lake that was there before. To be called when nothing waits any more. */
export async function find(deps: FindDeps, jobIds: Iterable<string>, imported: string): Promise<Found> {
  const lake = await openLake(deps.dataDir);
  try {
    const { records, wrongRecords } = await judgeRecords(lake, deps);
    const { models, brokenModels } = await judgeModels(deps.modelsDir);
    const jobs: [string, { state: string; error?: string | undefined } | null][] = [];
    for (const jobId of jobIds) jobs.push([jobId, (await deps.jobs.get(jobId)) ?? null]);
    return {
      events: await eventsOf(lake, imported),
      decisions: await decisionsOf(lake),
      records,
      wrongRecords,
      models,
      brokenModels,
      jobs: new Map(jobs),
      budgets: await budgetsOf(deps),
    };
  } finally {
    lake.close();
  }
}

async function eventsOf(lake: Lake, imported: string): Promise<FoundEvent[]> {
  const { from } = lake;
  // An event is named by its customer and its id; each of its lines is a row.
  const result = await lake.connection.runAndReadAll(
    `SELECT "eventId", any_value(type), "customerId", any_value(epoch_ms("occurredAt"))::DOUBLE,
       count(DISTINCT line)::INTEGER, max(copies)::INTEGER
     FROM (SELECT *, count(*) OVER (PARTITION BY "customerId", "eventId", line) AS copies
           FROM ${from('events')}
           WHERE "eventId" NOT IN (SELECT "eventId" FROM read_parquet(${sqlText(imported)})))
     GROUP BY "customerId", "eventId"`,
  );
  return result.getRows().map(([eventId, type, customerId, occurredAt, lines, copies]) => ({
    eventId: String(eventId),
    type: String(type),
    customerId: String(customerId),
    occurredAt: Number(occurredAt),
    lines: Number(lines),
    copies: Number(copies),
  }));
}

async function decisionsOf(lake: Lake): Promise<Set<string>> {
  const result = await lake.connection.runAndReadAll(
    `SELECT DISTINCT "decisionId" FROM ${lake.from('decisions')}`,
  );
  return new Set(result.getRows().map(([decisionId]) => String(decisionId)));
}

async function judgeRecords(
  lake: Lake,
  { redis, keys }: FindDeps,
): Promise<{ records: number; wrongRecords: string[] }> {
  const store = createRecordStore(redis, keys);
  const wrongRecords: string[] = [];
  let batch: { customerId: string; record: CustomerRecord }[] = [];
  const judge = async () => {
    const stored = await store.readMany(batch.map(({ customerId }) => customerId));
    batch.forEach(({ customerId, record }, b) => {
      const found = stored[b];
      // How far it reflects the stream is no part of what it says of the customer.
      const same =
        found !== undefined &&
        encodeRecord({ ...record, appliedThrough: found.appliedThrough }).equals(encodeRecord(found));
      if (!same) wrongRecords.push(customerId);
    });
    batch = [];
  };
  const records = await replayCustomers(lake, {}, (customerId, events) => {
    const record = emptyRecord();
    for (const event of events) applyEvent(record, event);
    batch.push({ customerId, record });
    return batch.length >= recordsAtOnce ? judge() : undefined;
  });
  await judge();
  return { records, wrongRecords };
}

/** Every version that appeared under its name is read, and its files are held to the hashes in its manifest. */
async function judgeModels(modelsDir: string): Promise<{ models: number; brokenModels: string[] }> {
  const brokenModels: string[] = [];
  let models = 0;
  for (const name of ModelName.options) {
    const entries = await readdir(join(modelsDir, name)).catch(() => []);
    const versions = entries.flatMap((entry) => ModelVersion.safeParse(entry).data ?? []);
    const served = await currentVersion(modelsDir, name).catch((err: Error) => {
      brokenModels.push(err.message);
      return undefined;
    });
    if (served !== undefined && !versions.includes(served))
      brokenModels.push(`the served ${name} model ${served} is gone`);
    for (const version of versions) {
      models++;
      await loadModel(modelsDir, name, version).catch((err: Error) =>
        brokenModels.push(`${name} ${version}: ${err.message}`),
      );
    }
  }
  return { models, brokenModels };
}

async function budgetsOf({ redis, keys, offers }: FindDeps): Promise<Found['budgets']> {
  const ledger = createBudgetLedger(redis, keys);
  const budgets: Found['budgets'] = [];
  for (const offer of offers) {
    const state = await ledger.state(offer, Date.now());
    budgets.push({
      offerId: offer.offerId,
      limit: offer.budget?.count ?? Number.POSITIVE_INFINITY,
      confirmed: state.confirmedCount,
      reserved: state.reservedCount,
      unbudgeted: state.unbudgetedCount,
    });
  }
  return budgets;
}
