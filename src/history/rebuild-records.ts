/**
 * Records made anew from the lake: of customers with a late event, and of everybody (a new feature schema, an import, an
 * empty Redis).
 *
 * While a record is rebuilt, its customer goes on shopping. The lake holds the event stream through the id D (read before
 * the replay, so that the replay sees at least that). A record that reflects an entry after D is left as it is, and its
 * customer stays on the list: after the next drain, the lake covers it. What was written reflects all of the lake, and a
 * later event is folded in on top of it by compare-and-set. So no event is missing and none counts twice.
 *
 * A customer who has long been silent is not to take memory for ever: when everybody's records are made anew, theirs are let
 * go, by the same rule. Who comes back, or is asked for, is put on the list, and made anew as everybody on it.
 */
import { AppError } from '../domain/errors.ts';
import { putDownForRebuild } from '../features/put-down-for-rebuild.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../features/record.ts';
import { RECORD_SCHEMA } from '../features/registry.ts';
import type { CatalogueStore } from '../infra/catalogue-store.ts';
import { latestItems, latestOffers } from './catalogue.ts';
import { type DrainDeps, drainAll, drainedThrough } from './drain.ts';
import { takeLock } from './drain-lock.ts';
import { removeSuperseded } from './erase-lake.ts';
import type { Lake } from './lake.ts';
import { attributeMerged } from './merged-sessions.ts';
import { replayCustomers } from './replay.ts';
import { mergeParts } from './stream-parts.ts';

export type RebuildDeps = Pick<DrainDeps, 'redis' | 'keys' | 'lake' | 'recordStore'>;

export type RebuildReport = {
  /** Customers whose record was written. */
  written: number;
  /** Customers whose record reflects what the lake does not hold yet; they are on the list again. */
  postponed: number;
};

type WrittenRecords = RebuildReport & { gone: number };

const customersAtOnce = 10_000;
const recordsAtOnce = 500;
/** Rounds of draining and rebuilding after everybody's records are written: those of customers who shopped meanwhile. */
const stragglerRounds = 5;

/** Rebuilds the customers that are on the list, or those that are named. To be called after a drain. */
export async function rebuildRecords(
  deps: RebuildDeps,
  customerIds?: readonly string[],
): Promise<RebuildReport> {
  const { redis, keys } = deps;
  // First those whose rebuild a crash broke off.
  const unfinished = await redis.srandmember(keys.rebuildingCustomers, customersAtOnce);
  const ids = [
    ...new Set([
      ...unfinished,
      ...(customerIds ?? (await redis.srandmember(keys.staleCustomers, customersAtOnce))),
    ]),
  ];
  if (ids.length === 0) return { written: 0, postponed: 0 };
  // Off the list before the replay: a late event that comes during it puts the customer on the list again, to stay.
  await redis.sadd(keys.rebuildingCustomers, ...ids);
  await redis.srem(keys.staleCustomers, ...ids);
  const { written, postponed } = await writeRecords(deps, { customerIds: ids });
  await redis.srem(keys.rebuildingCustomers, ...ids);
  return { written, postponed };
}

export type RefreshDeps = DrainDeps & {
  catalogueStore: CatalogueStore;
  /** How long a customer may be silent and have a record, counted back from the shop's last event. Absent: for ever. */
  recordMs?: number | undefined;
};

export type RefreshReport = {
  drained: number;
  /** Records that were written. */
  customers: number;
  /** Customers who shopped through every round; the next rebuild takes them. */
  postponed: number;
  /** Customers who have been silent for so long that they have no record. */
  gone: number;
  /** Items and offers that Redis lacked, or had an older version of. */
  restored: number;
};

/** Brings everything in Redis that the lake can tell up to date: every customer's record, the catalogue, the offers. */
export async function refreshAllRecords(
  deps: RefreshDeps,
  onProgress: (share: number, stage: string) => void | Promise<void> = () => {},
): Promise<RefreshReport> {
  const { redis, keys, lake } = deps;
  // Puts down a mark, too, that goes should Redis be emptied meanwhile.
  const others = await otherSchemas(deps);
  await onProgress(0, 'draining the event stream');
  let drained = await drainAll(deps);
  await merge(deps);
  await onProgress(0.1, 'restoring the catalogue');
  const restored = await restoreCatalogue(lake, deps.catalogueStore);

  await onProgress(0.15, 'rebuilding records');
  const expected = await countCustomers(lake);
  const everybody = await writeRecords(deps, {
    otherSchemas: others,
    goneBefore: await goneBefore(deps),
    onWritten: (done) =>
      onProgress(0.15 + 0.75 * Math.min(1, done / Math.max(1, expected)), 'rebuilding records'),
  });
  let { written: customers, postponed } = everybody;
  if ((await redis.sismember(keys.recordSchemas, RECORD_SCHEMA)) === 0)
    throw new AppError('STORE_UNAVAILABLE', {
      public: 'Redis was emptied while records were rebuilt: what it has now is not all. It is begun anew.',
    });
  await redis.set(keys.recordsBuilt, RECORD_SCHEMA);

  await onProgress(0.9, 'rebuilding records of customers who shop right now');
  for (let round = 0; round < stragglerRounds; round++) {
    drained += await drainAll(deps);
    const report = await rebuildRecords(deps);
    customers += report.written;
    postponed = report.postponed;
    if (report.written + report.postponed === 0) break;
  }
  await onProgress(1, 'records are up to date');
  return { drained, customers, postponed, gone: everybody.gone, restored };
}

/** Milliseconds since 1970: whose last event lies before that has been silent for too long. */
async function goneBefore({ lake, recordMs, now }: RefreshDeps): Promise<number> {
  if (recordMs === undefined) return Number.NEGATIVE_INFINITY;
  const result = await lake.connection.runAndReadAll(
    `SELECT max(epoch_ms("occurredAt"))::DOUBLE FROM ${lake.from('events')}`,
  );
  // Nobody has gone from a shop whose history ends long ago, as one that was imported to try things out.
  const last = Number(result.getRows()[0]?.[0] ?? Number.NEGATIVE_INFINITY);
  return Math.min(now(), last) - recordMs;
}

type Writing = {
  /** Only of these; absent: of everybody. */
  customerIds?: readonly string[];
  otherSchemas?: readonly string[];
  /** Those of customers whose last event lies before it are let go. */
  goneBefore?: number;
  onWritten?: (customers: number) => void | Promise<void>;
};

async function writeRecords(
  { redis, keys, lake, recordStore }: RebuildDeps,
  { customerIds, otherSchemas, goneBefore = Number.NEGATIVE_INFINITY, onWritten }: Writing,
): Promise<WrittenRecords> {
  const through = await drainedThrough(redis, keys);
  const report: WrittenRecords = { written: 0, postponed: 0, gone: 0 };
  let batch: { subjectId: string; record: CustomerRecord }[] = [];
  let silent: string[] = [];
  const flush = async () => {
    const [written, left] = await Promise.all([
      recordStore.replaceCovered(batch, through, otherSchemas),
      recordStore.letGo(silent, through, otherSchemas),
    ]);
    const postponed = [
      ...batch.flatMap(({ subjectId }, b) => (written[b] ? [] : [subjectId])),
      ...silent.filter((_, s) => !left[s]),
    ];
    await putDownForRebuild(redis, keys, postponed);
    report.written += written.filter(Boolean).length;
    report.gone += left.filter(Boolean).length;
    report.postponed += postponed.length;
    batch = [];
    silent = [];
    await onWritten?.(report.written + report.gone + report.postponed);
  };
  await replayCustomers(lake, customerIds === undefined ? {} : { customerIds }, (customerId, events) => {
    const last = events.at(-1);
    if (last !== undefined && last.occurredAt < goneBefore) silent.push(customerId);
    else {
      const record = emptyRecord();
      for (const event of events) applyEvent(record, event);
      batch.push({ subjectId: customerId, record });
    }
    return batch.length + silent.length >= recordsAtOnce ? flush() : undefined;
  });
  if (batch.length + silent.length > 0) await flush();
  return report;
}

/**
 * Schemas whose records are to go. A list of all, for a process of the version before may have written one since the last
 * refresh.
 */
async function otherSchemas({ redis, keys }: RebuildDeps): Promise<string[]> {
  const built = await redis.get(keys.recordsBuilt);
  await redis.sadd(keys.recordSchemas, RECORD_SCHEMA, ...(built === null ? [] : [built]));
  return (await redis.smembers(keys.recordSchemas)).filter((schema) => schema !== RECORD_SCHEMA);
}

/** Readers of files that were written anew are left so long to end. */
const readersMs = 3_600_000;

async function merge({ redis, keys, lake, now }: RefreshDeps): Promise<void> {
  const lock = await takeLock(redis, keys.drainLock);
  // Somebody drains: another night will do.
  if (lock === undefined) return;
  try {
    await attributeMerged(lake, now());
    await removeSuperseded(lake, undefined, now() - readersMs);
    await mergeParts(lake);
  } finally {
    await lock.release();
  }
}

async function restoreCatalogue(lake: Lake, store: CatalogueStore): Promise<number> {
  let restored = 0;
  for await (const changes of latestItems(lake)) restored += await store.restore(changes);
  for await (const changes of latestOffers(lake)) restored += await store.restore(changes);
  return restored;
}

async function countCustomers(lake: Lake): Promise<number> {
  const result = await lake.connection.runAndReadAll(
    `SELECT approx_count_distinct("customerId")::INTEGER FROM ${lake.from('events')}`,
  );
  const count = result.getRows()[0]?.[0];
  if (typeof count !== 'number') throw new AppError('INTERNAL', { public: 'The lake could not be counted.' });
  return count;
}
