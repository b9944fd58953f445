/**
 * The queue of webhooks (BullMQ): what is to be sent, and the dead letters among it. `train/webhooks` sends.
 *
 * A job's id is its notice's id: added again while it is there (waiting, delivered of late, or dead), nothing is added. The
 * payload is the notice, which names its customer: it is kept no longer than these bounds say.
 */
import { Queue } from 'bullmq';
import { dayMs } from '../domain/time.ts';
import { Notice } from '../domain/webhook.ts';
import { countJobs, type JobCounts } from './job-queue.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';

/** Name of BullMQ's queue, below `keys.queuePrefix`. */
export const webhookQueueName = 'webhooks';

/** Delivered ones stay for a day, so that a cause that is met again is known; dead ones for thirty days. Newest first. */
const kept = {
  removeOnComplete: { age: dayMs / 1000, count: 10_000 },
  removeOnFail: { age: (30 * dayMs) / 1000, count: 100_000 },
} as const;

/** Jobs in one round trip. */
const batchMax = 100;

/** `since`: when its cause was put into the outbox, milliseconds since 1970; latency counts from there. */
export type QueuedNotice = { notice: Notice; since: number };

export type DeadWebhook = {
  id: string;
  /** undefined: of another version of nextbest. */
  notice: Notice | undefined;
  attempts: number;
  /** Of the last attempt. */
  reason: string;
  /** Milliseconds since 1970. */
  diedAt: number;
};

export type WebhookQueue = {
  /** `attempts` before a notice is dead. */
  add: (notices: readonly QueuedNotice[], attempts: number) => Promise<void>;
  /** The dead letters, newest first, read as they are asked for. */
  dead: () => AsyncGenerator<DeadWebhook>;
  /** Sends a dead letter again, with all its attempts; false: it is none. */
  replay: (id: string) => Promise<boolean>;
  /** All that are dead now; answers how many. */
  replayAll: () => Promise<number>;
  counts: () => Promise<JobCounts>;
  close: () => Promise<void>;
};

/** `connection` stays the caller's. */
export function openWebhookQueue(connection: Redis, keys: Keys): WebhookQueue {
  const queue = new Queue<Notice>(webhookQueueName, { connection, prefix: keys.queuePrefix });
  // The client logs that Redis is away; without a listener an error would end the process.
  queue.on('error', () => {});

  const deadIds = (start: number, end: number) => queue.getRanges(['failed'], start, end, false);

  async function replay(id: string): Promise<boolean> {
    const job = await queue.getJob(id);
    if (job === undefined || !(await job.isFailed())) return false;
    // Fails where somebody else has replayed it in this moment.
    return job.retry('failed', { resetAttemptsMade: true }).then(
      () => true,
      async (err) => {
        if (await job.isFailed()) throw err;
        return false;
      },
    );
  }

  return {
    add: async (notices, attempts) => {
      for (let start = 0; start < notices.length; start += batchMax) {
        await queue.addBulk(
          notices.slice(start, start + batchMax).map(({ notice, since }) => ({
            name: notice.type,
            data: notice,
            opts: { ...kept, jobId: notice.id, timestamp: since, attempts, backoff: { type: 'custom' } },
          })),
        );
      }
    },
    async *dead() {
      for (let start = 0; ; start += batchMax) {
        const ids = await deadIds(start, start + batchMax - 1);
        if (ids.length === 0) return;
        for (const job of await Promise.all(ids.map((id) => queue.getJob(id)))) {
          // It was replayed, or removed, meanwhile.
          if (job?.finishedOn === undefined) continue;
          yield {
            id: String(job.id),
            notice: Notice.safeParse(job.data).data,
            attempts: job.attemptsMade,
            reason: job.failedReason,
            diedAt: job.finishedOn,
          };
        }
      }
    },
    replay,
    replayAll: async () => {
      const ids = await deadIds(0, -1);
      let replayed = 0;
      for (let start = 0; start < ids.length; start += batchMax) {
        const some = await Promise.all(ids.slice(start, start + batchMax).map(replay));
        replayed += some.filter(Boolean).length;
      }
      return replayed;
    },
    counts: () => countJobs(queue),
    close: () => queue.close(),
  };
}
