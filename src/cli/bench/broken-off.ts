/**
 * What a measurement has started or put down, and what is to go with it where it is broken off by a signal: its own `finally` is
 * not reached then, and its servers would go on.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

type End = () => Promise<unknown> | unknown;

const ends = new Set<End>();
/** What does not end by then is left. */
const patienceMs = 10_000;

/** Called when the measurement is broken off, unless the answer has been called before. */
export function whenBrokenOff(end: End): () => void {
  ends.add(end);
  return () => ends.delete(end);
}

/** The same process, which is killed then. */
export function bound<C extends ChildProcess>(child: C): C {
  const forget = whenBrokenOff(() => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    return exited;
  });
  child.once('exit', forget);
  child.once('error', forget);
  return child;
}

/** SIGINT and SIGTERM end everything, the last first, and then this process, by the same signal. A second one does not wait. */
export function breakOffOnSignals(say: (text: string) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      const leave = () => {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      };
      process.once(signal, leave);
      say(`broken off by ${signal}: ending what was started …`);
      setTimeout(leave, patienceMs).unref();
      void endAll().then(leave);
    });
}

async function endAll(): Promise<void> {
  for (const end of [...ends].reverse())
    try {
      await end();
    } catch {
      // The others are to end all the same.
    }
}
