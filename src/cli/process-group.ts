/**
 * Service and worker side by side, for a small shop: two child processes that are started again when they crash and
 * end together. `processes`: those of the service.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../infra/logger.ts';
import { keepRunning } from './keep-running.ts';

const binary = fileURLToPath(new URL('../../bin/nextbest', import.meta.url));

export type ProcessGroup = {
  /** Address of the service, once it listens. */
  url: Promise<string>;
  /** Rejects when a process cannot be started at all (wrong settings). */
  failed: Promise<never>;
  /** Replaces the processes of the service one by one; false: there is but one, which cannot be replaced without a gap. */
  replaceService: () => boolean;
  stop: () => Promise<void>;
};

export function startProcessGroup(
  log: Logger,
  env: Readonly<Record<string, string | undefined>>,
  processes = 1,
): ProcessGroup {
  let stopping = false;
  const running = new Map<string, ChildProcess>();
  let announce: (url: string) => void = () => {};
  let fail: (err: unknown) => void = () => {};
  const url = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever waits for it is told; nobody has to.
  failed.catch(() => {});

  const keep = (name: 'serve' | 'worker', flags: readonly string[] = []) =>
    keepRunning({
      name,
      start: () => {
        const child = spawn(process.execPath, ['--no-warnings', binary, name, '--json', ...flags], {
          env,
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
        return child;
      },
      isOver: () => stopping,
      log,
    }).catch(fail);

  const serveFlags = processes > 1 ? ['--processes', String(processes)] : [];
  const keepers = [keep('serve', serveFlags), keep('worker')];
  return {
    url,
    failed,
    replaceService: () => processes > 1 && (running.get('serve')?.kill('SIGUSR2') ?? false),
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
