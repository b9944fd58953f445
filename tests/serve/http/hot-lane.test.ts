/** One contract over both lanes: whatever is asked, the hot lane answers what Express would. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let hot: TestService;
let express: TestService;

beforeAll(async () => {
  // Two that everybody is in, so that answers and counters tell of both.
  const from = '2026-06-01T00:00:00Z';
  const policy = {
    experiments: [
      { name: 'alike', from, variants: [{ name: 'a' }, { name: 'b' }] },
      {
        name: 'page',
        from,
        variants: [{ name: 'home' }, { name: 'popular', scenarios: { home: 'popular' } }],
      },
    ],
  };
  hot = await startTestService({ redisUrl, prefix, policy });
  express = await startTestService({ redisUrl, prefix, policy, hotLane: false });
  await hot.call('PUT', '/customers/anna', { consent: { email: true }, loyaltyTier: 'gold' });
  const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 500 }];
  await hot.call('POST', '/events', { type: 'purchase', customerId: 'anna', lines });
  await hot.call('PUT', '/offers/news', {
    name: 'News',
    benefit: { kind: 'content' },
    channels: ['email'],
    fallback: true,
  });
});
afterAll(async () => {
  await hot.close();
  await express.close();
});

type Sent = { method?: string; path: string; headers?: Record<string, string>; body?: string };
type Got = { status: number; headers: Record<string, unknown>; text: string };

/** By hand: `fetch` would tidy up the paths that this is about. */
function send(service: TestService, { method = 'GET', path, headers = {}, body }: Sent): Promise<Got> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          headers: { ...res.headers },
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What differs from one answer to the next by its nature. */
function comparable({ status, headers, text }: Got) {
  const { date: _date, 'x-request-id': requestId, 'content-length': _length, ...others } = headers;
  const body = text === '' ? '' : text.replaceAll(String(requestId), 'REQUEST');
  return {
    status,
    headers: others,
    body: body
      .replace(/"recommendationId":"[^"]+"/, '"recommendationId":"ID"')
      .replace(/"tookMs":[\d.]+/, '"tookMs":0')
      // Each of the two services has published models of its own.
      .replace(/"\d{8}T\d{6}Z-[0-9a-f]{8}"/g, '"VERSION"'),
  };
}

const requests: [string, Sent][] = [
  ['a customer', { path: '/recommendations?customerId=anna&n=5' }],
  [
    'with explanations, filters and a page',
    {
      path: '/recommendations?customerId=anna&itemId=tea-2&category=tea&exclude=tea-3,tea-4&explain=true&scenario=product',
    },
  ],
  ['a guest', { path: '/recommendations?sessionId=visit-1' }],
  ['nobody', { path: '/recommendations' }],
  ['an id in percent encoding', { path: '/recommendations?customerId=%61nna&n=3' }],
  ['a parameter that is not known', { path: '/recommendations?customer=anna' }],
  ['several faults at once', { path: '/recommendations?n=0&explain=maybe&scenario=nowhere' }],
  ['a parameter given twice', { path: '/recommendations?n=1&n=2' }],
  ['a prototype for a parameter', { path: '/recommendations?__proto__=x' }],
  ['a slash at the end', { path: '/recommendations/?n=2' }],
  ['another case', { path: '/Recommendations' }],
  ['a longer path', { path: '/recommendations/more' }],
  ['the head alone', { method: 'HEAD', path: '/recommendations?n=2' }],
  ['what it takes', { method: 'OPTIONS', path: '/recommendations' }],
  ['another method', { method: 'DELETE', path: '/recommendations' }],
  ['a method that nobody knows', { method: 'PURGE', path: '/recommendations' }],
  [
    'a body that nobody asked for',
    {
      path: '/recommendations?n=2',
      headers: { 'content-type': 'application/json', 'content-length': '7' },
      body: '{"n":1}',
    },
  ],
  ['a request id of its own', { path: '/recommendations?n=2', headers: { 'x-request-id': 'trace-1' } }],
  ['a request id that is none', { path: '/recommendations?n=2', headers: { 'x-request-id': 'a b' } }],
  ['the whole address', { path: 'http://example.test/recommendations?n=2' }],
  ['an offer', { path: '/customers/anna/offers?channel=email&placement=top&campaign=spring' }],
  [
    'an offer in another placement, explained',
    { path: '/customers/anna/offers?placement=side&explain=true' },
  ],
  [
    'an offer for an id in percent encoding',
    { path: '/customers/an%6ea/offers?placement=top&campaign=spring' },
  ],
  ['an offer for nobody', { path: '/customers//offers' }],
  ['an offer for what is no id', { path: `/customers/${'x'.repeat(200)}/offers` }],
  ['an offer for a slash in percent encoding', { path: '/customers/a%2Fb/offers' }],
  ['an offer for what cannot be decoded', { path: '/customers/%E0%A4%A/offers' }],
  ['an offer with a fault', { path: '/customers/anna/offers?channel=smoke&limit=99' }],
  [
    'an offer with what e-mail tools append',
    { path: '/customers/anna/offers?placement=top&campaign=spring&utm_source=news&mc_eid=&_=17' },
  ],
  ['an offer of a campaign misspelt', { path: '/customers/anna/offers?placement=top&campain=spring' }],
  ['an offer, another method', { method: 'POST', path: '/customers/anna/offers' }],
];

describe('both lanes answer the same', () => {
  test.each(requests)('to %s', async (_name, sent) => {
    // What stands is decided by whoever is asked first.
    const first = comparable(await send(hot, sent));
    expect(comparable(await send(express, sent))).toEqual(first);
  });
});

test('both lanes count the same', async () => {
  const counts = async (service: TestService) => {
    const { text } = await service.call('GET', '/metrics');
    return text
      .split('\n')
      .filter((line) => line.startsWith('nextbest_serve_request_duration_seconds_count'));
  };
  const asked = (lines: string[]) =>
    lines.filter(
      (line) => line.includes('"/recommendations"') || line.includes('/customers/{customerId}/offers'),
    );
  expect(asked(await counts(hot)).sort()).toEqual(asked(await counts(express)).sort());
});

test('every counter of what was answered is the same', async () => {
  // Whoever is asked second finds in Redis what the first has made: from where is not compared, how many are. Events are what
  // this test has posted to one of them.
  const ofTheAnswer = /^(nextbest_serve_(?!events_)\w+_total)(?:\{(.*)\})? (\d+)$/;
  const sums = async (service: TestService) => {
    const { text } = await service.call('GET', '/metrics');
    const counts = new Map<string, number>();
    for (const line of text.split('\n')) {
      const [, name, labels = '', count] = ofTheAnswer.exec(line) ?? [];
      if (name === undefined) continue;
      const kept = labels.split(',').filter((label) => !label.startsWith('from='));
      const series = `${name}{${kept.sort().join()}}`;
      counts.set(series, (counts.get(series) ?? 0) + Number(count));
    }
    return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const counted = await sums(hot);
  expect(counted).toEqual(await sums(express));
  expect(Object.keys(counted).join('\n')).toContain('nextbest_serve_recommendations_total');
  expect(Object.keys(counted).join('\n')).toContain('nextbest_serve_decisions_total');
  expect(Object.keys(counted).join('\n')).toContain(
    'nextbest_serve_experiment_answers_total{experiment="page"',
  );
});

test('answers carry the same protection, and keep the connection', async () => {
  const { headers } = await send(hot, { path: '/recommendations' });
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  });
  expect(headers['x-powered-by']).toBeUndefined();
});
