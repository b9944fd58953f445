/**
 * In the midst of an answer that is streamed: what has been sent cannot be taken back, and a list of an hour's download should not
 * end because Redis did not answer for a moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRedisTrouble } from './redis.ts';

/** As long as a server takes to start again with its file, and far below what a client waits for the next byte. */
const outlastMs = 15_000;
const pauseMs = 200;

/** Reads again until Redis answers, for some seconds; then rejects with the last trouble. Any other fault rejects at once. */
export async function outlastRedis<T>(
  read: () => Promise<T>,
  { waitMs = outlastMs }: { waitMs?: number } = {},
): Promise<T> {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      return await read();
    } catch (err) {
      if (!isRedisTrouble(err) || performance.now() >= until) throw err;
    }
    await sleep(pauseMs);
  }
}
