/** How this service admits callers, from its settings. */
import { UsageError } from '../../domain/errors.ts';
import type { Config } from '../../infra/config.ts';
import type { Logger } from '../../infra/logger.ts';
import { type Admit, admitByKey, admitThisMachine, isLoopback } from './admit.ts';
import { openKeyRing } from './key-ring.ts';

export type Admission = { admit: Admit; close: () => void };

/** Throws UsageError where nobody could be admitted, or everybody. */
export async function openAdmission(
  config: Pick<Config, 'auth' | 'dataDir' | 'host'>,
  now: () => number,
  log: Logger,
): Promise<Admission> {
  if (config.auth === 'off') {
    refuseOpenToOthers(config.host);
    log.warn({ event: 'auth.off' }, 'AUTH=off: whoever is on this machine may make any call, without a key');
    return { admit: admitThisMachine, close: () => {} };
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
  return { admit: admitByKey(ring, now), close: ring.stop };
}

/** Without keys, the network must not reach the service. */
export function refuseOpenToOthers(host: string): void {
  if (isLoopback(host)) return;
  throw new UsageError(
    `Without keys, nextbest listens on this machine alone, and HOST is ${host}. Leave HOST unset, or use keys: ` +
      '`nextbest keys create`, and no AUTH=off.',
  );
}
