/**
 * What the worker does between jobs: moves events into the lake, then puts records right that came out of order. Beside it,
 * what is to be asked of the queue, whose Redis may be another: one that is away must not keep events out of the lake.
 */
import { createRecordStore } from '../features/record-store.ts';
import { type DrainReport, drainOnce } from '../history/drain.ts';
import type { Lake } from '../history/lake.ts';
import { rebuildRecords } from '../history/rebuild-records.ts';
import type { Config } from '../infra/config.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { Redis } from '../infra/redis.ts';
import type { Tombstones } from '../infra/tombstones.ts';
import type { AfterLoss } from './after-loss.ts';
import { type Loop, startLoop } from './loop.ts';
import type { MAINTENANCE_STEPS, WorkerMetrics } from './metrics.ts';
import { tellOfEvents } from './webhooks/outbox.ts';

export type MaintenanceDeps = {
  redis: Redis;
  /** Only its status is looked at. */
  queueRedis: Pick<Redis, 'status'>;
  keys: Keys;
  lake: Lake;
  config: Pick<Config, 'drainIntervalMs' | 'webhooks'>;
  metrics: WorkerMetrics;
  log: Logger;
  tombstones: Pick<Tombstones, 'erasedAt'>;
  afterLoss: AfterLoss;
  /** Asks for the erasures that are due, once a round. */
  askForErasures: () => Promise<void>;
};

/** Entries that one part of the lake takes. */
const entriesAtOnce = 20_000;
/** A rebuild reads the whole lake; at most this share of the time goes into it. */
const rebuildShare = 0.1;

export function startMaintenance(deps: MaintenanceDeps): Loop {
  const { redis, queueRedis, keys, lake, config, metrics, log, tombstones, afterLoss, askForErasures } = deps;
  const recordStore = createRecordStore(redis, keys, {
    onUnreadable: (reason) => log.error({ event: 'record.unreadable', reason }, 'a record cannot be read'),
  });
  const onEvents = config.webhooks && tellOfEvents({ redis, keys }, config.webhooks);
  let rebuildAgainAt = 0;

  async function drain(): Promise<DrainReport> {
    const report = await drainOnce({
      redis,
      keys,
      lake,
      recordStore,
      now: Date.now,
      log,
      tombstones,
      maxEntries: entriesAtOnce,
      onEvents,
    });
    metrics.drained.inc({ outcome: 'written' }, report.events + report.catalogueChanges + report.decisions);
    metrics.drained.inc({ outcome: 'duplicate' }, report.duplicates);
    metrics.drained.inc({ outcome: 'unreadable' }, report.unreadable);
    metrics.eventsRepaired.inc(report.repaired);
    for (const seconds of report.repairedAfterSeconds) metrics.eventToRecord.observe(seconds);
    if (report.entries > 0)
      log.debug({ event: 'drain.written', entries: report.entries, events: report.events }, 'drained');
    return report;
  }

  async function rebuild(): Promise<void> {
    const startedAt = performance.now();
    if (startedAt < rebuildAgainAt) return;
    const { written, postponed } = await rebuildRecords({ redis, keys, lake, recordStore });
    if (written + postponed === 0) return;
    metrics.recordsRebuilt.inc(written);
    log.debug(
      { event: 'records.rebuilt', written, postponed },
      'rebuilt records of customers with late events',
    );
    const endedAt = performance.now();
    rebuildAgainAt = endedAt + (endedAt - startedAt) / rebuildShare;
  }

  /** One failure is logged once and counted: the next round tries again. */
  async function attempt<T>(
    step: (typeof MAINTENANCE_STEPS)[number],
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (err) {
      metrics.maintenanceFailures.inc({ step });
      log.error({ event: `${step}.failed`, err }, `${step} failed and will be tried again`);
      return undefined;
    }
  }

  const records = startLoop(async () => {
    // Without it the drain would bring into the lake what is told of the erased.
    const restored = await attempt('restore', async () => {
      await afterLoss.restoreErased();
      return true;
    });
    const report = restored ? await attempt('drain', drain) : undefined;
    if (report !== undefined && !report.locked) await attempt('rebuild', rebuild);
    return report?.entries === entriesAtOnce;
  }, config.drainIntervalMs);
  const asking = startLoop(async () => {
    // A command would wait until it is back, and the end of this process with it.
    if (queueRedis.status !== 'ready') return false;
    await attempt('schedule', afterLoss.restoreJobs);
    await attempt('erase', askForErasures);
    return false;
  }, config.drainIntervalMs);
  return {
    stop: async () => {
      await Promise.all([records.stop(), asking.stop()]);
    },
  };
}
