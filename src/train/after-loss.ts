/**
 * What a Redis that comes back empty (its file was lost, somebody emptied it) does not get back by itself, put there again
 * while the worker runs: who has been erased, the schedule, and by `refresh-features` records, catalogue and offers.
 *
 * Two marks tell: `keys.remembersErased` is written here, `keys.recordsBuilt` by a refresh that has got to its end. Where the
 * records are of another layout, a worker of that layout is at work too, and the two must not rebuild in turn.
 */
import type { Queue } from 'bullmq';
import type { Config } from '../infra/config.ts';
import type { JobQueue } from '../infra/job-queue.ts';
import type { Keys } from '../infra/keys.ts';
import type { Logger } from '../infra/logger.ts';
import type { Redis } from '../infra/redis.ts';
import { callWhenFull } from '../infra/redis-script.ts';
import type { Tombstones } from '../infra/tombstones.ts';
import { lacksSchedule, type ScheduleTimes, scheduleJobs } from './schedule.ts';

export type AfterLossDeps = {
  redis: Redis;
  keys: Pick<Keys, 'remembersErased' | 'recordsBuilt'>;
  tombstones: Pick<Tombstones, 'restore'>;
  queue: Pick<Queue, 'getJobSchedulersCount' | 'upsertJobScheduler'>;
  jobs: Pick<JobQueue, 'enqueue'>;
  config: Pick<Config, ScheduleTimes>;
  log: Pick<Logger, 'warn'>;
};

export type AfterLoss = {
  /** To be called before a drain, which asks who has been erased; where it rejects, the drain must wait. */
  restoreErased: () => Promise<void>;
  /** The schedule, and the refresh; asks the queue's Redis. */
  restoreJobs: () => Promise<void>;
};

/** A refresh that has failed is asked for again after so long, and one that was lost with its queue. */
const askAgainMs = 60_000;

/** `monotonicNow` in milliseconds. */
export function createAfterLoss(deps: AfterLossDeps, monotonicNow = () => performance.now()): AfterLoss {
  const { redis, keys, tombstones, queue, jobs, config, log } = deps;
  let restored = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  return {
    async restoreErased() {
      const remembers = (await redis.exists(keys.remembersErased)) === 1;
      if (restored && remembers) return;
      if (restored)
        log.warn(
          { event: 'redis.empty' },
          'Redis has come back without what it held: it is put there again from the lake; budgets and caps by `nextbest offers rebuild-ledgers`',
        );
      askedAt = Number.NEGATIVE_INFINITY;
      restored = false;
      // The mark first: should Redis be emptied once more meanwhile, it is gone too, and the next round begins anew.
      if (!remembers) await callWhenFull(redis, 'SET', keys.remembersErased, '1');
      await tombstones.restore();
      restored = true;
    },
    async restoreJobs() {
      if (await lacksSchedule(queue)) await scheduleJobs(queue, config);
      if ((await redis.exists(keys.recordsBuilt)) === 1) askedAt = Number.NEGATIVE_INFINITY;
      else if (monotonicNow() - askedAt >= askAgainMs) {
        await jobs.enqueue('refresh-features', {});
        askedAt = monotonicNow();
      }
    },
  };
}
