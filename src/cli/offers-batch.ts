/** `nextbest offers batch`: a campaign's list, from the request to the file. */
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { BATCH_FORMATS, BatchRequest, type BatchStatus } from '../domain/batch.ts';
import { CHANNELS } from '../domain/channel.ts';
import { UsageError } from '../domain/errors.ts';
import { FEATURE_NAMES } from '../features/registry.ts';
import { batchFolder } from '../infra/batch-files.ts';
import { type BatchQueue, createBatchQueue } from '../infra/batch-queue.ts';
import { readConfig } from '../infra/config.ts';
import { createKeys } from '../infra/keys.ts';
import { createLogger } from '../infra/logger.ts';
import { openRedis } from '../infra/open-redis.ts';
import { Shutdown } from '../infra/shutdown.ts';
import { unknownFeatures } from '../offers/offer-schema.ts';
import { outputOf } from './output.ts';
import { showProgress } from './progress.ts';

type BatchFlags = {
  campaign: string;
  channel: string;
  placement?: string;
  ids?: string;
  segment?: string;
  eligibility?: string;
  everybody?: true;
  limit?: string;
  format: string;
  out?: string;
};

const pollMs = 300;

export const batchCommand = (): Command =>
  new Command('batch')
    .description(
      "decide a campaign's offers for many customers, as a job of the worker's, and fetch the list",
    )
    .requiredOption('--campaign <name>', 'names the send; the same request again is the same job')
    .addOption(new Option('--channel <channel>').choices(CHANNELS).default('email'))
    .option('--placement <name>', 'where it will stand')
    .option('--ids <file>', 'customer ids, one a line')
    .option('--segment <name>', "the customers of a segment of the shop's own")
    .option('--eligibility <rule>', 'those for whom the rule holds, as JSON')
    .option('--everybody', 'all customers')
    .option('--limit <n>', 'offers for each customer at most')
    .addOption(new Option('--format <format>').choices(BATCH_FORMATS).default('ndjson'))
    .option('--out <file>', 'where to put the list')
    .action(async (flags: BatchFlags, command: Command) => {
      const output = outputOf(command);
      const request = await requestOf(flags);
      const config = readConfig(process.env);
      const log = createLogger(config.logLevel, 'offers');
      const shutdown = new Shutdown(log);
      try {
        const place = await openRedis(config, log);
        shutdown.add('redis', place.release);
        const queue = createBatchQueue(place.queueUrl, createKeys(config.keyPrefix), config.dataDir, log);
        shutdown.add('queue', queue.close);
        const { jobId } = await queue.start(request, Date.now());
        const ended = await follow(queue, jobId);
        if (ended.state !== 'completed')
          throw new Error(`${jobId} ${ended.state}${ended.error === undefined ? '' : `: ${ended.error}`}`);
        if (flags.out !== undefined) {
          await pipeline(
            Readable.from(batchFolder(config.dataDir, jobId).lines(ended.format)),
            createWriteStream(flags.out, { mode: 0o600 }),
          );
        }
        const { counts, customersPerSecond } = ended;
        output.result(
          { jobId, ...counts, customersPerSecond, ...(flags.out !== undefined && { out: flags.out }) },
          `${counts.decided} of ${counts.customers} customers decided: ${counts.offers} have an offer, ${counts.fallbacks} the fallback` +
            (flags.out === undefined ? '' : `; ${flags.out}`),
        );
      } finally {
        await shutdown.close();
      }
    });

async function requestOf(flags: BatchFlags): Promise<BatchRequest> {
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
      : unknownFeatures(parsed.data.eligibility, FEATURE_NAMES, 'eligibility')
    : parsed.error.issues.map(({ path, message }) => ({ path: path.join('.') || 'the request', message }));
  if (!parsed.success || faults.length > 0)
    throw new UsageError(faults.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return parsed.data;
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

async function follow(queue: BatchQueue, jobId: string): Promise<BatchStatus> {
  const display = showProgress(jobId);
  try {
    for (;;) {
      const status = await queue.get(jobId);
      if (status === undefined) throw new Error(`${jobId} is gone`);
      display.report({ share: status.share, stage: status.stage });
      if (['completed', 'failed', 'cancelled'].includes(status.state)) return status;
      await sleep(pollMs);
    }
  } finally {
    display.stop();
  }
}
