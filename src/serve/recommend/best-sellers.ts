/**
 * What sells best, for as long as there is no model: a shop whose first weeks teach nothing yet is to show more than the order of
 * its catalogue. Read beside the requests, which only read `current`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BestSeller } from '../../infra/best-sellers.ts';
import type { Models } from '../../scoring/served.ts';

export type BestSellersHolder = {
  /** Best first; none as long as nobody has counted them. */
  readonly current: readonly BestSeller[];
  /** Reads them, and again from time to time. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

const refreshMs = 5000;

/** `read` may reject, or find none: those that were read before stay. */
export function createBestSellers(
  models: Pick<Models, 'collaborative'>,
  read: () => Promise<readonly BestSeller[] | undefined>,
  intervalMs = refreshMs,
): BestSellersHolder {
  let current: readonly BestSeller[] = [];
  const stopping = new AbortController();
  let following: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    // The model knows better.
    if (models.collaborative !== undefined) return;
    current = (await read().catch(() => undefined)) ?? current;
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (!stopping.signal.aborted) await refresh();
    }
  }

  return {
    get current() {
      return current;
    },
    start: async () => {
      await refresh();
      following = follow();
    },
    stop: async () => {
      stopping.abort();
      await following;
    },
  };
}
