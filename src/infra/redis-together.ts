/**
 * Commands on many customers' keys at once. One server takes them as a pipeline; a cluster's client sends each to the node of
 * its key, without waiting for the one before it. Either way about one round trip, and no command depends on another.
 */
import type { ChainableCommander } from 'ioredis';
import { isCluster, type Redis } from './redis.ts';

export type Sender = Pick<ChainableCommander, 'get' | 'getBuffer' | 'set'>;

/** Replies in the order of sending. Rejects with the first refusal, when all have been answered. */
export async function together(redis: Redis, send: (to: Sender) => void): Promise<unknown[]> {
  const replies = isCluster(redis) ? await each(redis, send) : await pipelined(redis, send);
  return replies.map(([err, reply]) => {
    if (err) throw err;
    return reply;
  });
}

type Replies = [Error | null, unknown][];

async function pipelined(redis: Redis, send: (to: Sender) => void): Promise<Replies> {
  const pipeline = redis.pipeline();
  send(pipeline);
  return (await pipeline.exec()) ?? [];
}

async function each(redis: Redis, send: (to: Sender) => void): Promise<Replies> {
  const replies: Promise<unknown>[] = [];
  const to = Object.fromEntries(
    (['get', 'getBuffer', 'set'] as const).map((name) => [
      name,
      (...args: unknown[]) => {
        replies.push((redis[name] as (...args: unknown[]) => Promise<unknown>).apply(redis, args));
        return to;
      },
    ]),
  ) as unknown as Sender;
  send(to);
  return (await Promise.allSettled(replies)).map((settled) =>
    settled.status === 'fulfilled' ? [null, settled.value] : [settled.reason as Error, undefined],
  );
}
