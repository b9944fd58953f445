/** A redis-server of a test's own, to be killed, frozen and brought back on the same port. Needs a native one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/infra/free-port.ts';
import { connectRedis, untilReady } from '../../src/infra/redis.ts';
import { silentLog } from './redis.ts';

export type OwnRedis = {
  url: string;
  /** Where it keeps its files; texts stand in them as they are. */
  folder: string;
  /** With an append-only file that is flushed at every write: what was answered is kept. `more` settings may be given. */
  start: (more?: readonly string[]) => Promise<void>;
  kill: () => Promise<void>;
  /** Connections stay open and nothing is answered, as with a machine that hangs. */
  freeze: () => void;
  thaw: () => void;
  remove: () => Promise<void>;
};

export async function ownRedis(): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  };
  return {
    url,
    folder,
    start: async (more = []) => {
      const settings = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
        '--save',
        '',
        '--rdbcompression',
        'no',
      ];
      child = spawn(
        'redis-server',
        [...settings, '--appendonly', 'yes', '--appendfsync', 'always', ...more],
        {
          stdio: 'ignore',
        },
      );
      const probe = connectRedis(url, 'tests-probe', { kind: 'patient' }, silentLog);
      await untilReady(probe, 20_000).finally(() => probe.disconnect());
    },
    kill: () => end('SIGKILL'),
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    remove: async () => {
      child?.kill('SIGCONT');
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
