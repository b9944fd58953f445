/**
 * `nextbest bench memory`: what a million customers take in Redis. A simulated shop's records are copied under new ids; some of
 * their owners then look at a page, are made an offer and visit as often as they do in a week, through the service itself, so
 * that every key is the one that it writes. How many customers have such a key at a time follows from how long it lives and
 * what the simulated customers do. What shares keys with others of its day is weighed as it lies among as many as a million
 * customers leave in a day.
 */
import type { ChainableCommander } from 'ioredis';
import { newDecisionId } from '../../decide/decision-id.ts';
import { dayMs } from '../../domain/time.ts';
import { markerTtlMs } from '../../features/event-markers.ts';
import { type Lake, openLake } from '../../history/lake.ts';
import { createCatalogueStore } from '../../infra/catalogue-store.ts';
import { readConfig } from '../../infra/config.ts';
import { madePlace, outlinePlace } from '../../infra/decision-places.ts';
import { createKeys, type Keys } from '../../infra/keys.ts';
import type { Redis } from '../../infra/redis.ts';
import { startService } from '../../serve/server.ts';
import { benchOffers } from './bench-offers.ts';
import { openBenchPlace } from './bench-place.ts';
import { copyId, copyRecords } from './copied-records.ts';
import { keyPrefix, prepareShop } from './prepared-shop.ts';

export type MemoryBenchOptions = {
  customers: number;
  items: number;
  /** Customers of the simulated shop that the others are copies of. */
  shop: number;
  /** Of them, how many are served, to see what that leaves in Redis. */
  served: number;
  /** Keeps the simulated shop and its models; one that is there is used again. */
  folder?: string;
  seed: number;
};

export type MemoryBenchLine = {
  /** `record`, `page`, …: what a key is of; `everything`: their sum. */
  kind: string;
  /** Mean bytes that Redis gives back when such keys go: name, entry, expiry, value and what the allocator rounds up. */
  bytesPerKey: number | null;
  /** null: as long as the customer is there. */
  livesHours: number | null;
  /** Keys of the kind that there are at a time, a customer. */
  keysPerCustomer: number | null;
  bytesPerCustomer: number;
  gibPerMillion: number;
};

const sharesOf = 1e6;
/** Of a day's, so many at most are written to be weighed. */
const sharedMax = 200_000;

export async function benchMemory(
  options: MemoryBenchOptions,
  onLine: (line: MemoryBenchLine) => void,
  say: (text: string) => void,
): Promise<void> {
  const place = await openBenchPlace(options.folder);
  const { root, folders, env, redis, log } = place;
  const keys = createKeys(keyPrefix);
  try {
    await prepareShop(root, env, options, say);
    const lake = await openLake(folders.DATA_DIR);
    try {
      say(`copying their records to ${options.customers} customers …`);
      const before = await usedBytes(redis);
      await copyRecords(lake, redis, keys, options.customers);
      const recordBytes = ((await usedBytes(redis)) - before) / options.customers;
      await createCatalogueStore(redis, keys).putOffers(benchOffers(), Date.now());
      say(`serving ${options.served} of them …`);
      const config = readConfig({
        ...env,
        PORT: '0',
        AUTH: 'off',
        LOG_LEVEL: 'warn',
        // What is weighed is to be there, however busy the machine is.
        REDIS_TIMEOUT_MS: '30000',
        PATH: process.env.PATH,
      });
      const service = await startService({ config, redisPlace: place, log });
      const ids = Array.from({ length: Math.min(options.served, options.customers) }, (_, n) => copyId(n));
      const ofWeek = await habitsIn(lake, markerTtlMs);
      try {
        await serve(service.url, ids, Math.max(1, Math.round(ofWeek.events / ofWeek.active)));
      } finally {
        await service.close();
      }
      say('weighing what that left …');
      const lines = [lineOf('record', recordBytes, null, 1)];
      for (const { kind, bytes, ttlMs } of await weigh(redis, ids, keys)) {
        const habits = await habitsIn(lake, ttlMs);
        lines.push(lineOf(kind, bytes, ttlMs, habits.active));
      }
      for (const { kind, ttlMs, left, write } of await sharedKinds(redis, keys)) {
        const { active } = await habitsIn(lake, ttlMs);
        const aDay = Math.min(sharedMax, Math.round((active * sharesOf * dayMs) / ttlMs));
        const ids = Array.from({ length: aDay }, () => newDecisionId(Date.now()));
        const bytes = await weighed(redis, left, ids, write);
        lines.push(lineOf(kind, bytes, ttlMs, active));
      }
      const sum = lines.reduce((total, line) => total + line.bytesPerCustomer, 0);
      lines.push({ ...lineOf('everything', sum, null, 1), bytesPerKey: null, keysPerCustomer: null });
      for (const line of lines) onLine(line);
    } finally {
      lake.close();
    }
  } finally {
    await place.close();
  }
}

function lineOf(
  kind: string,
  bytesPerKey: number,
  ttlMs: number | null,
  keysPerCustomer: number,
): MemoryBenchLine {
  const bytesPerCustomer = bytesPerKey * keysPerCustomer;
  return {
    kind,
    bytesPerKey,
    livesHours: ttlMs === null ? null : ttlMs / 3_600_000,
    keysPerCustomer,
    bytesPerCustomer,
    gibPerMillion: (bytesPerCustomer * sharesOf) / 2 ** 30,
  };
}

/**
 * A page view, an offer and so many visits of each: a week's events, as their markers lie together. Throws where the service does
 * not answer as it should.
 */
async function serve(url: string, ids: readonly string[], visits: number): Promise<void> {
  for (const id of ids) {
    const answers = await Promise.all([
      fetch(`${url}/recommendations?customerId=${id}&n=10`),
      fetch(`${url}/customers/${id}/offers?channel=email&placement=top&campaign=bench`),
    ]);
    const week = Array.from({ length: visits }, () => ({
      type: 'visit',
      eventId: crypto.randomUUID(),
      customerId: id,
      channel: 'web',
    }));
    const posted = await fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(week),
    });
    for (const answer of [...answers, posted]) {
      if (!answer.ok) throw new Error(`the service answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  }
}

type Weighed = { kind: string; bytes: number; ttlMs: number };

/** Deletes kind after kind of the served customers' keys that expire, and sees what each gives back. */
async function weigh(redis: Redis, ids: readonly string[], keys: Keys): Promise<Weighed[]> {
  const served = new Set(ids.map((id) => keys.preparedPage(id, '').slice(0, -'page:'.length)));
  const found = new Map<string, { names: string[]; ttlMs: number }>();
  for await (const batch of redis.scanStream({ match: keys.ofSubjects.pattern, count: 1000 })) {
    for (const name of batch as string[]) {
      const end = name.indexOf('}:') + 2;
      // What follows the customer in a key's name.
      const kind = served.has(name.slice(0, end)) ? name.slice(end).replace(/:.*/s, '') : 'record';
      if (kind === 'record') continue;
      const ttlMs = await redis.pttl(name);
      const known = found.get(kind) ?? { names: [], ttlMs: 0 };
      known.names.push(name);
      known.ttlMs = Math.max(known.ttlMs, ttlMs);
      found.set(kind, known);
    }
  }
  const weighed: Weighed[] = [];
  for (const [kind, { names, ttlMs }] of [...found].sort()) {
    const before = await usedBytes(redis);
    for (const name of names) await redis.del(name);
    weighed.push({ kind, bytes: (before - (await usedBytes(redis))) / names.length, ttlMs });
  }
  return weighed;
}

type SharedKind = {
  kind: string;
  ttlMs: number;
  /** Keys that serving has left. */
  left: string[];
  /** Puts what one decision of this id leaves where the service would. */
  write: (to: ChainableCommander, decisionId: string, n: number) => void;
};

/** What decisions leave in keys that those of a day share. */
async function sharedKinds(redis: Redis, keys: Keys): Promise<SharedKind[]> {
  const outlined = await keysLike(redis, keys.decisions('*'));
  const marked = await keysLike(redis, keys.offersMadeMarkers('*'));
  const outlines: Buffer[] = [];
  for (const name of outlined) outlines.push(...(await redis.hvalsBuffer(name)));
  const ttlOf = async (names: readonly string[]) => {
    const ttlMs = await Promise.all(names.map((name) => redis.pttl(name)));
    return Math.max(0, ...ttlMs);
  };
  const outlinesTtlMs = await ttlOf(outlined);
  const markersTtlMs = await ttlOf(marked);
  return [
    {
      kind: 'logged decision',
      ttlMs: outlinesTtlMs,
      left: outlined,
      write: (to, decisionId, n) => {
        const { key, field } = outlinePlace(decisionId, keys);
        to.hset(key, field, outlines[n % outlines.length] ?? '').pexpire(key, outlinesTtlMs);
      },
    },
    {
      kind: 'offers made, marker',
      ttlMs: markersTtlMs,
      left: marked,
      write: (to, decisionId) => {
        const { key, member } = madePlace(decisionId, keys);
        to.sadd(key, member).pexpire(key, markersTtlMs);
      },
    },
  ];
}

async function keysLike(redis: Redis, pattern: string): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of redis.scanStream({ match: pattern, count: 1000 }))
    names.push(...(batch as string[]));
  return names;
}

const writtenAtOnce = 1000;

/** Bytes that each of these decisions takes, when there is nothing of the kind beside them. */
async function weighed(
  redis: Redis,
  left: readonly string[],
  ids: readonly string[],
  write: SharedKind['write'],
): Promise<number> {
  for (const name of left) await redis.del(name);
  const before = await usedBytes(redis);
  for (let first = 0; first < ids.length; first += writtenAtOnce) {
    const batch = redis.pipeline();
    for (const [n, id] of ids.slice(first, first + writtenAtOnce).entries()) write(batch, id, first + n);
    await batch.exec();
  }
  return ((await usedBytes(redis)) - before) / ids.length;
}

/** Without what the server holds for its clients and for the file on its way, which comes and goes. */
async function usedBytes(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return read('used_memory') - read('mem_clients_normal') - read('mem_aof_buffer');
}

/** In the last so many milliseconds of the simulated time: share of customers who did anything, and events a customer. */
async function habitsIn(lake: Lake, ms: number): Promise<{ active: number; events: number }> {
  // An hour of the shop's last night says little of an hour: the mean over its last four weeks does.
  const windows = Math.max(1, Math.floor((28 * dayMs) / ms));
  const result = await lake.connection.runAndReadAll(
    `WITH known AS (
       SELECT "customerId", "eventId", epoch_ms("occurredAt") AS time FROM ${lake.from('events')}
       WHERE "customerId" IS NOT NULL
     ), ending AS (SELECT max(time) AS time, count(DISTINCT "customerId") AS customers FROM known)
     SELECT count(DISTINCT ("customerId", floor((ending.time - known.time) / ${ms}))) / any_value(customers) / ${windows},
            count(DISTINCT ("customerId", "eventId")) / any_value(customers) / ${windows}
     FROM known, ending WHERE known.time > ending.time - ${windows * ms}`,
  );
  const [active, events] = result.getRows()[0] ?? [];
  return { active: Number(active), events: Number(events) };
}
