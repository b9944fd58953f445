import { Worker } from 'bullmq';
import { afterAll, expect, test } from 'vitest';
import { WebhookSecret } from '../../src/domain/webhook.ts';
import { openWebhookQueue, webhookQueueName } from '../../src/infra/webhook-queue.ts';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';
import { testRedis } from '../support/redis.ts';
import { ratingNotice } from '../support/webhook-receiver.ts';

const { redis, keys, prefix, url } = testRedis();
const place = await sandbox();
const queue = openWebhookQueue(redis, keys);
afterAll(() => queue.close());

const run = (...args: string[]) =>
  place.run(['webhooks', ...args, '--json'], { REDIS_URL: url, KEY_PREFIX: prefix });
const lines = (stdout: string) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** Queues notices and gives each of them up. */
async function bury(...eventIds: string[]): Promise<string[]> {
  const notices = eventIds.map(ratingNotice);
  await queue.add(
    notices.map((notice) => ({ notice, since: Date.now() })),
    1,
  );
  const { dead, ...others } = await deadAfter(eventIds.length);
  expect(others).toEqual({ waiting: 0, delayed: 0, active: 0, completed: 0 });
  expect(dead).toBeGreaterThan(0);
  return notices.map(({ id }) => id);
}

async function deadAfter(more: number) {
  const before = (await queue.counts()).failed;
  const worker = new Worker(webhookQueueName, () => Promise.reject(new Error('the receiver answered 500')), {
    connection: redis,
    prefix: keys.queuePrefix,
  });
  await eventually(async () => expect((await queue.counts()).failed).toBe(before + more));
  await worker.close();
  const { failed: dead, ...others } = await queue.counts();
  return { dead, ...others };
}

test('dead letters are listed, and sent again: one, or all', async () => {
  expect(lines((await run('dead')).stdout)).toEqual([]);
  const [first, second, third] = await bury('a', 'b', 'c');

  const listed = lines((await run('dead')).stdout);
  expect(listed.map(({ id }) => id).sort()).toEqual([first, second, third].sort());
  expect(listed.find(({ id }) => id === first)).toEqual({
    id: first,
    type: 'customer.lowRating',
    customerId: 'anna',
    timestamp: ratingNotice('a').timestamp,
    attempts: 1,
    reason: 'the receiver answered 500',
    diedAt: expect.stringMatching(/^20\d\d-/),
  });

  expect(lines((await run('replay', '--id', `${first}`)).stdout)).toEqual([{ replayed: 1 }]);
  expect(await queue.counts()).toMatchObject({ waiting: 1, failed: 2 });
  expect(lines((await run('replay', '--all')).stdout)).toEqual([{ replayed: 2 }]);
  expect(await queue.counts()).toMatchObject({ waiting: 3, failed: 0 });
});

test('a letter that is not dead, or none that is named, is wrong usage', async () => {
  const unknown = await run('replay', '--id', 'lowRating_00');
  expect(unknown).toMatchObject({ exitCode: 2 });
  expect(unknown.stderr).toContain('There is no dead letter lowRating_00');
  for (const args of [[], ['--all', '--id', 'x']])
    expect(await run('replay', ...args)).toMatchObject({ exitCode: 2, stdout: '' });
});

test('a secret is new each time, and one that the settings take', async () => {
  const [one, other] = [await run('secret'), await place.run(['webhooks', 'secret'])];
  const secrets = [lines(one.stdout)[0].secret, other.stdout.trim()];
  for (const secret of secrets) expect(WebhookSecret.parse(secret)).toBe(secret);
  expect(secrets[0]).not.toBe(secrets[1]);
});
