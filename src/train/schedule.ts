/** What the worker does by itself, by the clock (UTC). Kept in Redis: with many workers, each time is still one job. */
import type { Queue } from 'bullmq';
import type { JobName, JobPayload } from '../domain/job.ts';
import type { Config } from '../infra/config.ts';
import { jobOptions } from '../infra/job-queue.ts';

const seed = 1;

/** Sets (or changes) the times of every scheduled job. */
export async function scheduleJobs(
  queue: Queue,
  config: Pick<
    Config,
    'trainSchedule' | 'updateSchedule' | 'refreshSchedule' | 'scoreSchedule' | 'driftSchedule'
  >,
): Promise<void> {
  const times: readonly (readonly [JobName, string])[] = [
    ['refresh-features', config.refreshSchedule],
    // Before the trainings: what is checked is the model that customers were judged by.
    ['check-drift', config.driftSchedule],
    ['train-collaborative', config.trainSchedule],
    ['update-collaborative', config.updateSchedule],
    ['train-churn', config.trainSchedule],
    // Of jobs of one time the first goes first: the bands of risk are those of the churn model before it.
    ['train-customer-value', config.trainSchedule],
    // Policies are judged by the churn risk and the value of those before it.
    ['train-offers', config.trainSchedule],
    ['score-customers', config.scoreSchedule],
  ];
  for (const [name, pattern] of times) {
    const data: JobPayload = { seed };
    await queue.upsertJobScheduler(name, { pattern, tz: 'UTC' }, { name, data, opts: jobOptions });
  }
}
