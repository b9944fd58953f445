/** A process that is killed without notice and started again, again and again, as whoever supervises it would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { whenBrokenOff } from '../broken-off.ts';

export type VictimKind = 'serve' | 'worker' | 'redis';

export type Victim = {
  readonly kind: VictimKind;
  /** Up and at work: one that has not begun has nothing to lose. */
  readonly isReady: boolean;
  /** Times that it ended by itself, as a worker may that finds no Redis at its start. */
  readonly crashes: number;
  untilReady: () => Promise<void>;
  /** SIGKILL; it comes back by itself. */
  kill: () => void;
  /** SIGKILL, for good. */
  end: () => Promise<void>;
};

const binary = fileURLToPath(new URL('../../../../bin/nextbest', import.meta.url));
const restartDelayMs = 100;
const lookEveryMs = 50;

/** A service or a worker. `logFile` takes what they say. */
export function startNextbest(
  kind: 'serve' | 'worker',
  env: Record<string, string | undefined>,
  logFile: string,
): Victim {
  return keepUp(kind, () => {
    const log = openSync(logFile, 'a');
    const child = spawn(process.execPath, ['--no-warnings', binary, kind, '--json'], {
      env,
      // By the channel it ends when this process does.
      stdio: ['ignore', 'pipe', log, 'ipc'],
    });
    closeSync(log);
    // Its one line on stdout says that it is ready.
    return { child, ready: once(child.stdout as NonNullable<typeof child.stdout>, 'data') };
  });
}

export type RedisVictim = { server: string; port: number; folder: string; appendOnly: boolean };

/** With `appendOnly`, a server that has on the disk whatever it has answered; without, one that keeps nothing. */
export function startRedis({ server, port, folder, appendOnly }: RedisVictim, logFile: string): Victim {
  return keepUp('redis', () => {
    const log = openSync(logFile, 'a');
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    const durable = ['--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'always'];
    const child = spawn(server, [...settings, ...durable], { stdio: ['ignore', log, log] });
    closeSync(log);
    return { child, ready: untilAnswers(port, child) };
  });
}

async function untilAnswers(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    // Refused while it starts, LOADING while it reads its file.
    const isUp = await redis
      .connect()
      .then(() => redis.ping())
      .catch(() => undefined);
    redis.disconnect();
    if (isUp === 'PONG') return;
    await sleep(lookEveryMs);
  }
}

function keepUp(kind: VictimKind, launch: () => { child: ChildProcess; ready: Promise<unknown> }): Victim {
  let child: ChildProcess | undefined;
  let isReady = false;
  let crashes = 0;
  let killed = false;
  let over = false;
  const running = (async () => {
    while (!over) {
      const launched = launch();
      child = launched.child;
      killed = false;
      const exited = once(launched.child, 'exit');
      void launched.ready.then(() => {
        if (child === launched.child && launched.child.exitCode === null) isReady = !killed;
      });
      await exited;
      isReady = false;
      if (!killed && !over) crashes++;
      if (!over) await sleep(restartDelayMs);
    }
  })();
  const end = async () => {
    over = true;
    kill();
    await running;
    forget();
  };
  const forget = whenBrokenOff(end);
  const kill = () => {
    killed = true;
    isReady = false;
    child?.kill('SIGKILL');
  };
  return {
    kind,
    get isReady() {
      return isReady;
    },
    get crashes() {
      return crashes;
    },
    untilReady: async () => {
      while (!isReady) await sleep(lookEveryMs);
    },
    kill,
    end,
  };
}
