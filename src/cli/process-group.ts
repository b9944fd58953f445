/**
 * Service and worker side by side, for a small shop: two child processes that are started again when they crash and
 * end together.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../domain/errors.ts';
import type { Logger } from '../infra/logger.ts';

const binary = fileURLToPath(new URL('../../bin/nextbest', import.meta.url));
const firstRestartDelayMs = 500;
const longestRestartDelayMs = 30_000;
/** A process that ran this long before it crashed starts afresh with the shortest delay. */
const healthyAfterMs = 60_000;
const wrongUsage = 2;
/**
 * Questions to the lake take one each of Node's threads for files, of which there are 4 by default, and may take all: models and
 * keys could not be read meanwhile.
 */
const poolThreads = '16';

export type ProcessGroup = {
  /** Address of the service, once it listens. */
  url: Promise<string>;
  /** Rejects when a process cannot be started at all (wrong settings). */
  failed: Promise<never>;
  stop: () => Promise<void>;
};

export function startProcessGroup(
  log: Logger,
  env: Readonly<Record<string, string | undefined>>,
): ProcessGroup {
  let stopping = false;
  const running = new Map<string, ChildProcess>();
  let announce: (url: string) => void = () => {};
  let fail: (err: Error) => void = () => {};
  const url = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for it is told; nobody has to.
  failed.catch(() => {});

  async function keepRunning(name: 'serve' | 'worker'): Promise<void> {
    let delayMs = firstRestartDelayMs;
    while (!stopping) {
      const startedAt = performance.now();
      const child = spawn(process.execPath, ['--no-warnings', binary, name, '--json'], {
        env: { UV_THREADPOOL_SIZE: poolThreads, ...env },
        // Of its own process group: Ctrl-C reaches this process alone, which ends the two in order. Should this
        // process be killed, the channel closes and the child ends itself.
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      running.set(name, child);
      if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          const address = addressIn(line);
          if (address !== undefined) announce(address);
        });
      }
      const [exitCode] = (await once(child, 'exit')) as [number | null];
      running.delete(name);
      if (stopping) return;
      if (exitCode === wrongUsage) {
        fail(new UsageError(`nextbest ${name} could not be started; its message is above.`));
        return;
      }
      log.error({ event: 'process.crashed', process: name, exitCode }, `${name} ended; starting it again`);
      if (performance.now() - startedAt > healthyAfterMs) delayMs = firstRestartDelayMs;
      await sleep(delayMs);
      delayMs = Math.min(2 * delayMs, longestRestartDelayMs);
    }
  }

  const keepers = [keepRunning('serve'), keepRunning('worker')];
  return {
    url,
    failed,
    stop: async () => {
      stopping = true;
      for (const child of running.values()) child.kill('SIGTERM');
      await Promise.all(keepers);
    },
  };
}

/** The service prints one line `{"url": …}` when it listens. */
function addressIn(line: string): string | undefined {
  try {
    const { url } = JSON.parse(line);
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}
