/**
 * A Redis of a test's own, to be killed, frozen and brought back on the same port: a `redis-server`, which keeps what it has
 * answered, or where there is none Valkey in WebAssembly, which comes back empty. Tests of what is kept: `describeNative`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inject } from 'vitest';
import { builtEntry } from '../../src/infra/built-entry.ts';
import { freePort } from '../../src/infra/free-port.ts';
import { connectRedis, untilReady } from '../../src/infra/redis.ts';
import { silentLog } from './redis.ts';

const wasmServer = pathToFileURL(
  builtEntry('../../src/infra/private-redis/wasm-server.js', import.meta.url),
).href;

export type OwnRedis = {
  url: string;
  /** Where it keeps its files; texts stand in them as they are. */
  folder: string;
  /** With an append-only file that is flushed at every write. `more` settings by name. */
  start: (more?: Readonly<Record<string, string>>) => Promise<void>;
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
    start: async (more = {}) => {
      const native = inject('nativeRedis');
      child = native ? spawnNative(folder, port, more) : spawnWasm(port);
      const probe = connectRedis(url, 'tests-probe', { kind: 'patient' }, silentLog);
      try {
        await untilReady(probe, 200_000);
        if (!native) for (const [name, value] of Object.entries(more)) await probe.config('SET', name, value);
      } finally {
        probe.disconnect();
      }
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

function spawnNative(folder: string, port: number, more: Readonly<Record<string, string>>): ChildProcess {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    rdbcompression: 'no',
    appendonly: 'yes',
    appendfsync: 'always',
    ...more,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return spawn('redis-server', args, { stdio: 'ignore' });
}

/** In a process of its own, for a signal to reach. */
function spawnWasm(port: number): ChildProcess {
  const script = `(await import(${JSON.stringify(wasmServer)})).startWasmServer(${port});`;
  return spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
    stdio: 'ignore',
  });
}
