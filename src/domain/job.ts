import { z } from 'zod';

/** What the worker can be asked to do. */
export const JOB_NAMES = [
  'train-collaborative',
  'update-collaborative',
  'train-churn',
  'train-customer-value',
  'train-offers',
  'check-drift',
  'refresh-features',
  'score-customers',
] as const;
export const JobName = z.enum(JOB_NAMES);
export type JobName = z.output<typeof JobName>;

/** A job's payload: names and times only, never a customer's data. */
export const JobPayload = z.strictObject({
  /** Only events before this instant are seen (milliseconds since 1970); absent = all. */
  cutoff: z.int().positive().optional(),
  seed: z.int().min(0).default(1),
});
export type JobPayload = z.output<typeof JobPayload>;

/** What a finished job answers. */
export const JobResult = z.object({
  job: JobName,
  /** Set by training jobs. */
  model: z.string().optional(),
  version: z.string().optional(),
  published: z.boolean().optional(),
  /** Why it was published, or why not. */
  reason: z.string().optional(),
  metrics: z.record(z.string(), z.number()).default({}),
});
export type JobResult = z.output<typeof JobResult>;

/** Progress of a job: a share of 1 and what it is at. */
export const JobProgress = z.object({ share: z.number().min(0).max(1), stage: z.string() });
export type JobProgress = z.output<typeof JobProgress>;

/** `delayed`: its time has not come (it is scheduled, or failed and will be tried again). */
const JOB_STATES = ['waiting', 'delayed', 'active', 'completed', 'failed'] as const;
export const JobState = z.enum(JOB_STATES);
export type JobState = z.output<typeof JobState>;

/** A job as it stands. */
export const JobStatus = z.object({
  jobId: z.string(),
  job: JobName,
  state: JobState,
  payload: JobPayload,
  progress: JobProgress,
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().optional(),
  finishedAt: z.iso.datetime().optional(),
  /** Times it was started. */
  attempts: z.int().min(0),
  /** Why the last attempt failed. */
  error: z.string().optional(),
  result: JobResult.optional(),
});
export type JobStatus = z.output<typeof JobStatus>;
