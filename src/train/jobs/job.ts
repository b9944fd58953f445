/** What a job is to the worker: one handler. `handlers.ts` lists them. */
import type { Kernels } from '../../algorithms/kernels/kernels.ts';
import type { JobName, JobPayload, JobResult } from '../../domain/job.ts';
import type { Lake } from '../../history/lake.ts';
import type { Config } from '../../infra/config.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Redis } from '../../infra/redis.ts';

export type JobContext = {
  config: Config;
  lake: Lake;
  kernels: Kernels;
  keys: Keys;
  /** Patient: commands wait out a restart of the server. */
  redis: Redis;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
  /** Puts another job into the queue, to run after this one. */
  askFor: (job: JobName) => Promise<void>;
  /** `share` of the whole, 0 to 1. Await it: it lets the process breathe. */
  report: (share: number, stage: string) => Promise<void>;
};

/** Idempotent: a job may run again after its worker was killed. Throws UnrecoverableError where trying again is in vain. */
export type JobHandler = (payload: JobPayload, context: JobContext) => Promise<JobResult>;
