/**
 * The lock that lets one process drain (or bring the webhooks' outbox on) at a time: it expires with its holder, and is renewed
 * while the holder lives.
 */
import { randomUUID } from 'node:crypto';
import { deleteIf } from '../infra/delete-if.ts';
import type { Redis } from '../infra/redis.ts';
import { callWhenFull, redisScript } from '../infra/redis-script.ts';

export type HeldLock = {
  /** false: it expired or somebody else has it; what was to be done under it must not be finished. */
  stillHeld: () => Promise<boolean>;
  release: () => Promise<void>;
};

/** A dead holder keeps events out of the lake for so long; a live one that was held up for longer writes nothing. */
const defaultLifetimeMs = 15_000;

const renewScript = redisScript(
  `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
);

/** undefined: somebody else holds it. `lifetimeMs` is how long a holder that was killed keeps others out. */
export async function takeLock(
  redis: Redis,
  key: string,
  lifetimeMs = defaultLifetimeMs,
): Promise<HeldLock | undefined> {
  const token = randomUUID();
  // What is done under it brings events out of Redis: where that is full, the more so.
  const taken = await callWhenFull(redis, 'SET', key, token, 'PX', lifetimeMs, 'NX');
  if (taken === null) return undefined;
  const stillHeld = async () => (await renewScript(redis, [key], [token, lifetimeMs])) === 1;
  const timer = setInterval(() => void stillHeld().catch(() => {}), lifetimeMs / 4);
  timer.unref();
  return {
    stillHeld,
    release: async () => {
      clearInterval(timer);
      await deleteIf(redis, key, token);
    },
  };
}
