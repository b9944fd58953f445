/** What the worker does by itself, by the clock (UTC). Kept in Redis: with many workers, each time is still one job. */
import type { Queue } from 'bullmq';
import type { JobName, JobPayload } from '../domain/job.ts';
import type { Config } from '../infra/config.ts';
import { jobOptions } from '../infra/job-queue.ts';

const seed = 1;

/** Each scheduled job, and the setting that says when. */
const scheduled = [
  ['refresh-features', 'refreshSchedule'],
  // Before the trainings: what is checked is the model that customers were judged by.
  ['check-drift', 'driftSchedule'],
  ['train-collaborative', 'trainSchedule'],
  ['update-collaborative', 'updateSchedule'],
  ['train-churn', 'trainSchedule'],
  // Of jobs of one time the first goes first: the bands of risk are those of the churn model before it.
  ['train-customer-value', 'trainSchedule'],
  // Policies are judged by the churn risk and the value of those before it.
  ['train-offers', 'trainSchedule'],
  ['score-customers', 'scoreSchedule'],
] as const satisfies readonly (readonly [JobName, keyof Config])[];

/** Names of the settings. */
export type ScheduleTimes = (typeof scheduled)[number][1];

/** Sets (or changes) the times of every scheduled job. */
export async function scheduleJobs(
  queue: Pick<Queue, 'upsertJobScheduler'>,
  config: Pick<Config, ScheduleTimes>,
): Promise<void> {
  for (const [name, setting] of scheduled) {
    const data: JobPayload = { seed };
    const repeat = { pattern: config[setting], tz: 'UTC' };
    await queue.upsertJobScheduler(name, repeat, { name, data, opts: jobOptions });
  }
}

/** Has Redis lost it? A worker of another version may have put down more. */
export async function lacksSchedule(queue: Pick<Queue, 'getJobSchedulersCount'>): Promise<boolean> {
  return (await queue.getJobSchedulersCount()) < scheduled.length;
}
