/** The asking side of the batches: a queue of its own, so that a campaign does not wait for a training. */
import type { Job } from 'bullmq';
import type { BatchRequest, BatchStatus } from '../domain/batch.ts';
import { standingMs } from '../domain/decision.ts';
import { AppError } from '../domain/errors.ts';
import { JobProgress } from '../domain/job.ts';
import { askQueue } from './asked-queue.ts';
import { batchFolder, batchIdOf, batchIdsOf } from './batch-files.ts';
import type { Keys } from './keys.ts';
import type { Logger } from './logger.ts';

/** Name of BullMQ's queue, below `keys.queuePrefix`. */
export const batchQueueName = 'batches';

/** What a worker that was killed leaves is taken up again; what fails three times waits for somebody to look. */
const batchOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000 },
  removeOnComplete: { count: 200 },
  removeOnFail: { count: 200 },
} as const;

/** Each keeps what was asked, up to a megabyte of ids, on the disk. */
const listsWaitingMax = 100;

export type BatchQueue = {
  /**
   * The same request again is the same batch, until what it decided stands no longer, a day after it was completed: then it is
   * another. One that failed or was cancelled goes on where it stopped. AppError TOO_MANY_REQUESTS where so many wait that no
   * other may, of which nothing is kept.
   */
  start: (request: BatchRequest, now: number) => Promise<BatchStatus>;
  /** undefined: there is none of that id, or it has been swept. */
  get: (batchId: string) => Promise<BatchStatus | undefined>;
  /** It stops within a few hundred customers; what is done stays. AppError NOT_FOUND, CONFLICT where it has ended. */
  cancel: (batchId: string) => Promise<BatchStatus>;
  /** Goes on where it stopped. AppError NOT_FOUND; CONFLICT where it is complete; TOO_MANY_REQUESTS as for `start`. */
  resume: (batchId: string) => Promise<BatchStatus>;
  /** Workers that take batches. */
  workersCount: () => Promise<number>;
  close: () => Promise<void>;
};

export function createBatchQueue(
  queueUrl: string,
  keys: Keys,
  dataDir: string,
  log: Logger,
  { waitingMax = listsWaitingMax } = {},
): BatchQueue {
  const { use: withQueue, close } = askQueue(queueUrl, batchQueueName, keys, log);

  async function get(batchId: string): Promise<BatchStatus | undefined> {
    const folder = batchFolder(dataDir, batchId);
    const stored = await folder.request();
    if (stored === undefined) return undefined;
    // The job first: what is read after it has ended includes how it ended.
    const { state, job } = await withQueue(async (queue) => ({
      state: await queue.getJobState(batchId),
      job: (await queue.getJob(batchId)) as Job | undefined,
    }));
    const [{ counts, seconds }, finishedAt, warnings] = await Promise.all([
      folder.counts(),
      folder.finishedAt(),
      folder.warnings(),
    ]);
    const progress = JobProgress.safeParse(job?.progress);
    const { about, createdAt } = stored;
    const isCancelled = finishedAt === undefined && (await folder.isCancelled());
    return {
      jobId: batchId,
      state: isCancelled && state !== 'active' ? 'cancelled' : stateOf(state, finishedAt),
      campaign: about.campaign,
      channel: about.channel,
      placement: about.placement,
      format: about.format,
      share: finishedAt !== undefined ? 1 : progress.success ? progress.data.share : 0,
      stage: finishedAt !== undefined ? 'done' : progress.success ? progress.data.stage : '',
      counts,
      ...(warnings.length > 0 && { warnings }),
      customersPerSecond: seconds > 0 ? counts.decided / seconds : null,
      createdAt: new Date(createdAt).toISOString(),
      ...(finishedAt !== undefined && { finishedAt: new Date(finishedAt).toISOString() }),
      ...(job?.failedReason && state === 'failed' && { error: job.failedReason }),
    };
  }

  async function refuseWhileFull(): Promise<void> {
    const waiting = await withQueue((queue) => queue.getJobCountByTypes('waiting', 'delayed'));
    if (waiting < waitingMax) return;
    throw new AppError('TOO_MANY_REQUESTS', {
      public: `${waiting} lists wait to be made: ask again when some are done, or cancel some. A worker must run.`,
      retryAfterSeconds: 60,
    });
  }

  async function enqueue(batchId: string): Promise<void> {
    await withQueue(async (queue) => {
      const earlier = await queue.getJob(batchId);
      const state = earlier === undefined ? undefined : await earlier.getState();
      if (state !== undefined && state !== 'completed' && state !== 'failed') return;
      // Fails where another click has just had it run: then it is that job.
      await earlier?.remove().catch(() => {});
      await queue.add('offers-batch', { batchId }, { ...batchOptions, jobId: batchId });
    });
  }

  async function known(batchId: string): Promise<BatchStatus> {
    const status = await get(batchId);
    if (status === undefined) throw noSuchBatch();
    return status;
  }

  /** The same request's, unless it was completed so long ago that customers would be answered otherwise by now. */
  async function inForce(request: BatchRequest, now: number): Promise<BatchStatus | undefined> {
    for (const batchId of batchIdsOf(request, now)) {
      const batch = await get(batchId);
      if (batch === undefined) continue;
      const isOver = batch.finishedAt !== undefined && now - Date.parse(batch.finishedAt) >= standingMs;
      if (!isOver) return batch;
    }
    return undefined;
  }

  return {
    get,
    async start(request, now) {
      const before = await inForce(request, now);
      if (before?.state === 'completed') return before;
      const batchId = before?.jobId ?? batchIdOf(request, now);
      const folder = batchFolder(dataDir, batchId);
      if (before?.state !== 'waiting' && before?.state !== 'active') await refuseWhileFull();
      if (before === undefined) await folder.create(request, now);
      await folder.uncancel();
      await enqueue(batchId);
      return known(batchId);
    },
    async cancel(batchId) {
      const { state } = await known(batchId);
      if (state === 'completed')
        throw new AppError('CONFLICT', { public: 'The batch is complete: there is nothing to cancel.' });
      await batchFolder(dataDir, batchId).cancel();
      // One that waits is not begun.
      await withQueue(async (queue) => {
        const job = await queue.getJob(batchId);
        const waiting = job !== undefined && !(await job.isActive());
        if (waiting) await job.remove().catch(() => {});
      });
      return known(batchId);
    },
    async resume(batchId) {
      const { state } = await known(batchId);
      if (state === 'completed') throw new AppError('CONFLICT', { public: 'The batch is complete.' });
      if (state !== 'waiting' && state !== 'active') await refuseWhileFull();
      await batchFolder(dataDir, batchId).uncancel();
      await enqueue(batchId);
      return known(batchId);
    },
    workersCount: () => withQueue((queue) => queue.getWorkersCount()),
    close,
  };
}

export function noSuchBatch(): AppError {
  return new AppError('NOT_FOUND', {
    public: 'There is no such batch. Results are kept for seven days.',
  });
}

function stateOf(state: string, finishedAt: number | undefined): BatchStatus['state'] {
  if (finishedAt !== undefined) return 'completed';
  if (state === 'active' || state === 'failed') return state;
  return 'waiting';
}
