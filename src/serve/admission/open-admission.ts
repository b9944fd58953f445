/** How this service admits callers, from its settings. */
import { AppError, type ErrorCode, UsageError } from '../../domain/errors.ts';
import { type Config, openServiceFault } from '../../infra/config.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import { connectRedis } from '../../infra/redis.ts';
import type { ServeMetrics } from '../metrics.ts';
import { type Admit, admitByKey, admitThisMachine } from './admit.ts';
import { openKeyRing } from './key-ring.ts';
import { createRateLimits } from './rate-limits.ts';

export type Admission = { admit: Admit; close: () => void };

export type AdmissionDeps = {
  config: Pick<Config, 'auth' | 'dataDir' | 'host' | 'production' | 'rateLimits' | 'redisTimeoutMs'>;
  /** Where calls are counted. */
  redisUrl: string;
  keys: Pick<Keys, 'rateLimits'>;
  metrics: Pick<ServeMetrics, 'refusedCallers'>;
  now: () => number;
  log: Logger;
};

/** Throws UsageError where nobody could be admitted, or everybody. */
export async function openAdmission(deps: AdmissionDeps): Promise<Admission> {
  const { config, redisUrl, keys, metrics, now, log } = deps;
  if (config.auth === 'off') {
    const fault = openServiceFault(config);
    if (fault !== undefined) throw new UsageError(fault);
    log.warn({ event: 'auth.off' }, 'AUTH=off: whoever is on this machine may make any call, without a key');
    return { admit: counted(admitThisMachine, metrics), close: () => {} };
  }
  const ring = await openKeyRing(config.dataDir, log);
  if (ring.count(now()) === 0) {
    ring.stop();
    throw new UsageError(
      `There is no API key in ${config.dataDir}, so nobody could make a call. Make one, with what its program needs of ` +
        'read, events, decide, manage and admin:\n' +
        '  nextbest keys create --name shop --scopes read,events,decide\n' +
        'AUTH=off does without keys, for trials on this machine alone.',
    );
  }
  const redis = connectRedis(
    redisUrl,
    'serve-limits',
    { kind: 'failFast', timeoutMs: config.redisTimeoutMs },
    log,
  );
  const limits = createRateLimits(redis, keys.rateLimits, config.rateLimits);
  return {
    admit: counted(admitByKey(ring, limits, now), metrics),
    close: () => {
      ring.stop();
      limits.stop();
      redis.disconnect();
    },
  };
}

const reasons: Partial<Record<ErrorCode, 'unauthenticated' | 'forbidden' | 'limited'>> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'forbidden',
  TOO_MANY_REQUESTS: 'limited',
};

function counted(admit: Admit, { refusedCallers }: Pick<ServeMetrics, 'refusedCallers'>): Admit {
  return (access, req, res) => {
    try {
      return admit(access, req, res);
    } catch (err) {
      const reason = err instanceof AppError ? reasons[err.code] : undefined;
      if (reason !== undefined) refusedCallers.inc({ reason });
      throw err;
    }
  };
}
