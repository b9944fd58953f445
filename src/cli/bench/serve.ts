/**
 * `nextbest bench serve`: requests a second of the service's two hot calls beside what a bare server does on the same
 * machine, in the same run, under the same load. A shop is simulated and its models trained (kept in `folder`); its records
 * are copied until there are as many customers as wanted.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../domain/errors.ts';
import { builtEntry } from '../../infra/built-entry.ts';
import { openBenchPlace } from './bench-place.ts';
import { bound } from './broken-off.ts';
import type { Load, LoadResult } from './load.ts';
import { fillRedis, prepareShop } from './prepared-shop.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { REFERENCES } from './references.ts';

export type ServeBenchOptions = {
  customers: number;
  items: number;
  /** Of these; the others are copies (copied-items.ts). */
  simulatedItems?: number;
  /** Customers of the simulated shop that the others are copies of. */
  shop: number;
  connections: number;
  /** Of one measurement. */
  seconds: number;
  rounds: number;
  /** Customers of a round who are asked about again and again. */
  returning: number;
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
  /** Requests a second, and the 99th percentile of the times, beside those of `node:http+GET` in the same rounds. */
  ratioToNodeHttpGet: number;
  p99RatioToNodeHttpGet: number;
  errors: number;
  /** Who was asked about, and how often; absent for the bare servers. */
  asked?: string;
  /** Shares of the answers, by where the service says that they came from. */
  from?: Readonly<Record<string, number>>;
};

type Target = {
  name: string;
  url: string;
  pid: number;
  load: Pick<Load, 'path' | 'customers'>;
  asked?: string;
  /** Its customers are asked about once beforehand, there: what is measured is what comes after the first answer. */
  askedBefore?: string;
  /** At most so many customers, once each, however long it takes, rather than for a time. */
  onceEach?: number;
  /** Metric of the service that tells where its answers came from. */
  metric?: string;
};

const referenceKey = 'bench:reference';
const referenceBytes = 2048;
const startMs = 120_000;
/** Customers of a round whose page another process has prepared, and who have not been asked about before, at most. */
const preparedMax = 2000;
const firstMax = 1000;

/** UsageError where there is no /proc to measure by. */
export async function benchServe(
  options: ServeBenchOptions,
  onLine: (line: ServeBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  if (!existsSync('/proc/self/stat')) throw new UsageError('this measurement reads /proc: it needs Linux.');
  const place = await openBenchPlace(options.folder);
  const { root, folders, env, redis } = place;
  const children: ChildProcess[] = [];
  try {
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
    const [child, url] = await startServer({ ...refusingNothing, ...env });
    children.push(child);
    const [another, urlOfAnother] = await startServer({ ...refusingNothing, ...env });
    children.push(another);
    targets.push(...serviceTargets(options, { url, pid: child.pid ?? 0 }, urlOfAnother));
    for (const line of await measure(targets, options, say)) onLine(line);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await place.close();
  }
}

/** Another part of the customers for each, so that none finds what another has left. */
function serviceTargets(
  { customers, returning }: ServeBenchOptions,
  service: Pick<Target, 'url' | 'pid'>,
  urlOfAnother: string,
): Target[] {
  const fifth = Math.floor(customers / 5);
  const prepared = Math.min(returning, preparedMax);
  const first = Math.min(returning, firstMax);
  const part = (at: number) => ({ first: at * fifth, count: fifth, times: 1 });
  const page = '/recommendations?customerId={id}&n=10&explain=true&exclude=i00001,i00002';
  const offers = '/customers/{id}/offers?channel=email&placement=top&campaign=bench';
  const again = `up to ${returning} customers in turn, all asked about before, nothing has happened since`;
  const pages = { ...service, metric: 'nextbest_serve_pages_total' };
  const standing = { ...service, metric: 'nextbest_serve_standing_decisions_total' };
  return [
    {
      ...pages,
      name: 'recommendations',
      load: { path: page, customers: part(0) },
      asked: again,
      askedBefore: service.url,
    },
    {
      ...pages,
      name: 'recommendations, prepared elsewhere',
      load: { path: page, customers: part(1) },
      asked: `up to ${prepared} customers once each, whose page another process has prepared`,
      askedBefore: urlOfAnother,
      onceEach: prepared,
    },
    {
      ...pages,
      name: 'recommendations, first page',
      load: { path: page, customers: part(2) },
      asked: `up to ${first} customers once each, of whom no page is prepared`,
      onceEach: first,
    },
    // E-mail tools ask for what a campaign has decided, and ask again when they retry, preview or render a second time.
    {
      ...standing,
      name: 'offers',
      load: { path: offers, customers: part(3) },
      asked: again,
      askedBefore: service.url,
    },
    {
      ...standing,
      name: 'offers, first ask',
      load: { path: offers, customers: part(4) },
      asked: `up to ${first} customers once each, for whom nothing stands`,
      onceEach: first,
    },
  ];
}

function startReference(name: string, redisUrl: string): Promise<[ChildProcess, string]> {
  const entry = builtEntry('./serve-reference.js', import.meta.url);
  return started(
    bound(
      spawn(process.execPath, [entry, name, redisUrl, referenceKey], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    ),
  );
}

/** For `startServer`: however long a request waits for a busy machine, it is measured, not refused. */
export const refusingNothing = { MAX_LAG_MS: '60000', MAX_WAIT_MS: '60000' };

/** `nextbest serve` on a free port, without keys unless `env` says otherwise; and its address. */
export function startServer(env: Record<string, string>): Promise<[ChildProcess, string]> {
  const binary = fileURLToPath(new URL('../../../bin/nextbest', import.meta.url));
  return started(
    bound(
      spawn(process.execPath, ['--no-warnings', binary, 'serve', '--json'], {
        env: {
          ...process.env,
          PORT: '0',
          AUTH: 'off',
          LOG_LEVEL: 'warn',
          ...env,
        },
        // By the channel it ends when this process does, however that comes.
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      }),
    ),
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

type Run = LoadResult & { cpuSeconds: number; from: Map<string, number> };

/** Round by round over all of them, so that what else the machine does meets each alike; the median round counts. */
async function measure(
  targets: readonly Target[],
  options: ServeBenchOptions,
  say: (text: string) => void,
): Promise<ServeBenchLine[]> {
  const { rounds } = options;
  const runs = new Map<string, Run[]>(targets.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? 'warming up …' : `round ${round + 1} of ${rounds} …`);
    for (const target of targets) {
      const run = await runOnce(target, options, round + 1);
      if (round >= 0) runs.get(target.name)?.push(run);
    }
  }
  const ofReference = runs.get('node:http+GET') ?? [];
  return targets.map(({ name, asked, metric }) => {
    const own = runs.get(name) ?? [];
    const beside = (figure: 'requestsPerSecond' | 'p99Ms') =>
      median(own.map((run, r) => run[figure] / (ofReference[r]?.[figure] ?? Number.NaN)));
    return {
      name,
      requestsPerSecond: median(own.map((run) => run.requestsPerSecond)),
      p50Ms: median(own.map((run) => run.p50Ms)),
      p99Ms: median(own.map((run) => run.p99Ms)),
      cpuMicrosPerRequest: median(own.map((run) => (run.cpuSeconds * 1e6) / Math.max(1, run.requests))),
      ratioToNodeHttpGet: beside('requestsPerSecond'),
      p99RatioToNodeHttpGet: beside('p99Ms'),
      errors: own.reduce((sum, run) => sum + run.errors, 0),
      ...(asked !== undefined && { asked }),
      ...(metric !== undefined && { from: shares(own) }),
    };
  });
}

async function runOnce(
  { url, pid, load, askedBefore, onceEach, metric }: Target,
  { connections, seconds, rounds, returning }: ServeBenchOptions,
  round: number,
): Promise<Run> {
  // Who is asked once is another in each round: no answer is to be one that is kept from the last.
  const { customers: part } = load;
  const customers = part && (onceEach === undefined ? part : ofRound(part, round, rounds + 1));
  const own: Load = { url, connections, seconds, path: load.path };
  if (customers !== undefined) {
    const count = Math.min(customers.count, onceEach ?? returning);
    own.customers = { ...customers, count };
    if (askedBefore !== undefined) await runLoad({ ...own, url: askedBefore, amount: count });
    if (onceEach !== undefined) own.amount = count;
  }
  const fromBefore = await settledCounts(url, metric);
  const cpuBefore = await cpuSecondsOf(pid);
  const result = await runLoad(own);
  const cpuSeconds = (await cpuSecondsOf(pid)) - cpuBefore;
  const from = await countsOf(url, metric);
  for (const [label, count] of fromBefore) from.set(label, (from.get(label) ?? 0) - count);
  return { ...result, cpuSeconds, from };
}

const settleMs = 50;
const settleLooksMax = 100;

/** When what the load before left under way, a request a connection, has been answered, too: it would be counted as this one's. */
async function settledCounts(url: string, metric: string | undefined): Promise<Map<string, number>> {
  let counts = await countsOf(url, metric);
  for (let look = 0; metric !== undefined && look < settleLooksMax; look++) {
    await sleep(settleMs);
    const later = await countsOf(url, metric);
    if ([...later].every(([label, count]) => counts.get(label) === count)) return later;
    counts = later;
  }
  return counts;
}

/** By the metric's label `from`. */
async function countsOf(url: string, metric: string | undefined): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  if (metric === undefined) return counts;
  const text = await (await fetch(`${url}/metrics`)).text();
  for (const [, label = '', count] of text.matchAll(new RegExp(`^${metric}\\{from="(\\w+)"\\} (\\d+)`, 'gm')))
    counts.set(label, Number(count));
  return counts;
}

function shares(runs: readonly Run[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { from } of runs)
    for (const [label, count] of from) sums.set(label, (sums.get(label) ?? 0) + count);
  const total = [...sums.values()].reduce((sum, count) => sum + count, 0);
  return Object.fromEntries(
    [...sums].filter(([, count]) => count > 0).map(([label, count]) => [label, count / total]),
  );
}

function ofRound({ first, count, times }: NonNullable<Load['customers']>, round: number, rounds: number) {
  const share = Math.floor(count / rounds);
  return { first: first + round * share, count: Math.max(1, share), times };
}

async function runLoad(load: Load): Promise<LoadResult> {
  const entry = builtEntry('./load.js', import.meta.url);
  const child = bound(
    spawn(process.execPath, [entry, JSON.stringify(load)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  if (text === '') throw new UsageError('the load tool did not run: npm install brings it (autocannon)');
  return JSON.parse(text) as LoadResult;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
