/** Starts a child process again whenever it ends by itself, with growing pauses. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../domain/errors.ts';
import type { Logger } from '../infra/logger.ts';

const firstRestartDelayMs = 500;
const longestRestartDelayMs = 30_000;
/** A process that ran this long before it crashed starts afresh with the shortest delay. */
const healthyAfterMs = 60_000;
const wrongUsage = 2;

export type Kept = {
  name: string;
  start: () => ChildProcess;
  /** Whether the child that has just ended was to end: it is not started again. */
  isOver: (ended: ChildProcess) => boolean;
  log: Logger;
};

/** Resolves when a child has ended that was to. Throws UsageError where it cannot be started at all (wrong settings). */
export async function keepRunning({ name, start, isOver, log }: Kept): Promise<void> {
  let delayMs = firstRestartDelayMs;
  for (;;) {
    const startedAt = performance.now();
    const child = start();
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (isOver(child)) return;
    if (exitCode === wrongUsage)
      throw new UsageError(`nextbest ${name} could not be started; its message is above.`);
    log.error(
      { event: 'process.crashed', process: name, exitCode, signal },
      `${name} ended; starting it again`,
    );
    if (performance.now() - startedAt > healthyAfterMs) delayMs = firstRestartDelayMs;
    await sleep(delayMs);
    if (isOver(child)) return;
    delayMs = Math.min(2 * delayMs, longestRestartDelayMs);
  }
}
