/** What the worker does by itself, by the clock (UTC). Kept in Redis: with many workers, each time is still one job. */
import type { Queue } from 'bullmq';
import { UsageError } from '../domain/errors.ts';
import type { JobName, JobPayload } from '../domain/job.ts';
import type { Config } from '../infra/config.ts';
import { jobOptions } from '../infra/job-queue.ts';

const seed = 1;

/** Sets (or changes) the times of every scheduled job. Throws UsageError where a setting is no cron expression. */
export async function scheduleJobs(
  queue: Queue,
  config: Pick<Config, 'trainSchedule' | 'refreshSchedule'>,
): Promise<void> {
  const times: readonly (readonly [JobName, string, string])[] = [
    ['refresh-features', config.refreshSchedule, 'REFRESH_SCHEDULE'],
    ['train-collaborative', config.trainSchedule, 'TRAIN_SCHEDULE'],
    ['train-churn', config.trainSchedule, 'TRAIN_SCHEDULE'],
  ];
  for (const [name, pattern, variable] of times) {
    const data: JobPayload = { seed };
    try {
      await queue.upsertJobScheduler(name, { pattern, tz: 'UTC' }, { name, data, opts: jobOptions });
    } catch (err) {
      throw new UsageError(`${variable} is not a schedule (${err instanceof Error ? err.message : err})`);
    }
  }
}
