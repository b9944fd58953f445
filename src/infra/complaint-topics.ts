/**
 * What customers complained of, in words that somebody has typed, until a webhook has told of it: beside the customer's record, where
 * an erasure finds it, and in no job. A job's notice names the complaint; whoever sends it looks here for the words.
 */
import type { CustomerId } from '../domain/ids.ts';
import { dayMs } from '../domain/time.ts';
import { NOTICE_TYPES, type Notice } from '../domain/webhook.ts';
import type { Keys } from './keys.ts';
import type { Redis } from './redis.ts';
import { callWhenFull } from './redis-script.ts';

export type ComplaintTopics = {
  keep: (customerId: CustomerId, noticeId: string, topic: string) => Promise<void>;
  /** undefined: it is no complaint, or nothing was said of what about. */
  find: (notice: Notice) => Promise<string | undefined>;
  forget: (notice: Notice) => Promise<void>;
};

/** Longer than a dead letter stays (webhook-queue.ts), with the attempts before it. */
const keptMs = 40 * dayMs;

const isComplaint = ({ type }: Notice) => type === NOTICE_TYPES.complaint;

export function createComplaintTopics(redis: Redis, keys: Pick<Keys, 'complaintTopics'>): ComplaintTopics {
  return {
    async keep(customerId, noticeId, topic) {
      const key = keys.complaintTopics(customerId);
      // The outbox gives way by it: a full Redis takes it.
      await callWhenFull(redis, 'HSET', key, noticeId, topic);
      await redis.pexpire(key, keptMs);
    },
    find: async (notice) =>
      isComplaint(notice)
        ? ((await redis.hget(keys.complaintTopics(notice.data.customerId), notice.id)) ?? undefined)
        : undefined,
    forget: async (notice) => {
      if (isComplaint(notice)) await redis.hdel(keys.complaintTopics(notice.data.customerId), notice.id);
    },
  };
}
