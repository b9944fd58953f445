/** The figures of the small shop over HTTP; their arithmetic is in tests/insights. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLake } from '../../../src/history/lake.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { writeSmallShop } from '../../insights/small-shop.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-insights-'));
  const lake = await openLake(dataDir);
  await writeSmallShop(lake);
  lake.close();
  service = await startTestService({ redisUrl, prefix, env: { DATA_DIR: dataDir }, bare: true });
});
afterAll(async () => {
  await service.close();
  await rm(dataDir, { recursive: true });
});

test('a month by loyalty: the groups asked for, each figure with its customers and interval', async () => {
  const { status, body } = await service.call(
    'GET',
    '/insights/retention?from=2026-03-01&to=2026-03-31&by=loyalty',
  );
  expect(status).toBe(200);
  expect(body.total.churnRate).toMatchObject({ customers: 3, value: 1 / 3 });
  expect(
    body.groups.map(({ key, customers }: { key: string; customers: number }) => [key, customers]),
  ).toEqual([
    ['other', 3],
    ['member', 2],
  ]);
  expect(body.intervals.churnRate).toBe('wilson');
  expect(body.currency).toBe('EUR');
});

test('without anything asked for: the 90 days until the last purchase, by everything but cohort', async () => {
  const { body } = await service.call('GET', '/insights/retention');
  expect(body.period).toEqual({ from: '2026-01-02', to: '2026-04-01', days: 90 });
  const named = new Set(body.groups.map(({ by }: { by: string }) => by));
  expect(named).toContain('satisfaction');
  expect(named).not.toContain('cohort');
});

test('every fault at once, each with what would be right', async () => {
  const { status, body } = await service.call(
    'GET',
    '/insights/retention?from=March&by=loyalty,shoe-size&n=3',
  );
  expect(status).toBe(400);
  const paths = body.faults.map(({ path }: { path: string }) => path).sort();
  expect(paths).toEqual(['query.by[1]', 'query.from', 'query.n']);
});

test.each([
  ['from=2026-04-01&to=2026-03-31', 'must not come after to, which is 2026-03-31'],
  ['from=2000-01-01&to=2026-03-31', 'must lie at most 3660 days before to; these are 9587'],
  // The last purchase is of 2026-04-01.
  ['from=2000-01-01', 'must lie at most 3660 days before to; these are 9588'],
])('a period that cannot be: %s', async (days, message) => {
  const { status, body } = await service.call('GET', `/insights/retention?${days}`);
  expect([status, body.faults]).toEqual([400, [{ path: 'query.from', message }]]);
});

test.each(['from=9999-12-31', 'to=9999-12-31', 'to=0000-01-01', 'to=1899-12-31'])(
  'a day of another age is refused: %s',
  async (days) => {
    const { status, body } = await service.call('GET', `/insights/retention?${days}`);
    const path = `query.${days.split('=')[0]}`;
    expect([status, body.faults]).toEqual([
      400,
      [{ path, message: 'must be a day from 1900-01-01 to 2999-12-31' }],
    ]);
  },
);

test('what has been added to the lake is in the next answer', async () => {
  const path = '/insights/retention?from=2026-03-01&to=2026-03-31&by=tier';
  expect((await service.call('GET', path)).body.total.buyers).toBe(3);
  const lake = await openLake(dataDir);
  const event = {
    type: 'purchase',
    eventId: 'late',
    customerId: 'bert',
    occurredAt: Date.parse('2026-03-30T12:00:00Z'),
    channel: 'web',
    lines: [{ itemId: 'tea', quantity: 1, unitPriceMinor: 100 }],
  };
  await writeEntries(lake, 'import-later', { events: [event as never], catalogue: [], decisions: [] });
  lake.close();
  await expect.poll(async () => (await service.call('GET', path)).body.total.buyers).toBe(4);
});

test('many who ask at once are all answered', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => service.call('GET', '/insights/retention?by=rfm')),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => body.computedAt)).size).toBe(1);
});
