import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import { dayMs } from '../../src/domain/time.ts';
import { Problem } from '../../src/serve/problem.ts';
import { ROUTES } from '../../src/serve/routes.ts';
import { testRedis } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';

const { url: redisUrl, prefix, redis, keys } = testRedis();
let service: TestService;

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
});
afterAll(() => service.close());

const paths = (answer: { body: { faults: { path: string }[] } }) =>
  answer.body.faults.map(({ path }) => path).sort();

test('a malformed event names every fault, and nothing of its batch is accepted', async () => {
  const before = await redis.xlen(keys.eventStream);
  const good = { type: 'visit', customerId: 'good' };
  const answer = await service.call('POST', '/events', [
    good,
    { type: 'purchase', customerId: '', lines: [{ itemId: 'x', quantity: 0 }], colour: 'red' },
    { type: 'nothing', customerId: 'a' },
  ]);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'INVALID_REQUEST', type: expect.stringMatching(/^urn:/) },
  });
  expect(new Set(paths(answer))).toEqual(
    new Set(['body[1].customerId', 'body[1].lines[0].quantity', 'body[1].colour', 'body[2].type']),
  );
  expect(await redis.xlen(keys.eventStream)).toBe(before);
  expect((await service.call('GET', '/customers/good')).status).toBe(404);
});

test('an event in another currency or of next week is rejected by itself, with the reason', async () => {
  const foreign = { type: 'visit', customerId: 'a', currency: 'USD' };
  const future = { type: 'visit', customerId: 'a', occurredAt: Date.now() + 7 * dayMs };
  const mixed = await service.call('POST', '/events', [{ type: 'visit', customerId: 'a' }, foreign]);
  expect(mixed).toMatchObject({ status: 202, body: { accepted: 1, rejected: 1 } });
  expect(mixed.body.results[1]).toMatchObject({ status: 'rejected', reason: expect.stringContaining('USD') });
  expect(paths(await service.call('POST', '/events', [foreign, future]))).toEqual(['body[0]', 'body[1]']);
  expect((await service.call('POST', '/events', future)).body.faults[0].message).toMatch(/future/);
});

test('more events, items or anything than is allowed is refused before anything is done', async () => {
  const event = { type: 'visit', customerId: 'a' };
  expect(paths(await service.call('POST', '/events', Array(1001).fill(event)))).toEqual(['body']);
  expect((await service.call('POST', '/events', [])).status).toBe(400);
  expect((await service.call('POST', '/items', Array(5001).fill({ itemId: 'x' }))).status).toBe(400);
});

test('a body above 1 MB is 413, with and without a declared length', async () => {
  const large = `[${'"x",'.repeat(300_000)}"x"]`;
  expect(large.length).toBeGreaterThan(1024 * 1024);
  expect((await service.call('POST', '/events', large)).status).toBe(413);
  const stream = new Blob([large]).stream();
  const answer = await fetch(`${service.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: stream,
    duplex: 'half',
  } as RequestInit);
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ code: 'BODY_TOO_LARGE' });
});

test.each([
  ['text/plain', '{}'],
  ['application/xml', '<a/>'],
  ['application/x-ndjson', '{}'],
  ['application/json; charset=utf-16', '{}'],
])('POST /events of type %s is 415', async (type, body) => {
  const answer = await service.call('POST', '/events', body, { 'content-type': type });
  expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
});

test('an encoding that is not read is 415, a broken one 400', async () => {
  const headers = { 'content-type': 'application/json' };
  expect(
    (await service.call('POST', '/events', '{}', { ...headers, 'content-encoding': 'zip' })).status,
  ).toBe(415);
  expect(
    (await service.call('POST', '/events', 'no gzip', { ...headers, 'content-encoding': 'gzip' })).status,
  ).toBe(400);
});

test.each(['{', '', 'null', '"text"', '5', '{"events":5}', '[[]]', '{"__proto__":{"x":1}}'])(
  'the body %j is 400 with a fault',
  async (body) => {
    const answer = await service.call('POST', '/events', body);
    expect(answer.status).toBe(400);
    expect(answer.body.faults.length).toBeGreaterThan(0);
  },
);

test('faults of path and query are gathered; unknown parameters are faults', async () => {
  const answer = await service.call('GET', '/items/%7Bbraces%7D/similar?n=0&colour=red');
  expect(answer.status).toBe(400);
  expect(paths(answer)).toEqual(['params.itemId', 'query.colour', 'query.n']);
  expect(paths(await service.call('GET', '/livez?x=1'))).toEqual(['query.x']);
  expect((await service.call('GET', '/items/%E0%A4%A')).status).toBe(400);
});

test('what no schema can tell is named together with what schemas tell', async () => {
  expect(paths(await service.call('GET', '/recommendations?scenario=nope&n=500'))).toEqual([
    'query.n',
    'query.scenario',
  ]);
  expect(paths(await service.call('PUT', '/items/a', { itemId: 'b', priceMinor: -1 }))).toEqual([
    'body.itemId',
    'body.priceMinor',
  ]);
  const offer = { offerId: 'b', name: 'Ten off', benefit: { kind: 'content' }, channels: [] };
  expect(paths(await service.call('PUT', '/offers/a', offer))).toEqual(['body.channels', 'body.offerId']);
  const job = { job: 'refresh-features', cutoff: 5, seed: -1 };
  expect(paths(await service.call('POST', '/jobs', job))).toEqual([
    'body.cutoff',
    'body.cutoff',
    'body.seed',
  ]);
});

test('a job whose cut-off cannot be meant is refused, and no job is made', async () => {
  const before = (await service.call('GET', '/jobs')).body.jobs.length;
  const nextYear = Date.now() + 365 * dayMs;
  const lastYear = Date.now() - 365 * dayMs;
  for (const [job, cutoff, why] of [
    ['refresh-features', lastYear, /not taken by refresh-features/],
    // Seconds since 1970, sent where milliseconds are meant.
    ['train-churn', 1_700_000_000, /milliseconds/],
    ['train-collaborative', nextYear, /future/],
  ] as const) {
    const { status, body } = await service.call('POST', '/jobs', { job, cutoff });
    expect(status).toBe(400);
    expect(body.faults).toEqual([{ path: 'body.cutoff', message: expect.stringMatching(why) }]);
  }
  expect((await service.call('GET', '/jobs')).body.jobs.length).toBe(before);
});

test('unknown paths are 404; known ones say with 405 which methods they take', async () => {
  for (const path of ['/nothing', '/items', '/Recommendations', '/recommendations/x']) {
    expect([404, 405]).toContain((await service.call('GET', path)).status);
  }
  expect((await service.call('GET', '/nothing')).body.code).toBe('NOT_FOUND');
  const answer = await service.call('DELETE', '/recommendations');
  expect(answer).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
  expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  expect((await service.call('PATCH', '/items/x')).headers.get('allow')).toBe(
    'GET, PUT, DELETE, HEAD, OPTIONS',
  );
  expect((await service.call('GET', '/offers/decide')).status).toBe(405);
  const options = await service.call('OPTIONS', '/events');
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
  expect((await service.call('HEAD', '/livez')).status).toBe(200);
});

/** What comes back for these bytes, until the connection ends. */
async function sendRaw(bytes: string): Promise<{ head: string; body: string }> {
  const { hostname, port } = new URL(service.url);
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
  });
  const [head = '', body = ''] = text.split('\r\n\r\n');
  return { head, body };
}

const close = 'connection: close\r\n';
test.each([
  ['no HTTP', 'this is no HTTP\r\n\r\n', 400, 'INVALID_REQUEST'],
  [
    'an address that is none',
    `GET http://[bad/recommendations HTTP/1.1\r\nhost: a\r\n${close}\r\n`,
    400,
    'INVALID_REQUEST',
  ],
  ['no host', `GET /livez HTTP/1.1\r\n${close}\r\n`, 400, 'INVALID_REQUEST'],
  [
    'another expectation',
    `GET /livez HTTP/1.1\r\nhost: a\r\nexpect: bogus\r\n${close}\r\n`,
    417,
    'EXPECTATION_FAILED',
  ],
])(
  'what Node or Express would refuse in their own words is a problem: %s',
  async (_what, bytes, status, code) => {
    const { head, body } = await sendRaw(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(head).toMatch(/^x-content-type-options: nosniff/im);
    const problem = Problem.strict().parse(JSON.parse(body));
    expect(problem).toMatchObject({ status, code });
    expect(/^x-request-id: (.+)$/im.exec(head)?.[1]?.trim()).toBe(problem.requestId);
  },
);

test('HTTP/1.0 needs no host, and an absolute address is answered as its path is', async () => {
  expect((await sendRaw('GET /livez HTTP/1.0\r\n\r\n')).head).toMatch(/ 200 /);
  const absolute = `GET http://example.test/livez HTTP/1.1\r\nhost: a\r\n${close}\r\n`;
  expect((await sendRaw(absolute)).head).toMatch(/ 200 /);
});

test('no request of several hundred random bad ones gets a 5xx or shows a stack', async () => {
  const rng = createRng('bad requests', 1);
  const pick = <T>(of: readonly T[]): T => of[rng.nextInt(of.length)] as T;
  const words = [
    '',
    ' ',
    'a',
    '0',
    '-1',
    '1e999',
    'null',
    '%00',
    '%2F',
    '..',
    '%F0%9F%92%A9',
    '__proto__',
    'constructor',
    'toString',
    '*',
    "'",
    'x'.repeat(200),
  ];
  const segments = [
    'recommendations',
    'items',
    'customers',
    'events',
    'models',
    'jobs',
    'offers',
    'decisions',
    'decide',
    'similar',
    'profile',
    'promote',
    'rollback',
    'collaborative',
    'churn',
    'outcomes',
    'docs',
    'metrics',
  ];
  const names = [
    'customerId',
    'sessionId',
    'n',
    'scenario',
    'itemId',
    'category',
    'exclude',
    'explain',
    'channel',
    'placement',
    '__proto__',
    'x',
  ];
  const values: unknown[] = [
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    '',
    'a',
    '\u0000',
    '\ud800',
    [],
    {},
    [null],
    [[]],
    { type: 'purchase' },
    { __proto__: 1 },
    'x'.repeat(2000),
  ];
  const fields = [
    'type',
    'customerId',
    'lines',
    'itemId',
    'occurredAt',
    'attributes',
    'name',
    'version',
    'job',
    'cutoff',
    'events',
    'offerId',
    'benefit',
    'channels',
    'constructor',
  ];
  const kinds = ['purchase', 'visit', 'customerUpdated', 'train-churn', 'percentOff', 'nonsense'];
  const randomValue = (depth: number): unknown => {
    const choice = rng.next();
    if (depth > 3 || choice < 0.4) return rng.next() < 0.3 ? pick(kinds) : pick(values);
    if (choice < 0.6) return Array.from({ length: rng.nextInt(4) }, () => randomValue(depth + 1));
    return Object.fromEntries(
      Array.from({ length: rng.nextInt(5) }, () => [pick(fields), randomValue(depth + 1)]),
    );
  };
  const valid = [
    {
      type: 'purchase',
      customerId: 'a',
      eventId: 'e',
      occurredAt: '2026-01-01T00:00:00Z',
      lines: [{ itemId: 'tea-0', quantity: 1 }],
    },
    { type: 'rating', sessionId: 's', rating: 5, itemId: 'tea-0' },
    { itemId: 'tea-0', name: 'Tea', priceMinor: 1, inStock: true },
    { loyaltyTier: 'gold', consent: { email: true }, segment: 'Norway' },
    { customerId: 'a', channel: 'web', placements: ['hero'], context: { itemIds: ['tea-0'] } },
    {
      name: 'Ten off',
      benefit: { kind: 'percentOff', percent: 10 },
      channels: ['email'],
      validTo: '2030-01-01T00:00:00Z',
    },
  ];
  /** The value with one place in it put wrong. */
  const spoilt = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object' || rng.next() < 0.2) return randomValue(0);
    if (Array.isArray(value)) return value.map((inner, at) => (at === 0 ? spoilt(inner) : inner));
    const spoiltKey = pick(Object.keys(value));
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, key === spoiltKey ? spoilt(inner) : inner]),
    );
  };
  const seen = new Map<number, number>();
  for (let round = 0; round < 600; round++) {
    const route = pick(ROUTES);
    const near = rng.next() < 0.7;
    const method =
      near && rng.next() < 0.9 ? route.method : pick(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
    const path = near
      ? route.path.replace(/\{\w+\}/g, () => pick([...words, 'tea-0', 'a', 'collaborative']))
      : `/${Array.from({ length: 1 + rng.nextInt(3) }, () => (rng.next() < 0.75 ? pick(segments) : pick(words))).join('/')}`;
    const query = Array.from(
      { length: rng.nextInt(near ? 2 : 4) },
      () => `${pick(names)}=${pick(words)}`,
    ).join('&');
    const target = `${path}${query === '' ? '' : `?${query}`}`;
    const hasBody = method !== 'GET' && rng.next() < 0.9;
    const value = near ? spoilt(pick(valid)) : randomValue(0);
    const body = hasBody
      ? rng.next() < 0.1
        ? '{"broken'
        : JSON.stringify(rng.next() < 0.3 ? [value] : value)
      : undefined;
    const type =
      rng.next() < (near ? 0.95 : 0.5)
        ? 'application/json'
        : pick(['application/x-ndjson', 'text/plain', '']);
    const answer = await fetch(service.url + target, {
      method,
      redirect: 'manual',
      ...(body !== undefined && { body, headers: type === '' ? {} : { 'content-type': type } }),
    });
    const text = await answer.text();
    const what = `${method} ${target} ${body}: ${answer.status} ${text.slice(0, 500)}`;
    expect(answer.status, what).toBeLessThan(500);
    if (answer.status >= 400) {
      expect(answer.headers.get('content-type'), what).toMatch(/^application\/problem\+json/);
      expect(text, what).not.toMatch(/\bat .+\.(ts|js):\d+|node_modules|Error:/);
    }
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
  }
  // The fuzz reaches more than the router.
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 400, 404, 405, 415]));
  expect(seen.get(400)).toBeGreaterThan(100);
});
