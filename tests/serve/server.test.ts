import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { eventually } from '../support/eventually.ts';
import { testRedis } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { newItem, publishShopChurnModel, publishShopModel, shopItems } from '../support/shop-models.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
});
afterAll(() => service.close());

const ids = (answer: { body: { items: { itemId: string }[] } }) =>
  answer.body.items.map(({ itemId }) => itemId);

function purchase(customerId: string, itemId: string, change: object = {}) {
  return { type: 'purchase', customerId, lines: [{ itemId, quantity: 1, unitPriceMinor: 500 }], ...change };
}

const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

test('anonymous visitors, unknown customers and guests get full lists, undegraded', async () => {
  for (const who of ['', '&customerId=nobody', '&sessionId=nobody', '&customerId=nobody&sessionId=nobody']) {
    const answer = await service.call('GET', `/recommendations?n=7${who}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ degraded: false, degradedBy: [] });
    expect(answer.body.items).toHaveLength(7);
  }
});

test('a purchase changes the next answer: the bought item leaves, its taste comes', async () => {
  const before = await service.call('GET', '/recommendations?customerId=fresh&n=5');
  expect(ids(before)).toContain('coffee-0');
  const posted = await service.call('POST', '/events', [
    purchase('fresh', 'tea-3'),
    purchase('fresh', 'coffee-0'),
  ]);
  expect(posted).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 0 } });
  const after = await service.call('GET', '/recommendations?customerId=fresh&n=5&explain=true');
  expect(ids(after)).not.toContain('coffee-0');
  expect(ids(after).some((id) => id.startsWith('tea-'))).toBe(true);
  for (const { reasons, contributions, score } of after.body.items) {
    expect(reasons.length).toBeGreaterThan(0);
    expect(Object.values(contributions as Record<string, number>).reduce((a, b) => a + b, 0)).toBeCloseTo(
      score,
      7,
    );
  }
});

test('an event that is sent again is dropped, in whatever form it comes', async () => {
  const event = purchase('repeater', 'tea-1', { eventId: 'order-1' });
  expect((await service.call('POST', '/events', event)).body).toMatchObject({ accepted: 1, duplicates: 0 });
  expect((await service.call('POST', '/events', { events: [event] })).body).toMatchObject({
    accepted: 0,
    duplicates: 1,
  });
  expect((await service.call('GET', '/customers/repeater/profile')).body.features.purchaseCount).toBe(1);
});

test('a profile tells features, churn risk with reasons, and the next purchase from the customer’s own gaps', async () => {
  expect((await service.call('GET', '/customers/stranger/profile')).status).toBe(404);
  await service.call('PUT', '/customers/regular', { loyaltyTier: 'gold', segment: 'Norway' });
  await service.call(
    'POST',
    '/events',
    [30, 20, 10].map((days) => purchase('regular', 'coffee-1', { occurredAt: daysAgo(days) })),
  );
  const { body } = await service.call('GET', '/customers/regular/profile');
  expect(body).toMatchObject({ segment: 'Norway', attributes: { loyaltyTier: 'gold' }, eventCount: 4 });
  expect(body.features).toMatchObject({ purchaseCount: 3, totalSpendMinor: 1500 });
  expect(body.nextPurchase.usualGapDays).toBeCloseTo(10, 5);
  // Last order 10 days ago + a gap of 10 days = now.
  expect(Math.abs(Date.parse(body.nextPurchase.expectedAt) - Date.now())).toBeLessThan(60_000);
  expect(body.churn.risk).toBeGreaterThan(0.1);
  expect(body.churn.risk).toBeLessThan(0.9);
  expect(body.churn.reasons).toContainEqual(
    expect.objectContaining({ feature: 'purchaseCount', effect: 'lowers' }),
  );
});

test('a profile tells the categories that interest the customer, as they weigh today', async () => {
  await service.call('POST', '/events', [
    purchase('browser', 'coffee-1', { occurredAt: daysAgo(90) }),
    purchase('browser', 'coffee-2', { occurredAt: daysAgo(90), orderId: 'two' }),
    { type: 'view', customerId: 'browser', lines: [{ itemId: 'tea-1' }] },
  ]);
  const { categoryAffinities } = (await service.call('GET', '/customers/browser/profile')).body;
  expect(categoryAffinities.map(({ category }: { category: string }) => category)).toEqual(['coffee', 'tea']);
  // Two purchases, a half-life ago: 2 · 1/2; a view of today: 0.1.
  expect(categoryAffinities[0].weight).toBeCloseTo(1, 5);
  expect(categoryAffinities[1].weight).toBeCloseTo(0.1, 5);
  expect(categoryAffinities[0].share).toBeCloseTo(1 / 1.1, 5);
  expect(categoryAffinities[1].share).toBeCloseTo(0.1 / 1.1, 5);
});

test('attributes of many are set at once, as a list or a line each; the later line of a customer counts where they differ', async () => {
  await service.call('PUT', '/customers/bulk-1', { loyaltyTier: 'silver', consent: { phone: true } });
  const posted = await service.call('POST', '/customers', [
    { customerId: 'bulk-1', consent: { email: true } },
    { customerId: 'bulk-2', segment: 'north', consent: { email: true, phone: false } },
    { customerId: 'bulk-2', segment: 'south', consent: { email: false } },
    { customerId: 'bulk-3', segment: '\ud800' },
  ]);
  expect(posted).toMatchObject({
    status: 200,
    body: {
      accepted: 2,
      rejected: 1,
      results: [
        { customerId: 'bulk-1', status: 'accepted' },
        { customerId: 'bulk-2', status: 'accepted' },
        { customerId: 'bulk-3', status: 'rejected', reason: expect.stringContaining('surrogate') },
      ],
    },
  });
  const attributesOf = async (id: string) => (await service.call('GET', `/customers/${id}`)).body.attributes;
  expect(await attributesOf('bulk-1')).toEqual({
    loyaltyTier: 'silver',
    consent: { phone: true, email: true },
  });
  expect(await attributesOf('bulk-2')).toEqual({ segment: 'south', consent: { email: false, phone: false } });
  const lines =
    '{"customerId":"bulk-3","loyaltyTier":"gold"}\n\n{"customerId":"bulk-4","consent":{"app":true}}\n';
  const sent = await fetch(`${service.url}/customers`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines,
  });
  expect(sent.status).toBe(200);
  expect(await sent.json()).toMatchObject({ accepted: 2, rejected: 0 });
  expect(await attributesOf('bulk-4')).toEqual({ consent: { app: true } });
});

test('where one of many customers is malformed, none is set', async () => {
  const { status, body } = await service.call('POST', '/customers', [
    { customerId: 'whole', loyaltyTier: 'gold' },
    { customerId: 'half', consent: { email: 'yes' }, tier: 'gold' },
  ]);
  expect([status, body.faults.map(({ path }: { path: string }) => path)]).toEqual([
    400,
    ['body[1].consent.email', 'body[1].tier'],
  ]);
  expect((await service.call('GET', '/customers/whole')).status).toBe(404);
});

test('attributes are set one by one, and read back', async () => {
  await service.call('PUT', '/customers/crm', { loyaltyTier: 'silver', consent: { email: true } });
  const put = await service.call('PUT', '/customers/crm', { consent: { phone: false } });
  const expected = {
    customerId: 'crm',
    attributes: { loyaltyTier: 'silver', consent: { email: true, phone: false } },
  };
  expect(put.body).toEqual(expected);
  expect((await service.call('GET', '/customers/crm')).body).toEqual(expected);
  expect((await service.call('GET', '/customers/stranger')).status).toBe(404);
});

test('an item that goes out of stock leaves the answers, and comes back', async () => {
  const item = { ...shopItems[0] };
  await service.call('PUT', '/items/coffee-0', { ...item, inStock: false });
  await eventually(async () =>
    expect(ids(await service.call('GET', '/recommendations'))).not.toContain('coffee-0'),
  );
  await service.call('PUT', '/items/coffee-0', item);
  await eventually(async () =>
    expect(ids(await service.call('GET', '/recommendations'))).toContain('coffee-0'),
  );
});

test('items are put, read, deleted; bulk takes JSON and NDJSON', async () => {
  const put = await service.call('PUT', '/items/one%2Ftwo', { name: 'A name', category: 'odd' });
  expect(put.body).toEqual({
    itemId: 'one/two',
    name: 'A name',
    category: 'odd',
    inStock: true,
    discontinued: false,
  });
  expect((await service.call('GET', '/items/one%2Ftwo')).body).toEqual(put.body);
  expect((await service.call('PUT', '/items/x', { itemId: 'y' })).body.faults[0].path).toBe('body.itemId');
  expect((await service.call('DELETE', '/items/one%2Ftwo')).status).toBe(204);
  expect((await service.call('GET', '/items/one%2Ftwo')).status).toBe(404);
  expect((await service.call('DELETE', '/items/one%2Ftwo')).status).toBe(404);
  const lines = ['bulk-1', 'bulk-2', 'bulk-1']
    .map((itemId, k) => JSON.stringify({ itemId, name: `no. ${k}` }))
    .join('\n');
  const bulk = await service.call('POST', '/items', lines, { 'content-type': 'application/x-ndjson' });
  expect(bulk.body).toEqual({ items: 2 });
  expect((await service.call('GET', '/items/bulk-1')).body.name).toBe('no. 2');
  for (const itemId of ['bulk-1', 'bulk-2']) await service.call('DELETE', `/items/${itemId}`);
});

test('related items are answered for items that there are, 404 for others', async () => {
  expect(ids(await service.call('GET', '/items/coffee-4/bought-together?n=3'))).toEqual(['tea-4']);
  expect((await service.call('GET', '/items/tea-0/similar?n=2')).body.items).toHaveLength(2);
  expect(ids(await service.call('GET', `/items/${newItem.itemId}/similar`))).toEqual([]);
  expect((await service.call('GET', '/items/none/similar')).status).toBe(404);
  expect((await service.call('GET', '/items/none/bought-together')).status).toBe(404);
});

test('an unknown scenario is refused with those that there are', async () => {
  const { status, body } = await service.call('GET', '/recommendations?scenario=billboard');
  expect(status).toBe(400);
  expect(body.faults[0]).toMatchObject({
    path: 'query.scenario',
    message: expect.stringContaining('home, product, cart'),
  });
});

test('a job is asked for once, found in the list, and unknown ones are not found', async () => {
  const first = await service.call('POST', '/jobs', { job: 'train-churn', cutoff: 1_700_000_000_000 });
  const second = await service.call('POST', '/jobs', { job: 'train-churn', cutoff: 1_700_000_000_000 });
  expect(first.status).toBe(202);
  expect(second.body.jobId).toBe(first.body.jobId);
  expect((await service.call('GET', first.headers.get('location') ?? '')).body).toMatchObject({
    job: 'train-churn',
    state: 'waiting',
    payload: { cutoff: 1_700_000_000_000 },
  });
  const { jobs } = (await service.call('GET', '/jobs')).body;
  expect(jobs.filter(({ jobId }: { jobId: string }) => jobId === first.body.jobId)).toHaveLength(1);
  expect((await service.call('GET', '/jobs/none')).status).toBe(404);
});

test('models: a newer one is taken up while requests fly, none of which fails; rollback and promote go back and forth', async () => {
  const before = (await service.call('GET', '/models/collaborative')).body.models[0].version;
  let flying = true;
  const statuses: number[] = [];
  const versions = new Set<string>();
  const traffic = Promise.all(
    Array.from({ length: 4 }, async (_, k) => {
      while (flying) {
        const answer = await service.call('GET', `/recommendations?customerId=c${k}`);
        statuses.push(answer.status);
        versions.add(answer.body.modelVersion);
      }
    }),
  );
  const served = async () => (await service.call('GET', '/recommendations')).body.modelVersion;
  const { version } = await publishShopModel(service.modelsDir);
  await eventually(async () => expect(await served()).toBe(version));
  expect((await service.call('POST', '/models/collaborative/rollback')).body.version).toBe(before);
  await eventually(async () => expect(await served()).toBe(before));
  expect((await service.call('POST', '/models/collaborative/promote', { version })).body.version).toBe(
    version,
  );
  await eventually(async () => expect(await served()).toBe(version));
  flying = false;
  await traffic;
  expect(statuses.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect([...versions].sort()).toEqual([before, version].sort());
  const none = { version: '20200101T000000Z-00000000' };
  expect((await service.call('POST', '/models/collaborative/promote', none)).status).toBe(404);
  expect((await service.call('POST', '/models/churn/rollback')).status).toBe(409);
});

test('a damaged model and one of other features are refused, counted, and the last good one keeps serving', async () => {
  const served = async () => (await service.call('GET', '/readyz')).body.models;
  const good = await served();
  const damaged = await publishShopModel(service.modelsDir, (model) => ({
    ...model,
    segments: ['not everybody'],
  }));
  const foreign = await publishShopChurnModel(service.modelsDir, '00000000');
  const metric = async (model: string) =>
    Number(
      new RegExp(`nextbest_serve_model_load_failures_total\\{model="${model}"\\} (\\d+)`).exec(
        (await service.call('GET', '/metrics')).text,
      )?.[1] ?? 0,
    );
  await eventually(async () => {
    expect(await metric('collaborative')).toBe(1);
    expect(await metric('churn')).toBe(1);
  });
  expect(await served()).toEqual(good);
  for (const { name, version } of [damaged, foreign]) {
    const { models } = (await service.call('GET', `/models/${name}`)).body;
    expect(models.find((model: { version: string }) => model.version === version)).toMatchObject({
      current: true,
      serving: false,
    });
  }
  const { version } = await publishShopModel(service.modelsDir);
  const file = join(service.modelsDir, 'collaborative', version, 'itemFactors.bin');
  await rm(file);
  await writeFile(file, 'nonsense');
  const refused = await service.call('POST', '/models/collaborative/promote', { version });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  const misspelt = await service.call('POST', '/models/collaborative/promote', { version: 'latest' });
  expect([misspelt.status, misspelt.body.faults]).toEqual([
    400,
    [
      {
        path: 'body.version',
        message: 'must be a version such as 20261123T101500Z-1a2b3c4d (GET /models/{name} lists them)',
      },
    ],
  ]);
});

test('the metrics that are promised are there after traffic, by route pattern and never by id', async () => {
  await service.call('GET', '/items/coffee-0');
  await service.call('GET', '/no/such/path');
  await service.call('POST', '/events', { type: 'purchase', customerId: 'x', lines: [] });
  const { text, headers } = await service.call('GET', '/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain/);
  for (const line of [
    /nextbest_serve_request_duration_seconds_count\{route="\/recommendations",method="GET",status="200"\} \d+/,
    /nextbest_serve_request_duration_seconds_count\{route="\/items\/\{itemId\}",method="GET",status="200"\} \d+/,
    /nextbest_serve_request_duration_seconds_count\{route="unmatched",method="GET",status="404"\} \d+/,
    /nextbest_serve_redis_duration_seconds_count\{command="get",outcome="ok"\} \d+/,
    /nextbest_serve_recommendations_total\{scenario="home",degraded="false"\} \d+/,
    /nextbest_serve_recommended_items_total\{source="popularity"\} \d+/,
    /nextbest_serve_model_age_seconds\{model="collaborative"\} \d+/,
    /nextbest_serve_model_info\{model="churn",version="[^"]+"\} 1/,
    /nextbest_serve_events_total\{outcome="accepted"\} \d+/,
    /nextbest_serve_events_total\{outcome="duplicate"\} \d+/,
    /nextbest_serve_events_total\{outcome="rejected"\} \d+/,
    /nextbest_serve_deferred_events_total \d+/,
    /nextbest_serve_event_to_record_seconds_count \d+/,
    /nextbest_serve_requests_in_flight 1/,
    /process_cpu_seconds_total/,
    /nodejs_eventloop_lag_seconds/,
  ])
    expect(text).toMatch(line);
  for (const id of ['coffee-0', 'fresh', 'regular', '/no/such']) expect(text).not.toContain(id);
});

test('/docs works from our own files, under a policy that allows nothing else', async () => {
  // The bare address leads there.
  expect(new URL((await fetch(`${service.url}/`)).url).pathname).toBe('/docs');
  const page = await service.call('GET', '/docs');
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(assets).toHaveLength(4);
  for (const asset of assets) {
    const answer = await service.call('GET', `/${asset}`);
    expect(answer.status, asset).toBe(200);
    expect(answer.text.length).toBeGreaterThan(100);
  }
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  expect(page.headers.get('content-security-policy')).not.toMatch(/https?:|\*/);
  expect((await service.call('GET', '/docs/start.js')).text).toContain("'openapi.json'");
  const document = (await service.call('GET', '/openapi.json')).body;
  expect(Object.keys(document.paths)).toContain('/recommendations');
  expect((await service.call('POST', '/docs', {})).status).toBe(405);
  expect((await service.call('GET', '/docs/package.json')).status).toBe(404);
});

test('a caller’s request id comes back; one that is none is replaced', async () => {
  const kept = await service.call('GET', '/livez', undefined, { 'x-request-id': 'trace-1' });
  expect(kept.headers.get('x-request-id')).toBe('trace-1');
  const replaced = await service.call('GET', '/livez', undefined, { 'x-request-id': 'a b<c>' });
  expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});
