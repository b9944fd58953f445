/** A Lua script that runs by its hash, and is sent whole only where the server does not know it yet. */
import { createHash } from 'node:crypto';
import type { Redis } from './redis.ts';

export type RedisScript = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<unknown>;

/** Texts in the reply come as Buffers. */
export function redisScript(lua: string): RedisScript {
  const hash = createHash('sha1').update(lua).digest('hex');
  return async (redis, keys, args) => {
    try {
      return await redis.callBuffer('EVALSHA', hash, keys.length, ...keys, ...args);
    } catch (err) {
      if (!(err instanceof Error && err.message.startsWith('NOSCRIPT'))) throw err;
      return await redis.callBuffer('EVAL', lua, keys.length, ...keys, ...args);
    }
  };
}
