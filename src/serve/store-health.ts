/** Whether Redis can be reached, known without asking it: an answer that needs no record must not wait to say so. */
import type { Redis } from '../infra/redis.ts';

export type StoreHealth = {
  /** false: there is no connection, or the last probe had no reply in time. */
  readonly reachable: boolean;
  stop: () => void;
};

const probeIntervalMs = 500;

/**
 * Watches a fail-fast client. A server that goes away closes its connections, which shows at once; one that hangs shows
 * after the next probe, within half a second and the client's timeout.
 */
export function watchStore(redis: Redis): StoreHealth {
  let replied = true;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  async function probe(): Promise<void> {
    replied = await redis.ping().then(
      () => true,
      () => false,
    );
    if (!stopped) timer = setTimeout(probe, probeIntervalMs).unref();
  }
  timer = setTimeout(probe, probeIntervalMs).unref();
  return {
    get reachable() {
      return redis.status === 'ready' && replied;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
