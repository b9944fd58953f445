/** Closes what a process opened, last opened first, on SIGINT or SIGTERM; once, and within a bound. */
import cluster from 'node:cluster';
import type { Logger } from './logger.ts';

/** Tells a process of a group to end, as a signal would. */
export const endMessage = 'nextbest:end';

export type Closer = () => Promise<unknown> | unknown;

const timeoutMs = 20_000;

export class Shutdown {
  readonly #closers: { name: string; close: Closer }[] = [];
  readonly #log: Logger;
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything; a second call waits for the first. One closer's failure does not stop the others. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  /** Ends the process on a signal: exit code 0 after a clean close; a second signal ends it at once. */
  onSignals(): void {
    const end = (reason: string) => {
      if (this.#closing !== undefined) process.exit(1);
      this.#log.info({ event: 'shutdown', reason }, 'shutting down');
      setTimeout(() => process.exit(1), timeoutMs).unref();
      void this.close().then(() => process.exit(0));
    };
    process.on('SIGTERM', () => end('SIGTERM'));
    // Ctrl-C reaches every process of a terminal: those of a group hear of it from the one that started them.
    process.on('SIGINT', () => {
      if (!cluster.isWorker) end('SIGINT');
    });
    process.on('message', (message) => {
      if (message === endMessage && this.#closing === undefined) end('told to by the starting process');
    });
    // Started by `nextbest start`, whose end this process must not outlive, however it came.
    if (process.connected) {
      process.on('disconnect', () => end('the starting process is gone'));
      // Listening would keep a process up that has ended its work, or could not begin it.
      process.channel?.unref();
    }
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#closers.reverse()) {
      try {
        await close();
      } catch (err) {
        this.#log.error({ event: 'shutdown.failed', what: name, err }, `could not close ${name}`);
      }
    }
  }
}
