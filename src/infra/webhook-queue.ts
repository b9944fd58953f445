/**
 * The queue of webhooks (BullMQ): what is to be sent, and the dead letters among it. `train/webhooks` sends.
 *
 * A job's id is its notice's id: added again while it is there (waiting, delivered of late, or dead), nothing is added. The
 * payload is the notice, which names its customer: it is kept no longer than these bounds say.
 */
import { type Job, Queue } from 'bullmq';
import { dayMs } from '../domain/time.ts';
import { Notice } from '../domain/webhook.ts';
import { type AskedQueue, askQueue } from './asked-queue.ts';
import { countJobs, type JobCounts } from './job-queue.ts';
import type { Keys } from './keys.ts';
import type { Logger } from './logger.ts';
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

/** What an operator may ask. */
export type DeadLetters = {
  /** Newest first, from the `start`th on; fewer than `count` where somebody has just replayed some. */
  list: (start: number, count: number) => Promise<DeadWebhook[]>;
  /** How many there are. */
  count: () => Promise<number>;
  /** Sends them again, with all their attempts; answers which of the ids were dead letters. */
  replay: (ids: readonly string[]) => Promise<string[]>;
  /** All that are dead now; answers how many. */
  replayAll: () => Promise<number>;
};

export type WebhookQueue = {
  /** `attempts` before a notice is dead. */
  add: (notices: readonly QueuedNotice[], attempts: number) => Promise<void>;
  dead: DeadLetters;
  counts: () => Promise<JobCounts>;
  close: () => Promise<void>;
};

/** For a worker or a command; `connection` stays the caller's. */
export function openWebhookQueue(connection: Redis, keys: Keys): WebhookQueue {
  const queue = new Queue<Notice>(webhookQueueName, { connection, prefix: keys.queuePrefix });
  // The client logs that Redis is away; without a listener an error would end the process.
  queue.on('error', () => {});
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
    dead: deadLettersOf((work) => work(queue)),
    counts: () => countJobs(queue),
    close: () => queue.close(),
  };
}

/** For the service: answers, or throws STORE_UNAVAILABLE, within seconds. */
export function askDeadLetters(
  queueUrl: string,
  keys: Keys,
  log: Logger,
): DeadLetters & { close: () => Promise<void> } {
  const { use, close } = askQueue(queueUrl, webhookQueueName, keys, log);
  return { ...deadLettersOf(use), close };
}

function deadLettersOf(use: AskedQueue['use']): DeadLetters {
  const idsOf = (queue: Queue, start: number, end: number) => queue.getRanges(['failed'], start, end, false);

  async function replay(queue: Queue, ids: readonly string[]): Promise<string[]> {
    const replayed: string[] = [];
    for (let start = 0; start < ids.length; start += batchMax) {
      const some = ids.slice(start, start + batchMax);
      const done = await Promise.all(some.map((id) => replayOne(queue, id)));
      replayed.push(...some.filter((_, s) => done[s]));
    }
    return replayed;
  }

  return {
    list: (start, count) =>
      use(async (queue) => {
        const ids = count > 0 ? await idsOf(queue, start, start + count - 1) : [];
        const jobs = await Promise.all(ids.map((id) => queue.getJob(id)));
        return jobs.flatMap((job) => (job?.finishedOn === undefined ? [] : [toDead(job, job.finishedOn)]));
      }),
    count: () => use((queue) => queue.getFailedCount()),
    replay: (ids) => use((queue) => replay(queue, [...new Set(ids)])),
    replayAll: () => use(async (queue) => (await replay(queue, await idsOf(queue, 0, -1))).length),
  };
}

/** false: it is no dead letter. */
async function replayOne(queue: Queue, id: string): Promise<boolean> {
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

function toDead(job: Job, diedAt: number): DeadWebhook {
  return {
    id: String(job.id),
    notice: Notice.safeParse(job.data).data,
    attempts: job.attemptsMade,
    reason: job.failedReason,
    diedAt,
  };
}
