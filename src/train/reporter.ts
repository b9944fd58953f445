/** A job's progress on its way to Redis: never backwards, and not more often than anybody looks. */
import type { JobProgress } from '../domain/job.ts';

const intervalMs = 200;

/**
 * `send` hears of at most five steps a second, and of every new stage. `clock` counts milliseconds. A share that is less
 * than an earlier one (stages estimate) counts as that one.
 */
export function createReporter(
  send: (progress: JobProgress) => Promise<void>,
  clock: () => number,
): (share: number, stage: string) => Promise<void> {
  let reached = 0;
  let stageBefore = '';
  let sentAt = Number.NEGATIVE_INFINITY;
  return async (share, stage) => {
    reached = Math.max(reached, Math.min(1, share));
    if (stage === stageBefore && reached < 1 && clock() - sentAt < intervalMs) return;
    stageBefore = stage;
    sentAt = clock();
    await send({ share: reached, stage });
  };
}
