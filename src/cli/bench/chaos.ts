/**
 * `nextbest bench chaos`: a whole shop in real processes, two services, a worker and a Redis, killed with SIGKILL at random again
 * and again while callers post numbered events, take decisions, redeem offers and ask for jobs. Afterwards, when everything
 * runs again and nothing waits any more, what callers were promised is held against what there is: nothing may be lost,
 * and nothing count twice.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRng, type Rng } from '../../algorithms/rng.ts';
import { UsageError } from '../../domain/errors.ts';
import { Offer } from '../../domain/offer.ts';
import { RECORD_SCHEMA } from '../../features/registry.ts';
import { openLake } from '../../history/lake.ts';
import { freePort } from '../../infra/free-port.ts';
import { createJobQueue, type JobQueue } from '../../infra/job-queue.ts';
import { createKeys, type Keys } from '../../infra/keys.ts';
import { createLogger } from '../../infra/logger.ts';
import { serverOnPath } from '../../infra/private-redis/open.ts';
import { connectRedis, type Redis } from '../../infra/redis.ts';
import { SimulationOptions } from '../../simulation/options.ts';
import { simulateShop } from '../../simulation/simulate-shop.ts';
import { whenBrokenOff } from './broken-off.ts';
import { find } from './chaos/find.ts';
import { type Found, firstLoss } from './chaos/first-loss.ts';
import { noPromises, type Promises } from './chaos/promises.ts';
import { send, shop } from './chaos/shopper.ts';
import { startNextbest, startRedis, type Victim, type VictimKind } from './chaos/victim.ts';
import { writeSimulatedPart } from './simulated-lake.ts';

export type ChaosOptions = {
  /** How long processes are killed. */
  seconds: number;
  seed: number;
  /** Programs that call at once. */
  callers: number;
  /** false: Redis keeps nothing on the disk, so that there is a loss to be found. */
  appendOnly: boolean;
};

export type ChaosLine = {
  seconds: number;
  seed: number;
  kills: Record<VictimKind, number>;
  /** Times that a process ended by itself, and was started again. */
  crashes: number;
  requests: number;
  /** Answered 429 or 503, and without an answer; both were sent again. */
  refused: number;
  unanswered: number;
  /** Events that were sent or were to follow, those acknowledged, and those in the lake. */
  sent: number;
  acknowledged: number;
  inLake: number;
  decisions: number;
  redemptions: number;
  /** Records that were held to a replay. */
  records: number;
  /** Jobs that were accepted, by the state that they came to. */
  jobs: Record<string, number>;
  /** Versions whose files were held to their hashes. */
  models: number;
  /** From the last kill until nothing waited any more. */
  settledSeconds: number;
  /** The first promise that was broken; null: none. */
  loss: string | null;
  /** Where everything lies that was there, if there was a loss. */
  kept: string | null;
};

const keyPrefix = 'chaos';
/** Between two kills; then, for a while, until there is something to lose again, however slow the machine is. */
const leastPauseMs = 300;
const morePauseMs = 1700;
const acknowledgedBetweenKills = 20;
const longestPauseMs = 15_000;
/** A worker's lock on the drain, or on a job, must have run out by then, and the job been done. */
const settleWithinMs = 180_000;
const importedPart = 'import-simulated';

/** Throws UsageError where there is no Redis server to be killed. */
export async function benchChaos(options: ChaosOptions, say: (text: string) => void): Promise<ChaosLine> {
  const server = serverOnPath(process.env.PATH ?? '');
  if (server === undefined)
    throw new UsageError(
      'There is no redis-server or valkey-server on the PATH that could be killed: install one.',
    );
  const root = await mkdtemp(join(tmpdir(), 'nextbest-chaos-'));
  const forget = whenBrokenOff(() => rm(root, { recursive: true, force: true, maxRetries: 10 }));
  const dataDir = join(root, 'data');
  const modelsDir = join(root, 'models');
  const redisFolder = join(root, 'redis');
  await mkdir(redisFolder);
  say('simulating a small shop …');
  const { customerIds, itemIds, items } = await simulate(root, dataDir, options.seed);

  const redisPort = await freePort();
  const url = `redis://127.0.0.1:${redisPort}`;
  const ports = [await freePort(), await freePort()];
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const settings = settingsOf(url, dataDir, modelsDir);
  const logOf = (name: string) => join(root, `${name}.log`);
  const redisVictim = startRedis(
    { server, port: redisPort, folder: redisFolder, appendOnly: options.appendOnly },
    logOf('redis'),
  );
  const victims: Victim[] = [
    ...ports.map((port) =>
      startNextbest('serve', { ...settings, PORT: String(port) }, logOf(`serve-${port}`)),
    ),
    startNextbest('worker', settings, logOf('worker')),
    redisVictim,
  ];
  const log = createLogger('silent', 'bench');
  const keys = createKeys(keyPrefix);
  const redis = connectRedis(url, 'bench', { kind: 'patient' }, log);
  const jobs = createJobQueue(url, keys, log);
  const offers = budgetedOffers();
  let loss: string | null = 'it was broken off';
  try {
    await Promise.all(victims.map((victim) => victim.untilReady()));
    await put(`${urls[0]}/items`, items);
    await put(`${urls[0]}/offers`, offers);
    say('waiting for the records of its customers …');
    while ((await redis.get(keys.recordsBuilt)) !== RECORD_SCHEMA) await sleep(200);

    say(`${options.callers} callers; killing for ${options.seconds} s …`);
    const promises = noPromises();
    const over = new AbortController();
    const calling = Array.from({ length: options.callers }, (_, c) =>
      shop(
        `e${c}`,
        { customerIds, itemIds, urls },
        createRng(options.seed, 'caller', c),
        promises,
        over.signal,
      ),
    );
    const acknowledged = () => promises.acknowledged.size;
    const kills = await killAtRandom(
      victims,
      acknowledged,
      createRng(options.seed, 'kills'),
      options.seconds,
    );
    over.abort();
    await Promise.all(calling);
    // Once more all of them, at one instant.
    for (const victim of victims) victim.kill();
    const endedAt = Date.now();

    say('waiting until everything has come to rest …');
    await Promise.all(victims.map((victim) => victim.untilReady()));
    const unrest = await untilSettled(redis, keys, jobs, promises, endedAt + settleWithinMs);
    const settledSeconds = (Date.now() - endedAt) / 1000;
    say('comparing …');
    const imported = join(dataDir, 'lake', 'events', `${importedPart}.parquet`);
    const found = await find({ redis, keys, jobs, dataDir, modelsDir, offers }, promises.jobs, imported);
    loss = unrest ?? firstLoss(promises, found);
    return {
      seconds: options.seconds,
      seed: options.seed,
      kills,
      crashes: victims.reduce((sum, { crashes }) => sum + crashes, 0),
      ...counted(promises, found),
      settledSeconds,
      loss,
      kept: loss === null ? null : root,
    };
  } finally {
    await jobs.close().catch(() => {});
    redis.disconnect();
    await Promise.all(victims.map((victim) => victim.end()));
    forget();
    if (loss === null) await rm(root, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Of every process of the shop. */
function settingsOf(redisUrl: string, dataDir: string, modelsDir: string) {
  return {
    PATH: process.env.PATH,
    REDIS_URL: redisUrl,
    KEY_PREFIX: keyPrefix,
    DATA_DIR: dataDir,
    MODELS_DIR: modelsDir,
    HOST: '127.0.0.1',
    AUTH: 'off',
    WORKER_METRICS_PORT: '0',
    DRAIN_INTERVAL_MS: '300',
    // Only what is asked for: trainings of the night would hold it up.
    ...Object.fromEntries(
      ['TRAIN', 'UPDATE', 'REFRESH', 'SCORE', 'DRIFT'].map((name) => [`${name}_SCHEDULE`, '0 0 29 2 *']),
    ),
    LOG_LEVEL: 'info',
  };
}

/** What callers did and were promised, and what there is of it. */
function counted(promises: Promises, found: Found) {
  const jobs: Record<string, number> = {};
  for (const job of found.jobs.values()) jobs[job?.state ?? 'gone'] = (jobs[job?.state ?? 'gone'] ?? 0) + 1;
  return {
    requests: promises.requests,
    refused: promises.refused,
    unanswered: promises.unanswered,
    sent: promises.sent.size,
    acknowledged: promises.acknowledged.size,
    inLake: found.events.length,
    decisions: promises.decisions.size,
    redemptions: found.budgets.reduce((sum, { confirmed }) => sum + confirmed, 0),
    records: found.records,
    jobs,
    models: found.models,
  };
}

/** One at a time, and now and then all of them. Answers how many of each kind. */
async function killAtRandom(
  victims: readonly Victim[],
  acknowledged: () => number,
  rng: Rng,
  seconds: number,
): Promise<Record<VictimKind, number>> {
  const kills = { serve: 0, worker: 0, redis: 0 };
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const enough = acknowledged() + acknowledgedBetweenKills;
    const pauseEnds = Date.now() + longestPauseMs;
    await sleep(leastPauseMs + rng.nextInt(morePauseMs));
    while (acknowledged() < enough && Date.now() < pauseEnds) await sleep(50);
    const ready = victims.filter(({ isReady }) => isReady);
    if (ready.length === 0) continue;
    const first = rng.nextInt(ready.length);
    for (const victim of rng.chance(0.05) ? ready : ready.slice(first, first + 1)) {
      victim.kill();
      kills[victim.kind]++;
    }
  }
  return kills;
}

/**
 * null: the stream is in the lake, late customers' records are rebuilt, and the jobs have ended; or, on a slow machine, still
 * wait for one that runs.
 */
async function untilSettled(
  redis: Redis,
  keys: Keys,
  jobs: JobQueue,
  promises: Promises,
  deadline: number,
): Promise<string | null> {
  for (;;) {
    const waiting = await redis.xlen(keys.eventStream);
    const stale = (await redis.scard(keys.staleCustomers)) + (await redis.scard(keys.rebuildingCustomers));
    const open: string[] = [];
    for (const jobId of promises.jobs) {
      const state = (await jobs.get(jobId))?.state;
      if (state === 'waiting' || state === 'delayed' || state === 'active') open.push(`${jobId} is ${state}`);
    }
    const isAtRest = waiting === 0 && stale === 0;
    if (isAtRest && open.length === 0) return null;
    if (Date.now() > deadline) {
      if (isAtRest && (await jobs.counts()).active > 0) return null;
      return `${waiting} events still wait, ${stale} records are not rebuilt, jobs: ${open.join(', ') || 'none'}`;
    }
    await sleep(250);
  }
}

type SimulatedShop = {
  customerIds: string[];
  itemIds: string[];
  /** As `POST /items` takes them. */
  items: unknown[];
};

/** A shop with a history, so that there is something to train on and to rebuild. */
async function simulate(root: string, dataDir: string, seed: number): Promise<SimulatedShop> {
  const texts: Record<string, string> = {};
  const options = SimulationOptions.parse({
    customers: 300,
    items: 120,
    days: 300,
    offerWeeks: 0,
    seed,
    end: new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10),
  });
  await simulateShop(options, {
    write: (file, lines) => {
      texts[file] = (texts[file] ?? '') + lines;
      return undefined;
    },
  });
  const lake = await openLake(dataDir);
  try {
    const file = join(root, 'events.ndjson');
    await writeFile(file, texts.events ?? '');
    await writeSimulatedPart(lake, importedPart, [file]);
  } finally {
    lake.close();
  }
  const rows = (name: string) =>
    (texts[name] ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const items = rows('items');
  return {
    customerIds: rows('customers').map(({ customerId }) => customerId),
    itemIds: items.map(({ itemId }) => itemId),
    items,
  };
}

/** A service that has only just started may not have reached Redis yet. */
async function put(url: string, body: unknown): Promise<void> {
  for (;;) {
    const answer = await send('POST', url, body);
    if (answer?.status === 200) return;
    if (answer !== undefined && answer.status !== 503)
      throw new Error(`${url} was answered ${JSON.stringify(answer)}`);
    await sleep(200);
  }
}

/** Offers that nearly everybody may have, until their budget is used up. */
function budgetedOffers(): Offer[] {
  return [40, 200, 1000].map((count, n) =>
    Offer.parse({
      offerId: `chaos-${n}`,
      name: `Free delivery ${n}`,
      benefit: { kind: 'freeDelivery', costMinor: 1 },
      channels: ['web'],
      budget: { count, period: 'total', pacing: 'none' },
    }),
  );
}
