import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWebhookQueue, webhookQueueName } from '../../../src/infra/webhook-queue.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { ratingNotice } from '../../support/webhook-receiver.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
const queue = openWebhookQueue(redis, keys);
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, bare: true });
});
afterAll(async () => {
  await service.close();
  await queue.close();
});

/** Queues a notice for each event id, and gives it up. */
async function bury(...eventIds: string[]): Promise<string[]> {
  const notices = eventIds.map(ratingNotice);
  await queue.add(
    notices.map((notice) => ({ notice, since: Date.now() })),
    1,
  );
  const fail = () => Promise.reject(new Error('the receiver answered 500'));
  const worker = new Worker(webhookQueueName, fail, { connection: redis, prefix: keys.queuePrefix });
  await eventually(async () => expect((await queue.counts()).failed).toBe(eventIds.length));
  await worker.close();
  return notices.map(({ id }) => id);
}

test('dead letters are listed in pages and sent again, one or all; what is none is named', async () => {
  expect((await service.call('GET', '/webhooks/dead')).body).toEqual({ count: 0, webhooks: [] });
  const ids = await bury('a', 'b', 'c');
  const pages = await Promise.all(
    [0, 2].map((offset) => service.call('GET', `/webhooks/dead?n=2&offset=${offset}`)),
  );
  expect(pages.map(({ body }) => body.count)).toEqual([3, 3]);
  const listed = pages.flatMap(({ body }) => body.webhooks);
  expect(listed.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(listed.find(({ id }) => id === ids[0])).toEqual({
    id: ids[0],
    type: 'customer.lowRating',
    customerId: 'anna',
    timestamp: ratingNotice('a').timestamp,
    attempts: 1,
    reason: 'the receiver answered 500',
    diedAt: expect.any(String),
  });

  const one = await service.call('POST', '/webhooks/replay', { ids: [ids[0], 'lowRating_00'] });
  expect(one.body).toEqual({ replayed: 1, unknown: ['lowRating_00'] });
  expect(await queue.counts()).toMatchObject({ waiting: 1, failed: 2 });
  expect((await service.call('POST', '/webhooks/replay', { all: true })).body).toEqual({
    replayed: 2,
    unknown: [],
  });
  expect(await queue.counts()).toMatchObject({ waiting: 3, failed: 0 });
});

test.each([{}, { all: false }, { ids: [] }, { all: true, ids: ['a'] }])(
  '%j says nothing to replay',
  async (body) => {
    expect((await service.call('POST', '/webhooks/replay', body)).status).toBe(400);
  },
);

test('a page that is none is a fault', async () => {
  const { status, body } = await service.call('GET', '/webhooks/dead?n=0&offset=-1');
  expect(status).toBe(400);
  expect(body.faults.map(({ path }: { path: string }) => path)).toEqual(['query.n', 'query.offset']);
});
