/**
 * Whether Redis drops keys when its memory is full: asked whenever a connection begins, for it may not have been there when the
 * service started, or another server may have come in its place; and again until it has answered that it does not.
 */
import { UsageError } from '../domain/errors.ts';
import type { Logger } from '../infra/logger.ts';
import { type Redis, refuseEvictingServer } from '../infra/redis.ts';

export type EvictionWatch = {
  /** true: it does, as far as is known, and accepted events may be lost. */
  readonly evicts: boolean;
  stop: () => void;
};

const againMs = 5000;

export function watchEviction(redis: Redis, log: Pick<Logger, 'error'>, intervalMs = againMs): EvictionWatch {
  let evicts = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  async function ask(): Promise<void> {
    clearTimeout(timer);
    try {
      await refuseEvictingServer(redis, 'records');
      evicts = false;
      return;
    } catch (err) {
      if (err instanceof UsageError) {
        if (!evicts) log.error({ event: 'redis.evicts' }, err.message);
        evicts = true;
      }
    }
    // Where it is away, the next connection asks.
    if (!stopped && redis.status === 'ready') timer = setTimeout(() => void ask(), intervalMs).unref();
  }
  const onReady = () => void ask();
  redis.on('ready', onReady);
  if (redis.status === 'ready') onReady();
  return {
    get evicts() {
      return evicts;
    },
    stop: () => {
      stopped = true;
      redis.off('ready', onReady);
      clearTimeout(timer);
    },
  };
}
