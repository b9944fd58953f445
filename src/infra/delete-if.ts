import { namedScript } from './named-script.ts';
import type { Redis } from './redis.ts';

const script = namedScript(
  { keys: ['key'], args: ['value'] },
  `if redis.call('GET', key) == value then return redis.call('DEL', key) end return 0`,
);

/** Deletes the key where it still holds this value: a lock that is one's own, a text that nobody has written anew. In a full Redis too. */
export async function deleteIf(redis: Redis, key: string, value: string | Buffer): Promise<void> {
  await script(redis, { key, value });
}
