/** The worker's part in webhooks: brings the outbox into the queue, and sends what is in the queue. */
import { createRecordStore } from '../../features/record-store.ts';
import { createComplaintTopics } from '../../infra/complaint-topics.ts';
import type { Config, WebhookConfig } from '../../infra/config.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Redis } from '../../infra/redis.ts';
import { Shutdown } from '../../infra/shutdown.ts';
import { openWebhookQueue, type WebhookQueue } from '../../infra/webhook-queue.ts';
import { startLoop } from '../loop.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { startDelivery } from './delivery-worker.ts';
import { followModels } from './follow-models.ts';
import { forwardOnce } from './forward.ts';

export type WebhooksDeps = {
  /** Both patient. */
  redis: Redis;
  queueRedis: Redis;
  keys: Keys;
  config: Pick<Config, 'modelsDir' | 'drainIntervalMs'>;
  webhooks: WebhookConfig;
  metrics: WorkerMetrics;
  log: Logger;
};

export type RunningWebhooks = { queue: WebhookQueue; close: () => Promise<void> };

export async function startWebhooks(deps: WebhooksDeps): Promise<RunningWebhooks> {
  const { redis, queueRedis, keys, config, webhooks, metrics, log } = deps;
  const opened = new Shutdown(log);
  try {
    const queue = openWebhookQueue(queueRedis, keys);
    opened.add('queue of webhooks', queue.close);
    const models = await followModels(config.modelsDir, log);
    opened.add('models', models.stop);
    const topics = createComplaintTopics(redis, keys);
    const records = createRecordStore(redis, keys);
    const delivery = await startDelivery({
      redis: queueRedis,
      keys,
      topics,
      records,
      config: webhooks,
      metrics,
      log,
      now: Date.now,
      random: Math.random,
    });
    opened.add('delivery of webhooks', delivery.close);
    const loop = startLoop(async () => {
      try {
        const { more } = await forwardOnce({
          redis,
          keys,
          records,
          queue,
          topics,
          config: webhooks,
          models: models.current,
          now: Date.now,
          log,
        });
        return more;
      } catch (err) {
        metrics.maintenanceFailures.inc({ step: 'webhooks' });
        log.error({ event: 'webhook.forward-failed', err }, 'webhooks could not be queued; tried again');
        return false;
      }
    }, config.drainIntervalMs);
    opened.add('outbox of webhooks', loop.stop);
    return { queue, close: () => opened.close() };
  } catch (err) {
    await opened.close();
    throw err;
  }
}
