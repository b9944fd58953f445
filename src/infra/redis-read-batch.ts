/**
 * Reads of concurrent requests as one command. To send a command costs the client more than to take its value out of the reply:
 * whoever asks in the same turn of the event loop shares one command. The client of a cluster sends each by itself, for their keys
 * lie on different nodes.
 */

import { isCluster, type Redis } from './redis.ts';

/** The values of the keys, which share a hash tag; null: there is none. Rejects when Redis is away. */
export type ReadKeys = (keys: readonly string[]) => Promise<(Buffer | null)[]>;

/** Keys of one command. */
const keysMax = 1000;

export function createReadBatch(redis: Redis): ReadKeys {
  if (isCluster(redis)) return (keys) => redis.mgetBuffer([...keys]);
  // Sent by `call`, it is not pipelined once more (see `connectRedis`).
  return shared((keys) => redis.callBuffer('MGET', ...keys) as Promise<(Buffer | null)[]>);
}

type Reader = {
  keys: readonly string[];
  resolve: (values: (Buffer | null)[]) => void;
  reject: (err: unknown) => void;
};

/** `read`: the value of each key, by one command. */
function shared(read: ReadKeys): ReadKeys {
  let waiting: Reader[] = [];
  let keyCount = 0;

  function send(): void {
    const readers = waiting;
    if (readers.length === 0) return;
    waiting = [];
    keyCount = 0;
    read(readers.flatMap((reader) => reader.keys)).then(
      (values) => {
        let at = 0;
        for (const reader of readers) {
          const end = at + reader.keys.length;
          reader.resolve(values.slice(at, end));
          at = end;
        }
      },
      (err: unknown) => {
        for (const reader of readers) reader.reject(err);
      },
    );
  }

  return (keys) =>
    new Promise((resolve, reject) => {
      if (keyCount + keys.length > keysMax) send();
      if (waiting.length === 0) setImmediate(send);
      waiting.push({ keys, resolve, reject });
      keyCount += keys.length;
    });
}
