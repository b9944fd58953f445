/**
 * Sends what is in the queue of webhooks, several at once. A notice whose attempt fails waits longer each time; after the
 * last it is a dead letter. One whose worker was killed is taken up again by another within `lockDurationMs` +
 * `stalledIntervalMs`: the receiver may then have it twice, and knows the repeat by its webhook-id.
 */
import { Worker } from 'bullmq';
import { hourMs } from '../../domain/time.ts';
import { Notice, withConsent, withTopic } from '../../domain/webhook.ts';
import type { RecordStore } from '../../features/record-store.ts';
import type { ComplaintTopics } from '../../infra/complaint-topics.ts';
import type { WebhookConfig } from '../../infra/config.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import { isRedisTrouble, type Redis } from '../../infra/redis.ts';
import { webhookQueueName } from '../../infra/webhook-queue.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { DeliveryError, deliver } from './deliver.ts';

const lockDurationMs = 15_000;
const stalledIntervalMs = 5_000;
/** A delivery cannot be what kills its worker: it may lose any number of them. */
const maxStalledCount = 1_000_000;
const longestPauseMs = 6 * hourMs;

export type DeliveryDeps = {
  /** Patient: BullMQ makes its blocking client after its likeness. */
  redis: Redis;
  keys: Keys;
  topics: Pick<ComplaintTopics, 'find' | 'forget'>;
  records: Pick<RecordStore, 'read'>;
  config: WebhookConfig;
  metrics: Pick<WorkerMetrics, 'webhookAttempts' | 'webhooksDead' | 'webhookLatency'>;
  log: Logger;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
};

export type DeliveryWorker = {
  /** Waits for the attempts under way, each of which has its time limit. */
  close: () => Promise<void>;
};

/**
 * Pause after the `attempt`th (from 1): between half and the whole of `firstMs`·2^(attempt − 1), at most six hours, so that
 * what failed together does not come back together. The receiver's own wish counts where it is longer.
 */
export function pauseMs(attempt: number, firstMs: number, random: number, askedMs = 0): number {
  const longest = Math.min(longestPauseMs, firstMs * 2 ** (attempt - 1));
  return Math.round(Math.max(askedMs, longest * (0.5 + 0.5 * random)));
}

export async function startDelivery(deps: DeliveryDeps): Promise<DeliveryWorker> {
  const { redis, keys, topics, records, config, metrics, log, now, random } = deps;

  async function attempt(notice: Notice): Promise<void> {
    const startedAt = performance.now();
    let outcome: 'delivered' | 'failed' = 'failed';
    try {
      const [topic, record] = await Promise.all([topics.find(notice), records.read(notice.data.customerId)]);
      await deliver(withTopic(withConsent(notice, record?.attributes.consent), topic), config, now());
      outcome = 'delivered';
    } finally {
      metrics.webhookAttempts.observe({ outcome }, (performance.now() - startedAt) / 1000);
    }
  }

  const worker = new Worker<Notice>(webhookQueueName, ({ data }) => attempt(Notice.parse(data)), {
    connection: redis,
    prefix: keys.queuePrefix,
    concurrency: config.concurrency,
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    settings: {
      backoffStrategy: (made, _type, err) =>
        pauseMs(made, config.retryMs, random(), err instanceof DeliveryError ? err.retryAfterMs : 0),
    },
  });
  worker.on('error', (err) => {
    // The client logs that Redis is away.
    if (!isRedisTrouble(err))
      log.warn({ event: 'webhook.error', err }, 'the sending of webhooks met an error and goes on');
  });
  worker.on('completed', ({ id, name, timestamp, attemptsMade, data }) => {
    // What is left where Redis is away goes with its expiry.
    topics.forget(Notice.parse(data)).catch(() => {});
    metrics.webhookLatency.observe(Math.max(0, now() - timestamp) / 1000);
    log.debug(
      { event: 'webhook.delivered', webhookId: id, type: name, attempts: attemptsMade },
      'webhook delivered',
    );
  });
  worker.on('failed', (job, err) => {
    if (job === undefined) return;
    const about = { webhookId: job.id, type: job.name, attempts: job.attemptsMade, reason: err.message };
    if (job.finishedOn === undefined) {
      log.warn({ event: 'webhook.failed', ...about }, 'a webhook was not delivered and will be tried again');
      return;
    }
    metrics.webhooksDead.inc();
    log.error(
      { event: 'webhook.dead', ...about },
      'a webhook was given up: `nextbest webhooks dead` lists such, `nextbest webhooks replay` sends them again',
    );
  });
  await worker.waitUntilReady();
  return { close: () => worker.close() };
}
