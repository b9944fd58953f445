/** Keeps what requests only read up to date beside them. */
import { setTimeout as sleep } from 'node:timers/promises';

export type BesideRequests = {
  /** Refreshes, and again and again from then on. */
  start: () => Promise<void>;
  /** Waits for the refresh that is under way. */
  stop: () => Promise<void>;
};

/** `pauseMs`: before the next one, by how long the last took. `refresh` does not reject. */
export function refreshBeside(
  refresh: () => Promise<void>,
  pauseMs: (tookMs: number) => number,
): BesideRequests {
  const stopping = new AbortController();
  let following: Promise<void> = Promise.resolve();

  async function follow(): Promise<void> {
    let tookMs = 0;
    while (!stopping.signal.aborted) {
      await sleep(pauseMs(tookMs), undefined, { signal: stopping.signal, ref: false }).catch(() => {});
      if (stopping.signal.aborted) return;
      const startedAt = performance.now();
      await refresh();
      tookMs = performance.now() - startedAt;
    }
  }

  return {
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
