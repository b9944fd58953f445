/** Real workers (the built `nextbest worker`) and a real receiver: what comes of webhooks when the worker is killed. */
import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { ShopEvent } from '../../../src/domain/event.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { createRecordStore } from '../../../src/features/record-store.ts';
import { RECORD_SCHEMA } from '../../../src/features/registry.ts';
import { appendEntries } from '../../../src/infra/event-log.ts';
import { createKeys, type Keys } from '../../../src/infra/keys.ts';
import { connectRedis, type Redis } from '../../../src/infra/redis.ts';
import { openWebhookQueue } from '../../../src/infra/webhook-queue.ts';
import { eventually } from '../../support/eventually.ts';
import { type Running, sandbox } from '../../support/nextbest.ts';
import { ownRedis } from '../../support/own-redis.ts';
import { describeNative, silentLog, testRedis } from '../../support/redis.ts';
import { publishShopChurnModel } from '../../support/shop-models.ts';
import { acknowledges, answers, hangs, testSecret, webhookReceiver } from '../../support/webhook-receiver.ts';

const { redis, keys, prefix, url } = testRedis();
const place = await sandbox();
const queue = openWebhookQueue(redis, keys);
afterAll(() => queue.close());

type Shop = { redis: Redis; keys: Keys };

/** As the service accepts them: into the stream, then into the record. */
async function accept({ redis, keys }: Shop, events: readonly ShopEvent[]): Promise<void> {
  const records = createRecordStore(redis, keys);
  const ids = await appendEntries(
    redis,
    keys,
    events.map((event) => ({ kind: 'event', event })),
  );
  for (const [e, event] of events.entries())
    await records.apply(event.customerId!, [{ event, streamId: ids[e]! }]);
}

const rating = (n: number) =>
  ({
    type: 'rating',
    eventId: `rating-${n}`,
    customerId: `customer-${n}`,
    occurredAt: Date.now(),
    channel: 'web',
    rating: 1,
  }) as ShopEvent;
const ratings = (count: number, from = 0) => Array.from({ length: count }, (_, n) => rating(from + n));

async function startWorker(receiverUrl: string, env: Record<string, string> = {}): Promise<Running> {
  const worker = place.start(['worker'], {
    REDIS_URL: url,
    KEY_PREFIX: prefix,
    DRAIN_INTERVAL_MS: '20',
    WEBHOOK_URL: receiverUrl,
    WEBHOOK_SECRETS: testSecret,
    WEBHOOK_RETRY_MS: '20',
    WEBHOOK_ATTEMPTS: '30',
    WEBHOOK_TIMEOUT_MS: '15000',
    ...env,
  });
  await worker.line('worker');
  return worker;
}

test('killed in the middle of deliveries, and in the middle of draining: another worker sends what is left, none is lost', async () => {
  await redis.set(keys.recordsBuilt, RECORD_SCHEMA);
  const receiver = await webhookReceiver();
  // Four take the request, and are killed before they hear an answer.
  receiver.behave(hangs);
  const killed = await startWorker(receiver.url);
  await accept({ redis, keys }, ratings(40));
  await eventually(() => expect(receiver.received.length).toBe(4));
  const more = accept({ redis, keys }, ratings(40, 40));
  killed.process.kill('SIGKILL');
  await killed.ended;
  await more;
  receiver.behave(acknowledges);

  const other = await startWorker(receiver.url);
  // When the killed worker's locks have run out: that of the drain after a minute.
  await eventually(() => expect(receiver.taken().size).toBe(80));
  const customers = receiver.received.map(({ notice }) => notice.data.customerId);
  expect(new Set(customers).size).toBe(80);
  // The four whose answer nobody heard were sent again under their ids; all others once.
  expect(receiver.received).toHaveLength(84);
  expect([...receiver.taken().values()]).toEqual(Array(80).fill(1));
  expect(receiver.received.every(({ verified }) => verified)).toBe(true);
  const { metricsUrl } = await other.line('metricsUrl');
  await eventually(async () => {
    const text = await (await fetch(String(metricsUrl))).text();
    for (const state of ['outbox', 'waiting', 'delayed', 'active', 'dead'])
      expect(text).toContain(`nextbest_worker_webhooks{state="${state}"} 0`);
    expect(text).toContain('webhook_attempt_duration_seconds_count{outcome="delivered"} 80');
  });
  expect(await other.stop()).toBe(0);
});

test('dead letters are replayed by the command, and a worker sends them', async () => {
  const receiver = await webhookReceiver();
  receiver.behave(answers(500));
  const worker = await startWorker(receiver.url, { WEBHOOK_ATTEMPTS: '2' });
  await accept({ redis, keys }, ratings(3, 1000));
  await eventually(async () => expect((await queue.counts()).failed).toBe(3));
  receiver.behave(acknowledges);
  const env = { REDIS_URL: url, KEY_PREFIX: prefix };
  const { stdout } = await place.run(['webhooks', 'replay', '--all', '--json'], env);
  expect(JSON.parse(stdout)).toEqual({ replayed: 3 });
  await eventually(() => expect(receiver.taken().size).toBe(3));
  // What was logged of all this names no customer, no address and no secret.
  expect(worker.stderr()).toContain('"webhook.dead"');
  expect(worker.stderr()).not.toMatch(/customer-\d|\/hooks|whsec_/);
  expect(await worker.stop()).toBe(0);
});

test('a risk that an event raises is told of, by the model that is served', async () => {
  await publishShopChurnModel(place.modelsDir);
  const receiver = await webhookReceiver();
  const worker = await startWorker(receiver.url, { WEBHOOK_RISK_ABOVE: '0.6' });
  const order = (daysAgo: number) =>
    ({
      type: 'purchase',
      eventId: `order-${daysAgo}`,
      customerId: 'anna',
      occurredAt: Date.now() - daysAgo * dayMs,
      channel: 'web',
      lines: [{ itemId: 'tea', quantity: 1 }],
    }) as ShopEvent;
  // Ordered each hundred days, the last time a hundred days ago: the invented
  // model says sigmoid(.4·(2·ln(1 + 1) − ln(1 + 2))) = .53.
  await accept({ redis, keys }, [order(200), order(100)]);
  const standing = () => redis.hget(keys.webhookRisk(0.6, 60), 'anna');
  await eventually(async () => expect(await standing()).toMatch(/^-/));
  // A till that was offline tells of ten orders more: each nine days, 100 / 9.1 = 11 gaps late, which
  // is sigmoid(.4·(2·ln(1 + 11) − ln(1 + 12))) = .72.
  await accept(
    { redis, keys },
    Array.from({ length: 10 }, (_, n) => order(199 - n)),
  );
  await eventually(() => expect(receiver.taken().size).toBe(1));
  expect(receiver.received[0]?.notice).toMatchObject({
    type: 'customer.churnRisk',
    data: { customerId: 'anna', cause: { bound: 0.6 }, suggestedAction: { action: 'winBackOffer' } },
  });
  expect(await standing()).toMatch(/^\+/);
  expect(await worker.stop()).toBe(0);
});

describeNative('over a Redis of its own', () => {
  test('a Redis that is killed and comes back has lost no webhook', async () => {
    const server = await ownRedis();
    onTestFinished(server.remove);
    await server.start();
    const client = connectRedis(server.url, 'tests', { kind: 'patient' }, silentLog);
    onTestFinished(() => client.disconnect());
    const own = createKeys(prefix);
    await client.set(own.recordsBuilt, RECORD_SCHEMA);
    const receiver = await webhookReceiver();
    await receiver.stop();
    const worker = await startWorker(receiver.url, { REDIS_URL: server.url });
    await accept({ redis: client, keys: own }, ratings(20));
    const waiting = openWebhookQueue(client, own);
    onTestFinished(waiting.close);
    await eventually(async () => expect((await waiting.counts()).delayed).toBeGreaterThan(0));
    await server.kill();
    await server.start();
    await receiver.restart();
    await eventually(() => expect(receiver.taken().size).toBe(20));
    expect(await worker.stop()).toBe(0);
  });
});
