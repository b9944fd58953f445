/**
 * Commands on many customers' keys at once. One server takes them as a pipeline; a cluster's client sends each to the node of
 * its key, without waiting for the one before it. Either way about one round trip, and no command depends on another.
 */
import type { ChainableCommander } from 'ioredis';
import { isCluster, type Redis } from './redis.ts';
import { redisScript } from './redis-script.ts';

export type Sender = Pick<ChainableCommander, 'get' | 'getBuffer' | 'set'>;

/** Replies in the order of sending. Rejects with the first refusal, when all have been answered. */
export async function together(redis: Redis, send: (to: Sender) => void): Promise<unknown[]> {
  const replies = isCluster(redis) ? await each(redis, send) : await pipelined(redis, send);
  return replies.map(([err, reply]) => {
    if (err) throw err;
    return reply;
  });
}

/** Keys of one command: a longer one would keep everybody else waiting. */
const keysMax = 500;

/** What stands under each key, in their order; null: nothing. To read them by one command costs a fraction of one for each. */
export async function getMany(redis: Redis, keys: readonly string[]): Promise<(Buffer | null)[]> {
  if (isCluster(redis))
    return (await together(redis, (to) => {
      for (const key of keys) to.getBuffer(key);
    })) as (Buffer | null)[];
  const replies = await Promise.all(
    slices(keys).map((some) => redis.callBuffer('MGET', ...some) as Promise<(Buffer | null)[]>),
  );
  return replies.flat();
}

/** `ttlMs`: above 0. */
export type KeptText = { key: string; text: string | Buffer; ttlMs: number };

/** KEYS, and for each ARGV: the text, its lifetime in milliseconds. Answers 1 for each that was set. */
const setNewScript = redisScript(`
local set = {}
for i, key in ipairs(KEYS) do
  set[i] = redis.call('SET', key, ARGV[2 * i - 1], 'PX', ARGV[2 * i], 'NX') and 1 or 0
end
return set
`);

/** Sets those under whose keys nothing stands; answers for each whether it was set. */
export async function setNew(redis: Redis, texts: readonly KeptText[]): Promise<boolean[]> {
  if (isCluster(redis)) {
    const replies = await together(redis, (to) => {
      for (const { key, text, ttlMs } of texts) to.set(key, text, 'PX', ttlMs, 'NX');
    });
    return replies.map((reply) => reply !== null);
  }
  const replies = await Promise.all(
    slices(texts).map(
      (some) =>
        setNewScript(
          redis,
          some.map(({ key }) => key),
          some.flatMap(({ text, ttlMs }) => [text, ttlMs]),
        ) as Promise<(0 | 1)[]>,
    ),
  );
  return replies.flat().map((reply) => reply === 1);
}

export type KeptField = { key: string; field: string | Buffer; value: Buffer };

/** KEYS: hashes. ARGV: their lifetime in seconds; for each the field, the value. */
const fieldScript = redisScript(`
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, ARGV[2 * i], ARGV[2 * i + 1])
  if redis.call('TTL', key) < tonumber(ARGV[1]) then redis.call('EXPIRE', key, ARGV[1]) end
end
return 1
`);

/** Sets fields of hashes, which live for so long from now on, or longer where they do already. */
export async function setFields(
  redis: Redis,
  fields: readonly KeptField[],
  ttlSeconds: number,
): Promise<void> {
  await Promise.all(
    slices(fields, isCluster(redis) ? 1 : keysMax).map((some) =>
      fieldScript(
        redis,
        some.map(({ key }) => key),
        [ttlSeconds, ...some.flatMap(({ field, value }) => [field, value])],
      ),
    ),
  );
}

export function slices<T>(all: readonly T[], most = keysMax): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += most) parts.push(all.slice(at, at + most));
  return parts;
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
