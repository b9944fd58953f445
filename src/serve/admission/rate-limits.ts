/**
 * How often a key may call, by scope. The counts of all processes meet in Redis (rate-limiter-flexible: windows of ten
 * seconds that begin with a key's first call), but no call waits for them: a process counts by itself what it lets in, tells
 * Redis in the background, and learns there what the others have let in. A process by itself is thus exact; all together may
 * let in as much more as they have not told each other yet, which is a tenth of the limit each, or what comes in 100 ms. While
 * Redis is away, each process holds the limit by itself: nobody is refused for it, and nothing is without limit.
 */
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { SCOPES, type Scope } from '../../domain/api-key.ts';
import type { Redis } from '../../infra/redis.ts';

/** Calls a second, on average over a window; 0: as many as come. */
export type LimitsByScope = Readonly<Record<Scope, number>>;

/** How a key stands after a call. */
export type Standing = {
  allowed: boolean;
  /** Calls that a window has, and how many of them are left. */
  limit: number;
  remaining: number;
  /** Until the window is over. */
  resetMs: number;
};

export type RateLimits = {
  /** Counts a call; undefined: the scope has no limit. `nowMs` of a clock that only goes forward. */
  take: (keyId: string, scope: Scope, nowMs: number) => Standing | undefined;
  stop: () => void;
};

export const windowSeconds = 10;
const windowMs = windowSeconds * 1000;
const tellEveryMs = 100;
const tellAtShare = 0.1;

type Bucket = {
  name: string;
  scope: Scope;
  limit: number;
  remaining: number;
  endsAt: number;
  /** Let in, and not yet told to Redis. */
  untold: number;
  telling: boolean;
};

export function createRateLimits(redis: Redis, keyPrefix: string, perSecond: LimitsByScope): RateLimits {
  const limiters = new Map<Scope, RateLimiterRedis>();
  for (const scope of SCOPES) {
    if (perSecond[scope] === 0) continue;
    limiters.set(
      scope,
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix,
        points: perSecond[scope] * windowSeconds,
        duration: windowSeconds,
        rejectIfRedisNotReady: true,
      }),
    );
  }
  const buckets = new Map<string, Bucket>();
  const changed = new Set<Bucket>();
  const timer = setInterval(() => {
    for (const bucket of changed) tell(bucket);
  }, tellEveryMs).unref();

  function bucketOf(keyId: string, scope: Scope, nowMs: number): Bucket {
    const name = `${keyId}:${scope}`;
    let bucket = buckets.get(name);
    if (bucket === undefined) {
      forgetEnded(nowMs);
      const limit = perSecond[scope] * windowSeconds;
      bucket = { name, scope, limit, remaining: limit, endsAt: nowMs + windowMs, untold: 0, telling: false };
      buckets.set(name, bucket);
    } else if (nowMs >= bucket.endsAt) {
      bucket.remaining = bucket.limit;
      bucket.endsAt = nowMs + windowMs;
      bucket.untold = 0;
    }
    return bucket;
  }

  /** Keys that call no more leave nothing behind for longer than until the next key is seen first. */
  function forgetEnded(nowMs: number): void {
    for (const [name, { endsAt, telling }] of buckets) if (endsAt <= nowMs && !telling) buckets.delete(name);
  }

  function tell(bucket: Bucket): void {
    changed.delete(bucket);
    const points = bucket.untold;
    const limiter = limiters.get(bucket.scope);
    if (points === 0 || bucket.telling || limiter === undefined) return;
    const { endsAt } = bucket;
    bucket.untold = 0;
    bucket.telling = true;
    // Past the limit it rejects, with the same figures.
    limiter
      .consume(bucket.name, points)
      .catch((thrown: unknown) => thrown)
      .then((answer) => {
        bucket.telling = false;
        if (answer instanceof RateLimiterRes) {
          bucket.remaining = Math.max(0, answer.remainingPoints - bucket.untold);
          bucket.endsAt = performance.now() + answer.msBeforeNext;
        } else if (bucket.endsAt === endsAt) {
          // Redis is away; it is told with the next, if that is of this window.
          bucket.untold += points;
        }
        if (bucket.untold > 0) changed.add(bucket);
      });
  }

  return {
    take: (keyId, scope, nowMs) => {
      if (perSecond[scope] === 0) return undefined;
      const bucket = bucketOf(keyId, scope, nowMs);
      const allowed = bucket.remaining > 0;
      if (allowed) {
        bucket.remaining--;
        bucket.untold++;
        if (bucket.untold >= tellAtShare * bucket.limit) tell(bucket);
        if (bucket.untold > 0) changed.add(bucket);
      }
      return {
        allowed,
        limit: bucket.limit,
        remaining: bucket.remaining,
        resetMs: Math.max(0, bucket.endsAt - nowMs),
      };
    },
    stop: () => clearInterval(timer),
  };
}
