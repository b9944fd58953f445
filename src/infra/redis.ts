/**
 * Redis clients. Two temperaments: a request must have an answer or an error at once (`failFast`), a worker waits
 * out a restart of the server (`patient`).
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { AppError, UsageError } from '../domain/errors.ts';
import type { Logger } from './logger.ts';
import { parseRedisAddress, type RedisAddress } from './redis-address.ts';

export type { Redis } from 'ioredis';

/** Delay before the next try to connect, in milliseconds: quick at first, never more than a second, for ever. */
function retryDelayMs(attempt: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempt, 5));
}

export type Temperament =
  /** Commands fail within `timeoutMs`; nothing is queued while Redis is away. */
  | { kind: 'failFast'; timeoutMs: number }
  /** Commands wait until Redis is back (BullMQ needs `maxRetriesPerRequest: null`). */
  | { kind: 'patient' };

/** ioredis types the shape of RESP3 replies by this option; left at its default everywhere. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

function redisOptions(temperament: Temperament): ClientOptions {
  const shared: ClientOptions = { retryStrategy: retryDelayMs, enableReadyCheck: true };
  return temperament.kind === 'patient'
    ? { ...shared, maxRetriesPerRequest: null }
    : {
        ...shared,
        commandTimeout: temperament.timeoutMs,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        // Concurrent requests share round trips.
        enableAutoPipelining: true,
        // Of commands sent by `call`, ioredis 6.0.0 loses the name when it pipelines them. MGET: `redis-read-batch.ts`.
        autoPipeliningIgnoredCommands: ['EVAL', 'EVALSHA', 'MGET'],
      };
}

/**
 * A client that logs each loss and return of the connection once. The caller closes it. `url` is an address of
 * `redis-address.ts`.
 */
export function connectRedis(url: string, name: string, temperament: Temperament, log: Logger): Redis {
  const address = parseRedisAddress(url);
  if (address === undefined) throw new UsageError('This is no address of a Redis: see docs/operations.md.');
  const redis = openClient(address, {
    ...redisOptions(temperament),
    connectionName: `nextbest:${name}:${process.pid}`,
  });
  let away = false;
  redis.on('error', (err) => {
    if (!away) log.warn({ event: 'redis.away', client: name, err: err.message }, 'Redis is away');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({ event: 'redis.back', client: name }, 'Redis is back');
    away = false;
  });
  return redis;
}

function openClient(address: RedisAddress, options: ClientOptions): Redis {
  if (address.kind === 'server') return new Redis(address.url, options);
  const { username, password, tls, nodes } = address;
  const access = { ...(username && { username }), ...(password && { password }), ...(tls && { tls: {} }) };
  if (address.kind === 'sentinel')
    return new Redis({ ...options, ...access, sentinels: nodes, name: address.primary });
  const { retryStrategy, enableOfflineQueue = true, maxRetriesPerRequest, ...ofNodes } = options;
  const cluster = new Cluster(nodes, {
    redisOptions: { ...ofNodes, ...access },
    clusterRetryStrategy: retryDelayMs,
    enableOfflineQueue,
    enableAutoPipelining: options.enableAutoPipelining ?? false,
    autoPipeliningIgnoredCommands: options.autoPipeliningIgnoredCommands ?? [],
    // A request is answered without, rather than that it waits until a replica has taken over.
    ...(maxRetriesPerRequest === 0 && { maxRedirections: 4, retryDelayOnClusterDown: 0 }),
    dnsLookup: (host, done) => done(null, host),
  });
  refreshSlots(cluster);
  // The same commands, bound to the slots of their keys. What a cluster's client does otherwise, `redis-together.ts` evens out;
  // `select`, a pipeline over several customers and transactions over several slots are not used (tests/architecture.test.ts).
  return cluster as unknown as Redis;
}

const slotsRefreshMs = 5000;

/**
 * Who has taken over is asked at the first refusal, and now and then. By a timer of our own: that of ioredis 6.0.0
 * (`slotsRefreshInterval`) goes on for ever where the client is closed while it asks, and the process never ends.
 */
function refreshSlots(cluster: Cluster): void {
  const timer = setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, slotsRefreshMs).unref();
  cluster.once('end', () => clearInterval(timer));
}

/** The server, or the primaries of the cluster. */
export function serversOf(redis: Redis): Redis[] {
  return isCluster(redis) ? (redis as unknown as Cluster).nodes('master') : [redis];
}

/** Is it the client of a cluster? */
export function isCluster(redis: Redis): boolean {
  return (redis as unknown as { isCluster?: boolean }).isCluster === true;
}

/** Resolves once the client can take commands; rejects with advice if it cannot within `timeoutMs`. */
export async function untilReady(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    let lastError = 'no answer';
    const onError = (err: Error) => {
      lastError = err.message;
    };
    const timer = setTimeout(() => {
      redis.off('error', onError);
      redis.off('ready', onReady);
      reject(
        // No UsageError: it may be back any moment, and whoever supervises this process should try again.
        new AppError('STORE_UNAVAILABLE', {
          public: `Redis cannot be reached (${lastError}). Start it, or correct REDIS_URL, or leave REDIS_URL unset for a private one.`,
        }),
      );
    }, timeoutMs);
    const onReady = () => {
      clearTimeout(timer);
      redis.off('error', onError);
      resolve();
    };
    redis.on('error', onError);
    redis.once('ready', onReady);
  });
}

const wouldLose = {
  jobs: { server: 'of the job queue', lost: 'jobs', setting: 'QUEUE_REDIS_URL' },
  records: {
    server: 'of the records',
    lost: 'accepted events and what is promised to customers',
    setting: 'REDIS_URL',
  },
} as const;

/** Throws UsageError where a server drops keys when its memory is full: neither events that wait in the stream nor jobs may go. */
export async function refuseEvictingServer(redis: Redis, holds: keyof typeof wouldLose): Promise<void> {
  // Managed services may forbid CONFIG; INFO tells the same and is allowed.
  const policies = (await Promise.all(serversOf(redis).map((server) => server.info('memory')))).map(
    (info) => /maxmemory_policy:(\S+)/.exec(info)?.[1],
  );
  const policy = policies.find((one) => one !== undefined && one !== 'noeviction');
  if (policy !== undefined) {
    const { server, lost, setting } = wouldLose[holds];
    throw new UsageError(
      `The Redis ${server} evicts keys (maxmemory-policy ${policy}), which would lose ${lost}. ` +
        `Set maxmemory-policy noeviction there, or point ${setting} to a server that has it.`,
    );
  }
}

/** Does every server write what it is told to a file before it forgets it? A snapshot now and then is not enough. */
export async function keepsAppendOnlyFile(redis: Redis): Promise<boolean> {
  const infos = await Promise.all(serversOf(redis).map((server) => server.info('persistence')));
  return infos.every((info) => /aof_enabled:1/.test(info));
}

/** As ioredis says it, of a server and of a cluster; and in capitals, as Redis does. */
const saysAway =
  /^(Command timed out|Connection is closed|Reached the max retries|Stream isn't writeable|Cluster isn't ready|Cluster is (ended|disconnect)|None of startup nodes is available|Too many Cluster redirections|LOADING|READONLY|OOM|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|MISCONF|TRYAGAIN)/;

/** True for errors that say that Redis is away, starting, too slow, or takes no writes; false for those that say a command is wrong. */
export function isRedisTrouble(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  // Of a transaction that is refused, ioredis tells the reasons beside it.
  if (thrown.message.startsWith('EXECABORT') && 'previousErrors' in thrown)
    return (
      Array.isArray(thrown.previousErrors) &&
      thrown.previousErrors.length > 0 &&
      thrown.previousErrors.every(isRedisTrouble)
    );
  if (thrown.name === 'MaxRetriesPerRequestError' || thrown.name === 'ClusterAllFailedError') return true;
  if ('code' in thrown && typeof thrown.code === 'string' && 'syscall' in thrown) {
    return /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(thrown.code);
  }
  return saysAway.test(thrown.message);
}
