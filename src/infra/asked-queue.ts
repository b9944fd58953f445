/**
 * The asking side of a BullMQ queue: whoever asks is to know soon that Redis is away, where BullMQ by itself would wait for
 * ever.
 */
import { Queue } from 'bullmq';
import type { AppError } from '../domain/errors.ts';
import type { Keys } from './keys.ts';
import type { Logger } from './logger.ts';
import { connectRedis, isRedisTrouble } from './redis.ts';
import { storeFault } from './refused-writes.ts';

export type AskedQueue = {
  /** Throws AppError STORE_UNAVAILABLE while Redis is away, STORE_REFUSES_WRITES where it takes none. */
  use: <T>(work: (queue: Queue) => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
};

const commandTimeoutMs = 2000;

/** `name` is the queue's, below `keys.queuePrefix`. */
export function askQueue(queueUrl: string, name: string, keys: Keys, log: Logger): AskedQueue {
  const redis = connectRedis(queueUrl, name, { kind: 'failFast', timeoutMs: commandTimeoutMs }, log);
  let opened: Promise<Queue> | undefined;

  async function open(): Promise<Queue> {
    await readyWithin(redis, commandTimeoutMs);
    // A loss of the connection during BullMQ's own start would leave the queue unusable: then it is made anew.
    opened ??= openQueue().catch((err) => {
      opened = undefined;
      throw err;
    });
    return opened;
  }

  async function openQueue(): Promise<Queue> {
    const queue = new Queue(name, { connection: redis, prefix: keys.queuePrefix });
    // connectRedis logs; without a listener an error would end the process.
    queue.on('error', () => {});
    await queue.waitUntilReady();
    return queue;
  }

  return {
    use: async (work) => {
      try {
        return await work(await open());
      } catch (err) {
        throw isRedisTrouble(err) ? unavailable(err) : err;
      }
    },
    close: async () => {
      await (await opened?.catch(() => undefined))?.close();
      redis.disconnect();
    },
  };
}

async function readyWithin(redis: ReturnType<typeof connectRedis>, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const onReady = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(unavailable(undefined));
    }, timeoutMs);
    redis.once('ready', onReady);
  });
}

function unavailable(cause: unknown): AppError {
  return storeFault(cause, {
    public: 'The job queue cannot be reached.',
    internal: 'The job queue cannot be reached.',
    retryAfterSeconds: 5,
  });
}
