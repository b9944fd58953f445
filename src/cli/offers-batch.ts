/** `nextbest offers batch`: a campaign's list, from the request to the file. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { stillAddressed } from '../decide/still-addressed.ts';
import { BATCH_FORMATS, BatchPayload, BatchRequest, type BatchStatus } from '../domain/batch.ts';
import { CHANNELS } from '../domain/channel.ts';
import { UsageError } from '../domain/errors.ts';
import { createRecordStore } from '../features/record-store.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import { batchFolder } from '../infra/batch-files.ts';
import { type BatchQueue, createBatchQueue } from '../infra/batch-queue.ts';
import { readConfig } from '../infra/config.ts';
import { openErasureFiles } from '../infra/erasure-files.ts';
import { createKeys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { connectRedis } from '../infra/redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { unknownFeatures } from '../offers/offer-schema.ts';
import { startWorker } from '../train/worker.ts';
import { type Output, outputOf } from './output.ts';
import { showProgress } from './progress.ts';

type BatchFlags = {
  campaign?: string;
  channel: string;
  placement?: string;
  ids?: string;
  segment?: string;
  eligibility?: string;
  everybody?: true;
  limit?: string;
  includeNothing?: true;
  format: string;
  out?: string;
};

const pollMs = 300;
/** A worker takes up what waits at once; so long with none at work, somebody should know. */
const waitingToldMs = 5000;

type Opened = {
  queue: BatchQueue;
  output: Output;
  /** The list as it may be handed out now. */
  listOf: (jobId: string, format: BatchStatus['format']) => AsyncIterable<string>;
};

export const batchCommand = (): Command =>
  new Command('batch')
    .description(
      "decide a campaign's offers for many customers, as a job of the worker's, and fetch the list",
    )
    .option('--campaign <name>', 'names the send; the same request again is the same job')
    .addOption(new Option('--channel <channel>').choices(CHANNELS).default('email'))
    .option('--placement <name>', 'where it will stand')
    .option('--ids <file>', 'customer ids, one a line')
    .option('--segment <name>', "the customers of a segment of the shop's own")
    .option('--eligibility <rule>', 'those for whom the rule holds, as JSON')
    .option('--everybody', 'all customers')
    .option('--limit <n>', 'offers for each customer at most')
    .option('--include-nothing', 'a line too for who gets nothing, or may not be contacted, and why')
    .addOption(new Option('--format <format>').choices(BATCH_FORMATS).default('ndjson'))
    .option('--out <file>', 'where to put the list')
    .action(async (flags: BatchFlags, command: Command) => {
      const request = await requestOf(flags);
      await withBatches(command, async (opened) => {
        const { jobId } = await opened.queue.start(request, Date.now());
        await finish(jobId, flags.out, opened);
      });
    })
    .addCommand(
      new Command('status')
        .description('how far a list is, and what it comes to so far')
        .argument('<job>')
        .action((jobId: string, _flags: object, command: Command) =>
          withBatches(command, async ({ queue, output }) => tell(await known(queue, jobId), output), 'ask'),
        ),
    )
    .addCommand(
      new Command('cancel')
        .description('stop a list; what is done stays, and it can go on later')
        .argument('<job>')
        .action((jobId: string, _flags: object, command: Command) =>
          withBatches(
            command,
            async ({ queue, output }) => {
              await known(queue, jobId);
              tell(await queue.cancel(jobId), output);
            },
            'ask',
          ),
        ),
    )
    .addCommand(
      new Command('resume')
        .description('go on with a list that was cancelled, has failed, or that nobody waits for any more')
        .argument('<job>')
        .option('--out <file>', 'where to put the list')
        .action((jobId: string, _flags: object, command: Command) =>
          withBatches(command, async (opened) => {
            // Commander gives it to the command above, which has it too.
            const { out } = command.optsWithGlobals<{ out?: string }>();
            if ((await known(opened.queue, jobId)).state !== 'completed') await opened.queue.resume(jobId);
            await finish(jobId, out, opened);
          }),
        ),
    );

/** To `follow` a list, there has to be a worker: where there is none, this process is one as long as it runs. */
async function withBatches(
  command: Command,
  use: (opened: Opened) => Promise<void>,
  to: 'follow' | 'ask' = 'follow',
): Promise<void> {
  const output = outputOf(command);
  const config = readConfig(process.env);
  // What a run has to tell is told by its bar; lines of JSON between would spoil both.
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  const log = createLogger(logLevel, 'offers');
  const keys = createKeys(config.keyPrefix);
  const shutdown = new Shutdown(log);
  shutdown.onSignals();
  try {
    const redis = await openRedis(config, log);
    shutdown.add('redis', redis.release);
    const queue = createBatchQueue(redis.queueUrl, keys, config.dataDir, log);
    shutdown.add('queue', queue.close);
    if (to === 'follow' && (await queue.workersCount()) === 0) {
      const worker = await startWorker({ config, env: { ...process.env, LOG_LEVEL: logLevel }, redis, log });
      shutdown.add('worker', worker.close);
    }
    async function* listOf(jobId: string, format: BatchStatus['format']) {
      const folder = batchFolder(config.dataDir, jobId);
      const asked = await folder.request();
      if (asked === undefined) throw new Error(`${jobId} has been swept: lists are kept for seven days`);
      const connection = connectRedis(redis.url, 'offers', { kind: 'patient' }, log);
      try {
        const files = await openErasureFiles(config.dataDir);
        yield* stillAddressed(folder.lines(format), asked, {
          records: createRecordStore(connection, keys),
          tombstones: createTombstones(connection, keys, files),
        });
      } finally {
        connection.disconnect();
      }
    }
    await use({ queue, output, listOf });
  } finally {
    await shutdown.close();
  }
}

async function known(queue: BatchQueue, jobId: string): Promise<BatchStatus> {
  const status = BatchPayload.safeParse({ batchId: jobId }).success ? await queue.get(jobId) : undefined;
  if (status === undefined)
    throw new UsageError(
      `There is no list ${jobId}; its job is named as it is started, and kept for seven days.`,
    );
  return status;
}

/** Waits for the list, and puts it where it is wanted. */
async function finish(jobId: string, out: string | undefined, opened: Opened): Promise<void> {
  const { queue, output, listOf } = opened;
  const broken = () =>
    output.say(`${jobId} is not cancelled: nextbest offers batch status, cancel or resume ${jobId}`);
  process.once('SIGINT', broken);
  const ended = await follow(queue, jobId, output);
  process.off('SIGINT', broken);
  if (ended.state !== 'completed') {
    const cure = `nextbest offers batch resume ${jobId} goes on with it`;
    throw new Error(`${jobId} ${ended.state}${ended.error === undefined ? '' : `: ${ended.error}`}; ${cure}`);
  }
  if (out !== undefined) {
    await pipeline(Readable.from(listOf(jobId, ended.format)), createWriteStream(out, { mode: 0o600 }));
  }
  tell(ended, output, out);
  for (const warning of ended.warnings ?? []) output.say(warning);
}

function tell(
  { jobId, state, share, stage, counts, warnings, customersPerSecond }: BatchStatus,
  output: Output,
  out?: string,
): void {
  const done = `${counts.decided} of ${counts.customers} customers decided: ${counts.offers} have an offer, ${counts.fallbacks} the fallback`;
  const where =
    state === 'completed' ? '' : `${jobId} ${state}, ${Math.floor(share * 100)}%${stage && ` (${stage})`}; `;
  output.result(
    {
      jobId,
      state,
      share,
      ...counts,
      ...(warnings && { warnings }),
      customersPerSecond,
      ...(out !== undefined && { out }),
    },
    where + done + (out === undefined ? '' : `; ${out}`),
  );
}

async function requestOf(flags: BatchFlags): Promise<BatchRequest> {
  if (flags.campaign === undefined)
    throw new UsageError(
      '--campaign <name> is missing: it names the send, and who asks for it again gets the same list.',
    );
  const { ids, eligibility, out: _out, limit, ...rest } = flags;
  const customerIds = ids === undefined ? undefined : await readIds(ids);
  const parsed = BatchRequest.safeParse({
    ...rest,
    ...(customerIds !== undefined && { customerIds }),
    ...(eligibility !== undefined && { eligibility: jsonOf(eligibility) }),
    ...(limit !== undefined && { limit: Number(limit) }),
  });
  const faults = parsed.success
    ? parsed.data.eligibility === undefined
      ? []
      : unknownFeatures(parsed.data.eligibility, FEATURE_NAMES, '--eligibility')
    : parsed.error.issues.map(({ path, message }) =>
        path.length === 0
          ? { path: 'who', message: `needs exactly one of ${whoFlags.join(', ')}` }
          : { path: flagOf(path), message },
      );
  if (!parsed.success || faults.length > 0)
    throw new UsageError(faults.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return parsed.data;
}

/** The only fault of the request as a whole is that it does not say who is meant, or in two ways. */
const whoFlags = ['--ids', '--segment', '--eligibility', '--everybody'];

function flagOf([field, ...within]: readonly PropertyKey[]): string {
  const name = field === 'customerIds' ? 'ids' : String(field);
  return [`--${name}`, ...within.map(String)].join('.');
}

async function readIds(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((err: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${file} cannot be read: ${err.code === 'ENOENT' ? 'there is no such file' : err.message}`,
    );
  });
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--eligibility is not valid JSON: ${text}`);
  }
}

async function follow(queue: BatchQueue, jobId: string, output: Output): Promise<BatchStatus> {
  const display = showProgress(jobId);
  const since = Date.now();
  let told = false;
  try {
    for (;;) {
      const status = await queue.get(jobId);
      if (status === undefined) throw new Error(`${jobId} is gone`);
      display.report({ share: status.share, stage: status.stage });
      if (['completed', 'failed', 'cancelled'].includes(status.state)) return status;
      if (status.state === 'waiting' && !told && Date.now() - since > waitingToldMs) {
        told = true;
        const workers = await queue.workersCount();
        output.say(
          workers === 0
            ? `${jobId} waits: no worker takes jobs any more. Start one: nextbest worker, or nextbest start`
            : `${jobId} waits: lists are made one after the other`,
        );
      }
      await sleep(pollMs);
    }
  } finally {
    display.stop();
  }
}
