/** The only reader of the environment. A bad environment names every fault at once. */
import { existsSync } from 'node:fs';
import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import { UsageError } from '../domain/errors.ts';
import { Currency } from '../domain/money.ts';

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must look like redis://host:6379' });
function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}
const cron = z.string().refine(isCron, 'must be a cron expression such as "0 3 * * *"');

/** Environment variables, each with what it means. README's table is checked against this schema. */
export const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production refuses the Redis in WebAssembly'),
  REDIS_URL: redisUrl
    .optional()
    .describe('Redis of the records and the event stream. Absent: a private one is started'),
  QUEUE_REDIS_URL: redisUrl
    .optional()
    .describe('Redis of the BullMQ jobs (maxmemory-policy noeviction). Absent: the same as REDIS_URL'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('data')
    .describe('Where the Parquet lake and the private Redis keep their files'),
  MODELS_DIR: z.string().min(1).default('models').describe('Where published models are kept'),
  PORT: wholeNumber(0, 65_535).default(3000).describe('Port of the HTTP service; 0 takes a free one'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address that the HTTP service listens on'),
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
    .describe('Events that may wait for the lake before POST /events answers 429'),
  DRAIN_INTERVAL_MS: wholeNumber(10, 1_000_000_000)
    .default(2000)
    .describe('How often the worker moves events from the stream into the lake'),
  TRAIN_SCHEDULE: cron.default('0 3 * * *').describe('When the worker trains by itself (cron, UTC)'),
  UPDATE_SCHEDULE: cron
    .default('30 * * * *')
    .describe('When new items and purchases are brought into the served recommendations (cron, UTC)'),
  REFRESH_SCHEDULE: cron.default('0 2 * * *').describe('When the worker rebuilds every record (cron, UTC)'),
  KERNEL_THREADS: wholeNumber(1, 64)
    .optional()
    .describe('Threads that training computes on. Absent: one a core, at most eight'),
  SCENARIOS_FILE: z
    .string()
    .min(1)
    .refine(existsSync, 'there is no such file')
    .optional()
    .describe('JSON file with scenarios of your own for /recommendations'),
});
export type Environment = z.output<typeof Environment>;

/** As BullMQ will read it: five fields, or six with seconds. */
function isCron(text: string): boolean {
  try {
    CronExpressionParser.parse(text);
    return /^(\S+ ){4,5}\S+$/.test(text);
  } catch {
    return false;
  }
}

/** The settings of one process, from its environment. Empty variables count as absent. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      // An address may hold a password, and this text ends up in logs.
      return `  ${name}: ${message}${name.endsWith('_URL') ? '' : `, not "${given[name]}"`}`;
    });
    throw new UsageError(`The environment is not valid:\n${faults.join('\n')}`);
  }
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
    workerMetricsPort: values.WORKER_METRICS_PORT,
    currency: values.CURRENCY,
    keyPrefix: values.KEY_PREFIX,
    logLevel: values.LOG_LEVEL,
    redisTimeoutMs: values.REDIS_TIMEOUT_MS,
    streamMaxLength: values.STREAM_MAX_LENGTH,
    drainIntervalMs: values.DRAIN_INTERVAL_MS,
    trainSchedule: values.TRAIN_SCHEDULE,
    updateSchedule: values.UPDATE_SCHEDULE,
    refreshSchedule: values.REFRESH_SCHEDULE,
    kernelThreads: values.KERNEL_THREADS,
    scenariosFile: values.SCENARIOS_FILE,
  };
}

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
  workerMetricsPort: number;
  currency: string;
  keyPrefix: string;
  logLevel: Environment['LOG_LEVEL'];
  redisTimeoutMs: number;
  streamMaxLength: number;
  drainIntervalMs: number;
  trainSchedule: string;
  updateSchedule: string;
  refreshSchedule: string;
  kernelThreads: number | undefined;
  scenariosFile: string | undefined;
};
