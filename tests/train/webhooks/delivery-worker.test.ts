/** The sending worker on a real Redis, against a receiver that fails, hangs, cuts, and comes back. */
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { CustomerId } from '../../../src/domain/ids.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { createComplaintTopics } from '../../../src/infra/complaint-topics.ts';
import type { WebhookConfig } from '../../../src/infra/config.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { createLogger } from '../../../src/infra/logger.ts';
import { openWebhookQueue } from '../../../src/infra/webhook-queue.ts';
import { createWorkerMetrics, observeWebhooks } from '../../../src/train/metrics.ts';
import { pauseMs, startDelivery } from '../../../src/train/webhooks/delivery-worker.ts';
import { noticeOf, strangerToRecords } from '../../../src/webhooks/notice.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import {
  acknowledges,
  answers,
  cuts,
  hangs,
  ratingNotice,
  testSecret,
  webhookReceiver,
} from '../../support/webhook-receiver.ts';

const { redis, prefix } = testRedis();

/** Of the causes that are sent here: what passed between the drain and the queue counts as latency. */
const queuedBeforeMs = 70_000;

async function setUp(overrides: Partial<WebhookConfig> = {}) {
  const receiver = await webhookReceiver();
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const queue = openWebhookQueue(redis, keys);
  const topics = createComplaintTopics(redis, keys);
  const records = createRecordStore(redis, keys);
  const registry = new Registry();
  const metrics = createWorkerMetrics(registry);
  observeWebhooks(registry, { counts: queue.counts, outboxLength: async () => 7 });
  const logged: string[] = [];
  const log = createLogger('silent', 'tests');
  for (const level of ['debug', 'warn', 'error'] as const)
    log[level] = (...args: unknown[]) => void logged.push(JSON.stringify(args));
  const config: WebhookConfig = {
    url: receiver.url,
    secrets: [testSecret],
    riskAbove: 0.7,
    ratingBelow: 3,
    timeoutMs: 15_000,
    attempts: 4,
    retryMs: 20,
    concurrency: 4,
    ...overrides,
  };
  const start = async () => {
    const worker = await startDelivery({
      redis,
      keys,
      topics,
      records,
      config,
      metrics,
      log,
      now: Date.now,
      random: Math.random,
    });
    onTestFinished(worker.close);
  };
  onTestFinished(queue.close);
  const send = (...eventIds: string[]) =>
    queue.add(
      eventIds.map((eventId) => ({ notice: ratingNotice(eventId), since: Date.now() - queuedBeforeMs })),
      config.attempts,
    );
  const ended = (state: 'completed' | 'failed', count: number) =>
    eventually(async () => expect((await queue.counts())[state]).toBe(count));
  return { receiver, queue, topics, records, registry, logged, start, send, ended };
}

const eventIds = (count: number) => Array.from({ length: count }, (_, e) => `e${e}`);

test('what fails, hangs and cuts is tried again until it is taken: each once, none lost, every signature good', async () => {
  const { receiver, start, send, ended } = await setUp({ attempts: 30, timeoutMs: 500 });
  // Each webhook meets each of them once, before it is taken.
  const bad = [answers(500), hangs, cuts, answers(302, { location: '/elsewhere' })];
  const attempts = new Map<string, number>();
  receiver.behave((received, response) => {
    const attempt = attempts.get(received.id) ?? 0;
    attempts.set(received.id, attempt + 1);
    (bad[attempt] ?? acknowledges)(received, response);
  });
  await start();
  await send(...eventIds(20));
  await ended('completed', 20);
  const ids = eventIds(20).map((eventId) => ratingNotice(eventId).id);
  expect([...receiver.taken().keys()].sort()).toEqual(ids.sort());
  // More only where the machine was too slow to answer within the time limit: a repeat, which the id tells.
  expect(receiver.received.length).toBeGreaterThanOrEqual(20 * 5);
  expect(receiver.received.every(({ verified }) => verified)).toBe(true);
});

test('a complaint is told of in the words that are kept beside its customer, which are forgotten then', async () => {
  const { receiver, queue, topics, start, ended } = await setUp();
  const cause = { kind: 'complaint', eventId: 'c', at: 0, channel: 'phone' } as const;
  const notice = noticeOf('anna' as CustomerId, cause, strangerToRecords);
  await topics.keep(notice.data.customerId, notice.id, 'late again');
  await queue.add([{ notice, since: Date.now() }], 3);
  await start();
  await ended('completed', 1);
  const [received] = receiver.received;
  expect(received?.verified).toBe(true);
  expect(received?.notice.data.cause).toEqual({ eventId: 'c', channel: 'phone', topic: 'late again' });
  expect(received?.notice.data.reasons).toEqual([{ feature: 'complaint', text: 'complained: late again' }]);
  await eventually(async () => expect(await topics.find(notice)).toBeUndefined());
});

test('what waits tells consent as it is when it is sent: given meanwhile, and withdrawn again', async () => {
  const { receiver, records, start, send, ended } = await setUp({ attempts: 30 });
  const consent = (at: number, email: boolean) =>
    records.apply('anna', [
      {
        streamId: `${at}-0`,
        event: {
          type: 'customerUpdated',
          eventId: `consent-${at}`,
          customerId: 'anna' as CustomerId,
          occurredAt: at,
          attributes: { consent: { email, phone: true } },
        } as ShopEvent,
      },
    ]);
  await consent(1, true);
  const told: string[][] = [];
  receiver.behave((received, response) => {
    told.push(received.notice.data.consent);
    if (told.length > 1) return acknowledges(received, response);
    void consent(2, false).then(() => answers(500)(received, response));
  });
  await send('a');
  await start();
  await ended('completed', 1);
  expect(told).toEqual([['email', 'phone'], ['phone']]);
});

test('a receiver that is away and comes back gets all of it', async () => {
  const { receiver, start, send, ended, queue } = await setUp({ attempts: 30 });
  await receiver.stop();
  await start();
  await send(...eventIds(10));
  await eventually(async () => expect((await queue.counts()).delayed).toBeGreaterThan(0));
  await receiver.restart();
  await ended('completed', 10);
  expect(receiver.taken().size).toBe(10);
});

test('after its attempts a webhook is a dead letter; replayed, it has them all again, and the same id', async () => {
  const { receiver, start, send, ended, queue } = await setUp({ attempts: 3 });
  receiver.behave(answers(500));
  await start();
  await send('a', 'b');
  await ended('failed', 2);
  expect(receiver.received).toHaveLength(6);
  const dead = await queue.dead.list(0, 10);
  expect(dead.map(({ id, attempts, reason }) => [id, attempts, reason]).sort()).toEqual(
    ['a', 'b'].map((e) => [ratingNotice(e).id, 3, 'the receiver answered 500']).sort(),
  );
  // Met again, the cause of a dead letter is known.
  await send('a');
  expect(await queue.counts()).toMatchObject({ waiting: 0, failed: 2 });

  expect(await queue.dead.replay([ratingNotice('a').id, 'lowRating_00'])).toEqual([ratingNotice('a').id]);
  await eventually(() => expect(receiver.received).toHaveLength(9));
  await ended('failed', 2);
  receiver.behave(acknowledges);
  expect(await queue.dead.replayAll()).toBe(2);
  await ended('completed', 2);
  expect([...receiver.taken().keys()].sort()).toEqual(['a', 'b'].map((e) => ratingNotice(e).id).sort());
  expect(await queue.dead.replay([ratingNotice('a').id])).toEqual([]);
});

test('410 buries a webhook at once', async () => {
  const { receiver, start, send, ended, queue } = await setUp();
  receiver.behave(answers(410));
  await start();
  await send('a');
  await ended('failed', 1);
  expect(receiver.received).toHaveLength(1);
  const [dead] = await queue.dead.list(0, 10);
  expect(dead?.reason).toContain('410');
});

test('a delivered webhook whose cause is met again is not sent again', async () => {
  const { receiver, start, send, ended } = await setUp();
  await start();
  await send('a');
  await ended('completed', 1);
  await send('a', 'b');
  await ended('completed', 2);
  expect(receiver.received.map(({ id }) => id)).toEqual([ratingNotice('a').id, ratingNotice('b').id]);
});

test('no more are under way at once than is set', async () => {
  const { receiver, start, send, ended, queue } = await setUp({ concurrency: 3 });
  const held: (() => void)[] = [];
  receiver.behave((received, response) => void held.push(() => acknowledges(received, response)));
  await send(...eventIds(12));
  await start();
  await eventually(() => expect(held).toHaveLength(3));
  expect(await queue.counts()).toMatchObject({ active: 3, waiting: 9 });
  receiver.behave(acknowledges);
  for (const release of held) release();
  await ended('completed', 12);
});

test('metrics tell attempts, latency, dead letters and what is on its way; logs name no customer and no address', async () => {
  const { receiver, registry, logged, start, send, ended } = await setUp({ attempts: 2 });
  receiver.behave((received, response) =>
    (received.notice.data.cause.eventId === 'bad' ? answers(500) : acknowledges)(received, response),
  );
  await start();
  await send('good', 'bad');
  await ended('failed', 1);
  await ended('completed', 1);
  const text = await registry.metrics();
  expect(text).toContain('nextbest_worker_webhook_attempt_duration_seconds_count{outcome="delivered"} 1');
  expect(text).toContain('nextbest_worker_webhook_attempt_duration_seconds_count{outcome="failed"} 2');
  expect(text).toContain('nextbest_worker_webhook_latency_seconds_bucket{le="60"} 0');
  expect(text).toContain('nextbest_worker_webhook_latency_seconds_count 1');
  expect(text).toContain('nextbest_worker_webhooks_dead_total 1');
  expect(text).toContain('nextbest_worker_webhooks{state="outbox"} 7');
  expect(text).toContain('nextbest_worker_webhooks{state="dead"} 1');
  const lines = logged.join('\n');
  for (const event of ['webhook.delivered', 'webhook.failed', 'webhook.dead'])
    expect(lines).toContain(`"event":"${event}"`);
  expect(lines).not.toMatch(/anna|\/hooks|127\.0\.0\.1|whsec_|private/);
});

test('pauses double up to six hours, less up to half; what the receiver asks for counts where it is longer', () => {
  expect(pauseMs(1, 5000, 1)).toBe(5000);
  expect(pauseMs(1, 5000, 0)).toBe(2500);
  expect(pauseMs(4, 5000, 1)).toBe(5000 * 2 ** 3);
  expect(pauseMs(20, 5000, 1)).toBe(6 * 3_600_000);
  expect(pauseMs(1, 5000, 0.5, 60_000)).toBe(60_000);
  expect(pauseMs(5, 5000, 1, 60_000)).toBe(80_000);
});
