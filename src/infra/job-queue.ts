/**
 * The asking side of the job queue (BullMQ): put a job in, see how it is doing. The answering side is `train/job-worker.ts`.
 *
 * A job's id says what it does, so that a second click is the same job:
 * - waiting or running: nothing is added;
 * - failed: it is run again;
 * - completed, up to a fixed cut-off: its result stands, unless the run is forced;
 * - completed, on all that the lake has: it is run again, since events have come in (and makes a new model version).
 */
import type { Job, Queue } from 'bullmq';
import { AppError } from '../domain/errors.ts';
import { JobName, JobPayload, JobProgress, JobResult, type JobState, type JobStatus } from '../domain/job.ts';
import { askQueue } from './asked-queue.ts';
import type { Keys } from './keys.ts';
import type { Logger } from './logger.ts';
import { isStoreFault } from './refused-writes.ts';

/** Name of BullMQ's queue, below `keys.queuePrefix`. */
export const queueName = 'jobs';

/** Three attempts in all, the second after 2 s and the third after 4 s; the last fifty of each end are kept. */
export const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000 },
  removeOnComplete: { count: 50 },
  removeOnFail: { count: 50 },
} as const;

const pollIntervalMs = 200;
const listedJobs = 100;

export type JobCounts = Record<JobState, number>;

export type JobQueue = {
  /** Throws a ZodError where the payload is not one, AppError STORE_UNAVAILABLE while Redis is away, STORE_REFUSES_WRITES where it takes none. */
  enqueue: (
    name: JobName,
    payload: Partial<JobPayload>,
    options?: { force?: boolean },
  ) => Promise<{ jobId: string; state: JobState }>;
  get: (jobId: string) => Promise<JobStatus | undefined>;
  /** The newest hundred, newest first. */
  list: () => Promise<JobStatus[]>;
  counts: () => Promise<JobCounts>;
  /**
   * Resolves when the job has completed or failed for good; waits out a Redis that is away. Rejects with AppError
   * NOT_FOUND where there is no such job, and with the signal's reason when it is aborted.
   */
  waitFor: (
    jobId: string,
    onProgress?: (progress: JobProgress) => void,
    signal?: AbortSignal,
  ) => Promise<JobStatus>;
  /** Workers that are connected now, of all machines. */
  workersCount: () => Promise<number>;
  close: () => Promise<void>;
};

/** `train-churn-latest`, `train-churn-1700000000000-seed7`. BullMQ allows no colon in it. */
function jobIdOf(name: JobName, payload: JobPayload): string {
  const seed = payload.seed === 1 ? '' : `-seed${payload.seed}`;
  return `${name}-${payload.cutoff ?? 'latest'}${seed}`;
}

/** Ids from outside are checked: BullMQ keeps other things beside its jobs, under names of the same form. */
function isJobId(text: string): boolean {
  const scheduled = /^repeat:([a-z-]+):\d+$/.exec(text)?.[1];
  return JobName.options.some(
    (name) => scheduled === name || new RegExp(`^${name}-(latest|\\d+)(-seed\\d+)?$`).test(text),
  );
}

export function createJobQueue(queueUrl: string, keys: Keys, log: Logger): JobQueue {
  const { use: withQueue, close } = askQueue(queueUrl, queueName, keys, log);

  const get: JobQueue['get'] = (jobId) => withQueue((queue) => readStatus(queue, jobId));

  return {
    get,
    enqueue: (name, given, { force = false } = {}) =>
      withQueue(async (queue) => {
        const payload = JobPayload.parse(given);
        const jobId = jobIdOf(JobName.parse(name), payload);
        const earlier = await queue.getJob(jobId);
        if (earlier !== undefined) {
          const state = stateOf(await earlier.getState());
          const stands = state === 'completed' && payload.cutoff !== undefined && !force;
          if (stands || (state !== 'completed' && state !== 'failed')) return { jobId, state };
          // Fails where another click has just had it run: then it is that job.
          await earlier.remove().catch(() => {});
        }
        const job = await queue.add(name, payload, { ...jobOptions, jobId });
        return { jobId, state: stateOf(await job.getState()) };
      }),
    list: () =>
      withQueue(async (queue) => {
        const jobs = await queue.getJobs(
          ['waiting', 'delayed', 'active', 'completed', 'failed'],
          0,
          listedJobs - 1,
        );
        const read = await Promise.all(jobs.map((job) => readStatus(queue, String(job?.id))));
        const statuses = read.filter((status) => status !== undefined);
        return statuses.sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, listedJobs);
      }),
    counts: () => withQueue(countJobs),
    waitFor: async (jobId, onProgress = () => {}, signal) => {
      for (;;) {
        const status = await get(jobId).catch((err) => {
          if (isStoreFault(err)) return 'away' as const;
          throw err;
        });
        if (status === undefined) throw new AppError('NOT_FOUND', { public: `There is no job ${jobId}.` });
        if (status !== 'away') {
          onProgress(status.progress);
          if (status.state === 'completed' || status.state === 'failed') return status;
        }
        await pause(pollIntervalMs, signal);
      }
    },
    workersCount: () => withQueue((queue) => queue.getWorkersCount()),
    close,
  };
}

/** How many jobs are in each state. */
export async function countJobs(queue: Queue): Promise<JobCounts> {
  const counts = await queue.getJobCounts(
    'waiting',
    'prioritized',
    'delayed',
    'active',
    'completed',
    'failed',
  );
  return {
    waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0),
    delayed: counts.delayed ?? 0,
    active: counts.active ?? 0,
    completed: counts.completed ?? 0,
    failed: counts.failed ?? 0,
  };
}

async function readStatus(queue: Queue, jobId: string): Promise<JobStatus | undefined> {
  if (!isJobId(jobId)) return undefined;
  // The state first: what is read after a job has ended includes how it ended.
  const state = stateOf(await queue.getJobState(jobId));
  const job: Job | undefined = await queue.getJob(jobId);
  return job && toStatus(job, state);
}

/** What was written by another version of nextbest is shown as far as it can be read. */
function toStatus(job: Job, state: JobState): JobStatus {
  const progress = JobProgress.safeParse(job.progress);
  const result = JobResult.safeParse(job.returnvalue);
  const payload = JobPayload.safeParse(job.data);
  return {
    jobId: String(job.id),
    job: JobName.parse(job.name),
    state,
    payload: payload.success ? payload.data : { seed: 1 },
    progress: progress.success ? progress.data : { share: 0, stage: '' },
    createdAt: new Date(job.timestamp).toISOString(),
    ...(job.processedOn !== undefined && { startedAt: new Date(job.processedOn).toISOString() }),
    ...(job.finishedOn !== undefined && { finishedAt: new Date(job.finishedOn).toISOString() }),
    attempts: job.attemptsStarted,
    ...(job.failedReason && { error: job.failedReason }),
    ...(result.success && { result: result.data }),
  };
}

function stateOf(state: string): JobState {
  return state === 'delayed' || state === 'active' || state === 'completed' || state === 'failed'
    ? state
    : 'waiting';
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
