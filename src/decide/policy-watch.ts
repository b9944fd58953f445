/**
 * Which decision policies are in force at once. Each process reads its file when it starts, so that after a change some may still
 * decide by the old one: each says now and then by which it decides, and hears of the others.
 */
import type { Keys } from '../infra/keys.ts';
import type { Redis } from '../infra/redis.ts';

export const policyBeatMs = 60_000;

/** Who has not been heard of for so long decides no more. */
const aliveMs = 3 * policyBeatMs;

export type PolicyWatch = {
  /** Says by which policy this process decides. Rejects when Redis is away. */
  beat: () => Promise<void>;
  /** Versions that are in force, this process's own among them, as of the last beat. */
  inForce: () => readonly string[];
};

/** `onOther`: told once of each other version for as long as it stays. `now` in milliseconds since 1970. */
export function createPolicyWatch(
  version: string,
  {
    redis,
    keys,
    now,
    onOther,
  }: { redis: Redis; keys: Keys; now: () => number; onOther: (version: string) => void },
): PolicyWatch {
  let known: readonly string[] = [version];
  return {
    beat: async () => {
      const at = now();
      const key = keys.policiesInForce;
      await redis.hset(key, version, at);
      const seen = Object.entries(await redis.hgetall(key));
      const isAlive = ([, last]: [string, string]) => at - Number(last) < aliveMs;
      const gone = seen.filter((one) => !isAlive(one)).map(([name]) => name);
      if (gone.length > 0) await redis.hdel(key, ...gone);
      const before = new Set(known);
      known = seen
        .filter(isAlive)
        .map(([name]) => name)
        .sort();
      for (const name of known) if (!before.has(name)) onOther(name);
    },
    inForce: () => known,
  };
}
