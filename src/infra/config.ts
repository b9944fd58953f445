/** The only reader of the environment. A bad environment names every fault at once. */
import { existsSync } from 'node:fs';
import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import type { Scope } from '../domain/api-key.ts';
import { UsageError } from '../domain/errors.ts';
import { Currency } from '../domain/money.ts';
import { dayMs } from '../domain/time.ts';
import { WebhookSecret } from '../domain/webhook.ts';
import { isLoopback } from './loopback.ts';
import { RedisUrl } from './redis-address.ts';

function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}
function numberWithin(min: number, max: number) {
  const error = `must be a number from ${min} to ${max}`;
  return z.coerce.number({ error }).min(min, { error }).max(max, { error });
}
function rateLimit(perSecond: number, scope: Scope) {
  return wholeNumber(0, 1_000_000)
    .default(perSecond)
    .describe(`Calls a second that each key may make with the scope ${scope}; 0: any number`);
}
const cron = z.string().refine(isCron, 'must be a cron expression such as "0 3 * * *"');

/** Environment variables, each with what it means. README's table is checked against this schema. */
export const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production refuses the Redis in WebAssembly'),
  REDIS_URL: RedisUrl.optional().describe(
    'Redis of the records and the event stream: a server, a cluster or sentinels (docs/operations.md). Absent: a private server is started',
  ),
  QUEUE_REDIS_URL: RedisUrl.optional().describe(
    'Redis of the BullMQ jobs (maxmemory-policy noeviction). Absent: the same as REDIS_URL',
  ),
  DATA_DIR: z
    .string()
    .min(1)
    .default('data')
    .describe('Where the Parquet lake and the private Redis keep their files'),
  MODELS_DIR: z.string().min(1).default('models').describe('Where published models are kept'),
  PORT: wholeNumber(0, 65_535).default(3000).describe('Port of the HTTP service; 0 takes a free one'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address that the HTTP service listens on'),
  AUTH: z
    .enum(['keys', 'off'])
    .default('keys')
    .describe(
      'keys: calls need an API key (docs/security.md). off: none do, where HOST is this machine alone',
    ),
  CORS_ORIGINS: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter((origin) => origin !== ''))
    .pipe(z.array(z.string().refine(isOrigin, 'must be origins such as https://admin.shop.example, or *')))
    .optional()
    .describe('Sites whose pages may read the answers in a browser, with spaces between. Absent: none'),
  MAX_CONNECTIONS: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('Connections that a process of the service holds; more are closed at once'),
  MAX_IN_FLIGHT: wholeNumber(1, 1_000_000)
    .default(1000)
    .describe('Requests that a process of the service answers at once; more are answered 503 at once'),
  MAX_WAIT_MS: wholeNumber(10, 600_000)
    .default(500)
    .describe('How long a request may be expected to take before more are answered 503'),
  MAX_LAG_MS: wholeNumber(10, 60_000)
    .default(150)
    .describe('How long requests may wait for the CPU before more of them are answered 503'),
  RATE_LIMIT_READ: rateLimit(1000, 'read'),
  RATE_LIMIT_EVENTS: rateLimit(1000, 'events'),
  RATE_LIMIT_DECIDE: rateLimit(1000, 'decide'),
  RATE_LIMIT_MANAGE: rateLimit(500, 'manage'),
  RATE_LIMIT_ADMIN: rateLimit(20, 'admin'),
  METRICS_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe(
      'Another port of the service, on HOST, that answers /metrics without a key; 0 takes a free one',
    ),
  WORKER_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9465)
    .describe("Port of the worker's /metrics and /livez, on HOST; 0 takes a free one"),
  CURRENCY: Currency.default('EUR').describe('Currency of the shop (ISO 4217)'),
  KEY_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and hyphens')
    .default('nb')
    .describe('Start of every Redis key'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('How much is logged (JSON on stderr)'),
  REDIS_TIMEOUT_MS: wholeNumber(1, 60_000)
    .default(250)
    .describe('How long a request waits for Redis before it answers without'),
  STREAM_MAX_LENGTH: wholeNumber(1000, 1_000_000_000)
    .default(1_000_000)
    .describe(
      'Entries that may wait for the lake before events, catalogue changes and log-ins are answered with 429',
    ),
  RECORD_DAYS: wholeNumber(0, 36_500)
    .default(1095)
    .describe(
      'Days that a customer may be silent and have a record in Redis (0 = any number); the lake keeps the history',
    ),
  DRAIN_INTERVAL_MS: wholeNumber(10, 1_000_000_000)
    .default(2000)
    .describe('How often the worker moves events from the stream into the lake'),
  TRAIN_SCHEDULE: cron.default('0 3 * * *').describe('When the worker trains by itself (cron, UTC)'),
  UPDATE_SCHEDULE: cron
    .default('30 * * * *')
    .describe('When new items and purchases are brought into the served recommendations (cron, UTC)'),
  REFRESH_SCHEDULE: cron.default('0 2 * * *').describe('When the worker rebuilds every record (cron, UTC)'),
  SCORE_SCHEDULE: cron.default('0 4 * * *').describe('When the worker scores every customer (cron, UTC)'),
  DRIFT_SCHEDULE: cron
    .default('30 2 * * *')
    .describe('When the served churn model is compared with what has happened since (cron, UTC)'),
  ERASURE_SETTLE_MS: wholeNumber(0, 12 * 3_600_000)
    .default(600_000)
    .describe('How long readers of files that an erasure has written anew are left to end'),
  DRIFT_FEATURE_BOUND: numberWithin(0.01, 10)
    .default(0.25)
    .describe('Population stability index of a feature past which the churn model is trained anew'),
  DRIFT_CALIBRATION_BOUND: numberWithin(0.001, 1)
    .default(0.05)
    .describe('Expected calibration error past which it is'),
  DISCOUNT_RATE: z.coerce
    .number({ error: 'must be a number from 0 to 1' })
    .min(0, { error: 'must be a number from 0 to 1' })
    .max(1, { error: 'must be a number from 0 to 1' })
    .default(0.1)
    .describe('Yearly rate at which the value of a customer is discounted'),
  KERNEL_THREADS: wholeNumber(1, 64)
    .optional()
    .describe('Threads that training computes on. Absent: one a core, at most eight'),
  SCENARIOS_FILE: z
    .string()
    .min(1)
    .refine(existsSync, 'there is no such file')
    .optional()
    .describe('JSON file with scenarios of your own for /recommendations'),
  DECISION_POLICY_FILE: z
    .string()
    .min(1)
    .refine(existsSync, 'there is no such file')
    .optional()
    .describe('JSON file with the rules of contact, costs, exploration and experiments of the offers'),
  WEBHOOK_URL: z
    .url({ error: 'must be an address such as https://crm.example/hooks', abort: true })
    .refine(isSafe, 'must be https, or http to this machine itself, without user and password in it')
    .optional()
    .describe('Where customers at risk, low ratings and complaints are told of. Absent: nowhere'),
  WEBHOOK_SECRETS: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter((secret) => secret !== ''))
    .pipe(z.array(WebhookSecret).min(1, 'must hold a secret').max(5, 'may hold five secrets'))
    .optional()
    .describe(
      'What to sign with (`nextbest webhooks secret`); several with spaces between, while they are changed',
    ),
  WEBHOOK_RISK_ABOVE: numberWithin(0.01, 0.99)
    .default(0.7)
    .describe('Churn risk above which a customer is told of'),
  WEBHOOK_RATING_BELOW: numberWithin(1, 6)
    .default(3)
    .describe('Ratings (1 to 5) below it are told of; 1: none'),
  WEBHOOK_TIMEOUT_MS: wholeNumber(10, 15_000)
    .default(10_000)
    .describe('How long the receiver may take to answer'),
  WEBHOOK_ATTEMPTS: wholeNumber(1, 30)
    .default(14)
    .describe('Attempts before a webhook is put with the dead letters'),
  WEBHOOK_RETRY_MS: wholeNumber(1, 3_600_000)
    .default(5000)
    .describe('Longest pause before the second attempt; it doubles with each attempt, up to six hours'),
  WEBHOOK_CONCURRENCY: wholeNumber(1, 100).default(4).describe('Webhooks that a worker sends at once'),
});
export type Environment = z.output<typeof Environment>;

/** Names of customers and what ails them are not for the open network. */
function isSafe(text: string): boolean {
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && loopback);
}

/** As a browser sends it: no path, no slash at the end. */
function isOrigin(text: string): boolean {
  return text === '*' || (/^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);
}

/** As BullMQ will read it: five fields, or six with seconds. */
function isCron(text: string): boolean {
  try {
    CronExpressionParser.parse(text);
    return /^(\S+ ){4,5}\S+$/.test(text);
  } catch {
    return false;
  }
}

type Env = Readonly<Record<string, string | undefined>>;

/** Why a service must not be open with `AUTH=off`: whoever reaches it may make any call. undefined: it may. */
export function openServiceFault({
  host,
  production,
}: Pick<Config, 'host' | 'production'>): string | undefined {
  if (!isLoopback(host))
    return (
      `Without keys, nextbest listens on this machine alone, and HOST is ${host}. Leave HOST unset, or use keys: ` +
      '`nextbest keys create`, and no AUTH=off.'
    );
  if (production)
    return (
      'AUTH=off is for trials, and NODE_ENV=production is not one. Make a key with `nextbest keys create` and start ' +
      'without AUTH=off, or leave NODE_ENV unset for a trial.'
    );
  return undefined;
}

/** As `readConfig`, for what opens the service: what speaks against that alone is named together with all other faults. */
export function readServiceConfig(env: Env): Config {
  const fault =
    env.AUTH === 'off'
      ? openServiceFault({ host: env.HOST || '127.0.0.1', production: env.NODE_ENV === 'production' })
      : undefined;
  return readConfig(env, fault === undefined ? [] : [`  AUTH: ${fault}`]);
}

/** The settings of one process, from its environment. Empty variables count as absent. `alsoWrong`: faults that were found elsewhere. */
export function readConfig(env: Env, alsoWrong: readonly string[] = []): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = Environment.safeParse(given);
  const faults = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0]);
    // An address may hold a password, and this text ends up in logs.
    return `  ${name}: ${message}${/_URL$|_SECRETS$/.test(name) ? '' : `, not "${given[name]}"`}`;
  });
  if (given.WEBHOOK_URL !== undefined && given.WEBHOOK_SECRETS === undefined)
    faults.push('  WEBHOOK_SECRETS: is needed with WEBHOOK_URL: `nextbest webhooks secret` makes one');
  faults.push(...alsoWrong);
  if (!parsed.success || faults.length > 0)
    throw new UsageError(`The environment is not valid:\n${faults.join('\n')}`);
  const values = parsed.data;
  return {
    searchPath: env.PATH ?? '',
    production: values.NODE_ENV === 'production',
    redisUrl: values.REDIS_URL,
    queueRedisUrl: values.QUEUE_REDIS_URL ?? values.REDIS_URL,
    dataDir: values.DATA_DIR,
    modelsDir: values.MODELS_DIR,
    port: values.PORT,
    host: values.HOST,
    auth: values.AUTH,
    corsOrigins: values.CORS_ORIGINS ?? [],
    maxConnections: values.MAX_CONNECTIONS,
    maxInFlight: values.MAX_IN_FLIGHT,
    maxWaitMs: values.MAX_WAIT_MS,
    maxLagMs: values.MAX_LAG_MS,
    rateLimits: {
      read: values.RATE_LIMIT_READ,
      events: values.RATE_LIMIT_EVENTS,
      decide: values.RATE_LIMIT_DECIDE,
      manage: values.RATE_LIMIT_MANAGE,
      admin: values.RATE_LIMIT_ADMIN,
    },
    metricsPort: values.METRICS_PORT,
    workerMetricsPort: values.WORKER_METRICS_PORT,
    currency: values.CURRENCY,
    keyPrefix: values.KEY_PREFIX,
    logLevel: values.LOG_LEVEL,
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    streamMaxLength: values.STREAM_MAX_LENGTH,
    recordMs: values.RECORD_DAYS === 0 ? undefined : values.RECORD_DAYS * dayMs,
    drainIntervalMs: values.DRAIN_INTERVAL_MS,
    trainSchedule: values.TRAIN_SCHEDULE,
    updateSchedule: values.UPDATE_SCHEDULE,
    refreshSchedule: values.REFRESH_SCHEDULE,
    scoreSchedule: values.SCORE_SCHEDULE,
    driftSchedule: values.DRIFT_SCHEDULE,
    erasureSettleMs: values.ERASURE_SETTLE_MS,
    driftBounds: { feature: values.DRIFT_FEATURE_BOUND, calibration: values.DRIFT_CALIBRATION_BOUND },
    discountRate: values.DISCOUNT_RATE,
    kernelThreads: values.KERNEL_THREADS,
    scenariosFile: values.SCENARIOS_FILE,
    decisionPolicyFile: values.DECISION_POLICY_FILE,
    webhooks: webhooksOf(values),
  };
}

function webhooksOf(values: Environment): WebhookConfig | undefined {
  const { WEBHOOK_URL: url, WEBHOOK_SECRETS: secrets } = values;
  if (url === undefined || secrets === undefined) return undefined;
  return {
    url,
    secrets,
    riskAbove: values.WEBHOOK_RISK_ABOVE,
    ratingBelow: values.WEBHOOK_RATING_BELOW,
    timeoutMs: values.WEBHOOK_TIMEOUT_MS,
    attempts: values.WEBHOOK_ATTEMPTS,
    retryMs: values.WEBHOOK_RETRY_MS,
    concurrency: values.WEBHOOK_CONCURRENCY,
  };
}

/** How and of what a CRM is told. Neither the address nor the secrets go into a log. */
export type WebhookConfig = {
  url: string;
  /** `whsec_…`, at least one. */
  secrets: readonly string[];
  riskAbove: number;
  ratingBelow: number;
  timeoutMs: number;
  attempts: number;
  retryMs: number;
  concurrency: number;
};

export type Config = {
  /** PATH, to look for a Redis server in. */
  searchPath: string;
  production: boolean;
  redisUrl: string | undefined;
  queueRedisUrl: string | undefined;
  dataDir: string;
  modelsDir: string;
  port: number;
  host: string;
  /** off: no key is asked for. */
  auth: Environment['AUTH'];
  corsOrigins: readonly string[];
  maxConnections: number;
  maxInFlight: number;
  maxWaitMs: number;
  maxLagMs: number;
  /** Calls a second a key, on average over ten seconds; 0: any number. */
  rateLimits: Readonly<Record<Scope, number>>;
  /** undefined: metrics are answered on `port` alone. */
  metricsPort: number | undefined;
  workerMetricsPort: number;
  currency: string;
  keyPrefix: string;
  logLevel: Environment['LOG_LEVEL'];
  redisTimeoutMs: number;
  streamMaxLength: number;
  /** How long a silent customer has a record, milliseconds; undefined: for ever. */
  recordMs: number | undefined;
  drainIntervalMs: number;
  trainSchedule: string;
  updateSchedule: string;
  refreshSchedule: string;
  scoreSchedule: string;
  driftSchedule: string;
  /** Milliseconds. */
  erasureSettleMs: number;
  driftBounds: { feature: number; calibration: number };
  discountRate: number;
  kernelThreads: number | undefined;
  scenariosFile: string | undefined;
  decisionPolicyFile: string | undefined;
  /** undefined: nobody is told. */
  webhooks: WebhookConfig | undefined;
};
