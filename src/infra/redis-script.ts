/** A Lua script that runs by its hash, and is sent whole only where the server does not know it yet. */
import { createHash } from 'node:crypto';
import type { Redis } from './redis.ts';

export type RedisScript = (
  redis: Redis,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
) => Promise<unknown>;

export type RedisScriptOptions = {
  /**
   * It may write though the memory is full (`maxmemory`): for what brings something out of Redis, and has to write a little first.
   * A server before Redis 7 does not know of it, and refuses the script's writes then as it refuses all.
   */
  whenFull?: boolean;
};

/** Texts in the reply come as Buffers. */
export function redisScript(lua: string, { whenFull = false }: RedisScriptOptions = {}): RedisScript {
  return whenFull ? allowedWhenFull(lua) : byHash(lua);
}

function byHash(lua: string): RedisScript {
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

/** Clients whose server cannot read a script's flags. */
const withoutFlags = new WeakSet<Redis>();

function allowedWhenFull(lua: string): RedisScript {
  const flagged = byHash(`#!lua flags=allow-oom\n${lua}`);
  const plain = byHash(lua);
  return async (redis, keys, args) => {
    if (withoutFlags.has(redis)) return plain(redis, keys, args);
    try {
      return await flagged(redis, keys, args);
    } catch (err) {
      // To an older one the line with the flags is no Lua.
      if (!(err instanceof Error && /compiling script/i.test(err.message))) throw err;
      withoutFlags.add(redis);
      return await plain(redis, keys, args);
    }
  };
}

const commandScript = redisScript(`return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))`, { whenFull: true });
/** Lua puts no more on its stack at once. */
const argumentsAtOnce = 5000;

/** A command on one key that a full Redis takes too. Texts in the reply come as Buffers. */
export async function callWhenFull(
  redis: Redis,
  command: string,
  key: string,
  ...args: readonly (string | number)[]
): Promise<unknown> {
  return commandScript(redis, [key], [command, ...args]);
}

/** Puts them into a set, in a full Redis too. */
export async function addWhenFull(redis: Redis, key: string, members: Iterable<string>): Promise<void> {
  const all = [...members];
  for (let start = 0; start < all.length; start += argumentsAtOnce)
    await callWhenFull(redis, 'SADD', key, ...all.slice(start, start + argumentsAtOnce));
}
