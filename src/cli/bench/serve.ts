/**
 * `nextbest bench serve`: requests a second of the service's two hot calls beside what a bare server does on the same
 * machine, in the same run, under the same load. A shop is simulated and its models trained (kept in `folder`); its records
 * are copied until there are as many customers as wanted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../domain/errors.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import { readConfig } from '../../infra/config.ts';
import { createLogger } from '../../infra/logger.ts';
import { openRedis } from '../../infra/open-redis.ts';
import { connectRedis } from '../../infra/redis.ts';
import type { Load, LoadResult } from './load.ts';
import { fillRedis, keyPrefix, prepareShop } from './prepared-shop.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { REFERENCES } from './references.ts';

export type ServeBenchOptions = {
  customers: number;
  items: number;
  /** Customers of the simulated shop that the others are copies of. */
  shop: number;
  connections: number;
  /** Of one measurement. */
  seconds: number;
  rounds: number;
  /** Keeps the simulated shop and its models; one that is there is used again. */
  folder?: string;
  seed: number;
};

export type ServeBenchLine = {
  name: string;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMicrosPerRequest: number;
  /** Requests a second beside those of `node:http+GET` in the same rounds. */
  ratioToNodeHttpGet: number;
  errors: number;
};

type Target = {
  name: string;
  url: string;
  pid: number;
  load: Pick<Load, 'path' | 'customers'>;
  /** Its customers are asked once beforehand: what is measured is what comes after the first page. */
  isReturning?: boolean;
};

const referenceKey = 'bench:reference';
const referenceBytes = 2048;
const startMs = 120_000;
/** Customers whose pages are made ready for a round. */
const returningMax = 5000;

/** UsageError where there is no /proc to measure by. */
export async function benchServe(
  options: ServeBenchOptions,
  onLine: (line: ServeBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new UsageError('this measurement reads /proc: it needs Linux.');
  const root = options.folder ?? (await mkdtemp(join(tmpdir(), 'nextbest-bench-')));
  const folders = { DATA_DIR: join(root, 'data'), MODELS_DIR: join(root, 'models'), KEY_PREFIX: keyPrefix };
  await mkdir(folders.DATA_DIR, { recursive: true });
  const log = createLogger('warn', 'bench');
  const redisDir = await mkdtemp(join(tmpdir(), 'nextbest-bench-redis-'));
  const place = await openRedis(readConfig({ ...folders, DATA_DIR: redisDir, PATH: process.env.PATH }), log);
  const redis = connectRedis(place.url, 'bench', { kind: 'patient' }, log);
  const children: ChildProcess[] = [];
  try {
    const env = { ...folders, REDIS_URL: place.url };
    await prepareShop(root, env, options, say);
    await fillRedis(redis, folders.DATA_DIR, options, say);
    await redis.set(referenceKey, randomBytes(referenceBytes / 2).toString('hex'));
    say('starting the servers …');
    const targets: Target[] = [];
    for (const name of REFERENCES) {
      const [child, url] = await startReference(name, place.url);
      children.push(child);
      targets.push({ name, url, pid: child.pid ?? 0, load: { path: '/' } });
    }
    const [child, url] = await startServer(env);
    children.push(child);
    const half = Math.floor(options.customers / 2);
    const ask = '/recommendations?customerId={id}&n=10&explain=true&exclude=i00001,i00002';
    const fetchOffer = '/customers/{id}/offers?channel=email&placement=top&campaign=bench';
    targets.push(
      // Whose page is asked for again, and nothing has happened in between: it is ready.
      {
        name: 'recommendations',
        url,
        pid: child.pid ?? 0,
        load: { path: ask, customers: { first: 0, count: half, times: 1 } },
        isReturning: true,
      },
      {
        name: 'recommendations, first page',
        url,
        pid: child.pid ?? 0,
        load: { path: ask, customers: { first: half, count: half, times: 1 } },
      },
      // E-mail tools ask several times for each message.
      {
        name: 'offers',
        url,
        pid: child.pid ?? 0,
        load: { path: fetchOffer, customers: { first: 0, count: options.customers, times: 3 } },
      },
    );
    for (const line of await measure(targets, options, say)) onLine(line);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    redis.disconnect();
    await place.release();
    await rm(redisDir, { recursive: true, force: true });
    if (options.folder === undefined) await rm(root, { recursive: true, force: true });
  }
}

function startReference(name: string, redisUrl: string): Promise<[ChildProcess, string]> {
  const entry = builtEntry('./serve-reference.js', import.meta.url);
  return started(
    spawn(process.execPath, [entry, name, redisUrl, referenceKey], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
}

/** `nextbest serve` on a free port, without keys unless `env` says otherwise; and its address. */
export function startServer(env: Record<string, string>): Promise<[ChildProcess, string]> {
  const binary = fileURLToPath(new URL('../../../bin/nextbest', import.meta.url));
  return started(
    spawn(process.execPath, ['--no-warnings', binary, 'serve', '--json'], {
      env: { ...process.env, PORT: '0', AUTH: 'off', LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

/** The first line that it prints has its address. */
async function started(child: ChildProcess): Promise<[ChildProcess, string]> {
  if (child.stdout === null) throw new Error('the server has no output');
  const giveUp = setTimeout(() => child.kill('SIGKILL'), startMs);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\/\/[\w.:[\]]+/.exec(line)?.[0];
      if (url !== undefined) return [child, url];
    }
  } finally {
    clearTimeout(giveUp);
  }
  throw new Error('a server ended before it listened');
}

/** Round by round over all of them, so that what else the machine does meets each alike; the median round counts. */
async function measure(
  targets: readonly Target[],
  { connections, seconds, rounds }: ServeBenchOptions,
  say: (text: string) => void,
): Promise<ServeBenchLine[]> {
  const runs = new Map<string, (LoadResult & { cpuSeconds: number })[]>(
    targets.map(({ name }) => [name, []]),
  );
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? 'warming up …' : `round ${round + 1} of ${rounds} …`);
    for (const { name, url, pid, load, isReturning } of targets) {
      const asked = load.customers && ofRound(load.customers, round + 1, rounds + 1);
      const own: Load = { url, connections, seconds, path: load.path };
      if (asked !== undefined) own.customers = asked;
      if (isReturning && asked !== undefined) {
        own.customers = { ...asked, count: Math.min(asked.count, returningMax) };
        await runLoad({ ...own, amount: own.customers.count });
      }
      const before = await cpuSecondsOf(pid);
      const result = await runLoad(own);
      const cpuSeconds = (await cpuSecondsOf(pid)) - before;
      if (round >= 0) runs.get(name)?.push({ ...result, cpuSeconds });
    }
  }
  const ofReference = runs.get('node:http+GET') ?? [];
  return targets.map(({ name }) => {
    const own = runs.get(name) ?? [];
    return {
      name,
      requestsPerSecond: median(own.map((run) => run.requestsPerSecond)),
      p50Ms: median(own.map((run) => run.p50Ms)),
      p99Ms: median(own.map((run) => run.p99Ms)),
      cpuMicrosPerRequest: median(own.map((run) => (run.cpuSeconds * 1e6) / Math.max(1, run.requests))),
      ratioToNodeHttpGet: median(
        own.map((run, r) => run.requestsPerSecond / (ofReference[r]?.requestsPerSecond ?? Number.NaN)),
      ),
      errors: own.reduce((sum, run) => sum + run.errors, 0),
    };
  });
}

/** Other customers in each round: nobody's answer is to be one that is kept from the last. */
function ofRound({ first, count, times }: NonNullable<Load['customers']>, round: number, rounds: number) {
  const share = Math.floor(count / rounds);
  return { first: first + round * share, count: Math.max(1, share), times };
}

async function runLoad(load: Load): Promise<LoadResult> {
  const entry = builtEntry('./load.js', import.meta.url);
  const child = spawn(process.execPath, [entry, JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  if (text === '') throw new UsageError('the load tool did not run: npm install brings it (autocannon)');
  return JSON.parse(text) as LoadResult;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
