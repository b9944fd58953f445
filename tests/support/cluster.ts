/** A Redis Cluster for tests: three primaries with a replica each, on loopback. Needs a native redis-server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { freePort } from '../../src/infra/free-port.ts';

const run = promisify(execFile);

export type TestCluster = {
  /** As REDIS_URL takes it. */
  url: string;
  /** Kills the primary that has this key's slot (SIGKILL). */
  killPrimaryOf: (key: string) => Promise<void>;
  /** A folder for each node, in which it keeps its files. */
  folder: string;
  /** Of each node that runs, all keys and their values (as DUMP has them). */
  dump: () => Promise<string[]>;
  stop: () => Promise<void>;
};

const nodesCount = 6;
/** How long a node may be silent before its replica takes over. */
const nodeTimeoutMs = 1000;
/** Far beyond what it takes, on a machine that has much else to do. */
const hangsAfterMs = 200_000;

export async function startCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-cluster-'));
  const servers: { port: number; child: ChildProcess }[] = [];
  const stop = async () => {
    await Promise.all(servers.map(({ child }) => kill(child)));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (let n = 0; n < nodesCount; n++) servers.push(await startNode(join(folder, String(n))));
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    await Promise.all(servers.map(({ port }) => untilAnswering(port)));
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']);
    await Promise.all(servers.map(({ port }) => untilWhole(port)));
    return {
      url: `redis-cluster://${addresses.join(',')}`,
      killPrimaryOf: async (key) => {
        const port = await primaryOf(key, servers);
        const server = servers.find((one) => one.port === port);
        if (server === undefined) throw new Error(`no node of the cluster is at port ${port}`);
        await kill(server.child);
      },
      folder,
      dump: () =>
        Promise.all(
          servers
            .filter(({ child }) => child.exitCode === null && child.signalCode === null)
            .map(({ port }) => ask(port, dumpOf)),
        ),
      stop,
    };
  } catch (err) {
    await stop();
    throw err;
  }
}

async function startNode(folder: string): Promise<{ port: number; child: ChildProcess }> {
  await mkdir(folder);
  const [port, busPort] = [await freePort(), await freePort()];
  const settings = {
    port,
    'cluster-port': busPort,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    // For tests that look for texts in its values and files.
    rdbcompression: 'no',
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': nodeTimeoutMs,
    // Replication over loopback: no file between.
    'repl-diskless-sync-delay': 0,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return { port, child: spawn('redis-server', args, { stdio: 'ignore' }) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** One question, on a connection of its own. */
async function ask<T>(port: number, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: null, lazyConnect: true });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

async function dumpOf(redis: Redis): Promise<string> {
  // Else a replica sends whoever asks for a key to its primary.
  await redis.readonly();
  const found: string[] = [];
  for (const key of await redis.keys('*'))
    found.push(key, (await redis.dumpBuffer(key))?.toString('latin1') ?? '');
  return found.join('\n');
}

const untilAnswering = (port: number) => until(() => ask(port, (redis) => redis.ping()));

/** Every slot has an owner, and each replica has its primary's data. */
const untilWhole = (port: number) =>
  until(async () => {
    const info = await ask(
      port,
      async (redis) => `${await redis.cluster('INFO')}${await redis.info('replication')}`,
    );
    if (!/cluster_state:ok/.test(info) || /master_link_status:down/.test(info)) throw new Error(info);
  });

async function until(check: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + hangsAfterMs;
  for (;;)
    try {
      await check();
      return;
    } catch (err) {
      if (Date.now() > deadline) throw err;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

async function primaryOf(
  key: string,
  servers: readonly { port: number; child: ChildProcess }[],
): Promise<number> {
  const alive = servers.find(({ child }) => child.exitCode === null && child.signalCode === null);
  if (alive === undefined) throw new Error('no node of the cluster runs');
  return ask(alive.port, async (redis) => {
    const slot = await redis.cluster('KEYSLOT', key);
    const ranges = await redis.cluster('SLOTS');
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    if (range === undefined) throw new Error(`slot ${slot} has no owner`);
    return Number(range[2]?.[1]);
  });
}
