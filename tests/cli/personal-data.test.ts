/** What is personal stays in the records and the lake: planted everywhere, it is found in no log, label, job or refusal. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/infra/free-port.ts';
import { eventually } from '../support/eventually.ts';
import { sandbox } from '../support/nextbest.ts';
import { keysMatching, testRedis } from '../support/redis.ts';
import { type Answer, callService, untilReady } from '../support/service.ts';
import { testSecret } from '../support/webhook-receiver.ts';

const { redis, keys, prefix, url: redisUrl } = testRedis();
const place = await sandbox();
const env = {
  REDIS_URL: redisUrl,
  KEY_PREFIX: prefix,
  LOG_LEVEL: 'trace',
  // Nobody listens there: what is to be told of stays in its queue.
  WEBHOOK_URL: `http://127.0.0.1:${await freePort()}`,
  WEBHOOK_SECRETS: testSecret,
};

/** Each of them in ways that logs, labels and addresses might write it. */
const planted = ['planted.person@mail.example', 'Wilhelmina Plantagenet', '+49 170 5550199'];
// Not among the decimals of a duration, where chance may bring the digits.
const traces = [/planted/i, /mail\.example/i, /wilhelmina/i, /plantagenet/i, /(?<!\.\d*)5550199/];
const [email = '', name = '', phone = ''] = planted;

let url = '';
let serve: ReturnType<typeof place.start>;
let worker: ReturnType<typeof place.start>;
const refusals: Answer[] = [];

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await callService(url, method, path, body);
  if (answer.status >= 400) refusals.push(answer);
  return answer;
}

beforeAll(async () => {
  serve = place.start(['serve'], env);
  url = String((await serve.line('url')).url);
  await untilReady(url);
  worker = place.start(['worker'], env);
  await worker.line('worker');

  const lines = [{ itemId: `item of ${name}`, quantity: 1, unitPriceMinor: 500, category: `for ${name}` }];
  await call('PUT', `/items/${encodeURIComponent(`item of ${name}`)}`, {
    name: `Gift for ${name}`,
    priceMinor: 500,
  });
  await call('PUT', '/offers/news', {
    name: `For ${name}`,
    benefit: { kind: 'content' },
    channels: ['email', 'web'],
    fallback: true,
  });
  for (const [n, customerId] of planted.entries()) {
    const path = `/customers/${encodeURIComponent(customerId)}`;
    const events = [
      { type: 'purchase', eventId: `order of ${email} ${n}`, customerId, orderId: phone, lines },
      { type: 'contact', customerId, topic: `${name} called from ${phone}`, complaint: 'opened' },
      { type: 'rating', customerId, rating: 1 },
      { type: 'marketingContact', customerId, channel: 'email', outcome: 'sent', campaign: `to ${email}` },
      // Older than what is known: its customer is rebuilt by the worker.
      {
        type: 'purchase',
        customerId,
        occurredAt: Date.now() - 86_400_000,
        eventId: `late ${email} ${n}`,
        lines,
      },
      { type: 'view', sessionId: `session of ${email}`, lines },
      // Accepted, but late in another sense: rejected by itself, with a reason.
      { type: 'visit', customerId, currency: 'USD' },
    ];
    expect((await call('POST', '/events', events)).status).toBe(202);
    await call('PUT', path, { segment: `street of ${name}`, loyaltyTier: 'gold', consent: { email: true } });
    await call('GET', `/recommendations?customerId=${encodeURIComponent(customerId)}&n=3`);
    await call('GET', `${path}/profile`);
    await call('GET', `${path}/offers?channel=email&placement=top&campaign=${encodeURIComponent(email)}`);
    const decided = await call('POST', '/offers/decide', { customerId, channel: 'web', placements: ['top'] });
    const outcome = { offerId: 'news', outcome: 'clicked', eventId: `click of ${email} ${n}` };
    expect((await call('POST', `/decisions/${decided.body.decisionId}/outcomes`, outcome)).status).toBe(202);
  }
  // Refusals: every part of a request holds what must not be repeated.
  const id = encodeURIComponent(email);
  await call('GET', `/customers/${id}-unknown`);
  await call('GET', `/customers/${id}-unknown/profile`);
  await call('GET', `/nowhere/${id}`);
  await call('GET', `/items/${id}`);
  await call('GET', `/offers/${id}`);
  await call('GET', `/decisions/${id}`);
  await call('GET', `/jobs/${id}`);
  await call('GET', `/models/${id}`);
  await call('GET', `/offers/batch/${id}`);
  await call('GET', `/experiments/${id}`);
  // An erasure of somebody else: what was told of this one is to be looked for below.
  await call('DELETE', `/customers/${id}-unknown`);
  await call('GET', `/recommendations?scenario=${id}&n=${id}&explain=${id}`);
  await call('GET', `/customers?sort=${id}&cursor=${id}&segment=${id}`);
  await call('GET', `/insights/retention?by=${id}&from=${id}`);
  await call('POST', '/events', {
    type: email,
    customerId: { name },
    rating: phone,
    channel: name,
    occurredAt: email,
  });
  await call('POST', '/events', `{"customerId":"${email}","name":${name}}`);
  await call('POST', '/events', {
    type: 'purchase',
    customerId: `{${email}}`,
    lines: [{ itemId: email, quantity: name }],
  });
  await call('PUT', '/customers/anna', { customerId: email, loyaltyTier: name, timeZone: phone });
  await call('PUT', `/customers/${id}`, { customerId: name });
  await call('POST', '/offers/decide', { customerId: email, channel: name, placements: [phone] });
  await call('POST', '/offers/batch', { customers: { ids: [email, name] }, channel: 'email' });
  await call('POST', '/jobs', { job: email });
  const list = await call('POST', '/offers/batch', {
    customerIds: planted,
    channel: 'web',
    placement: `for ${name}`,
    campaign: `to ${email}`,
    includeNothing: true,
  });
  await eventually(async () => {
    const { body } = await call('GET', `/offers/batch/${list.body.jobId}`);
    expect(body).toMatchObject({ state: 'completed', counts: { decided: planted.length } });
  });
  await call('POST', '/webhooks/replay', { ids: [email] });
  // A record that cannot be read, which the service and the worker remark on.
  for (const key of await keysMatching(redis, `${prefix}:{c:${email}}:record:*`))
    await redis.set(key, 'no record');
  await call('GET', `/recommendations?customerId=${id}`);
  await call('POST', '/events', { type: 'visit', customerId: email });
  for (const job of ['refresh-features', 'score-customers']) {
    const { body } = await call('POST', '/jobs', { job });
    await eventually(async () =>
      expect((await call('GET', `/jobs/${body.jobId}`)).body.state).toMatch(/completed|failed/),
    );
  }
});
afterAll(async () => {
  await Promise.all([serve.stop(), worker.stop()]);
});

const tracesIn = (text: string) =>
  text.split('\n').filter((line) => traces.some((trace) => trace.test(line)));

test('it is kept: what follows looks for what is there', async () => {
  expect(refusals.length).toBeGreaterThan(15);
  expect((await call('GET', `/customers/${encodeURIComponent(email)}`)).body.attributes.segment).toContain(
    name,
  );
});

test('no log line of the service or the worker, at any level, has any of it', () => {
  const logs = serve.stderr() + worker.stderr();
  for (const event of [
    '"event":"request"',
    '"event":"job.completed"',
    '"event":"record.unreadable"',
    '"level":20',
  ])
    expect(logs).toContain(event);
  expect(tracesIn(logs)).toEqual([]);
});

test('no metric has any of it', async () => {
  const { metricsUrl } = await worker.line('metricsUrl');
  for (const address of [`${url}/metrics`, String(metricsUrl)]) {
    const text = await (await fetch(address)).text();
    expect(text).toContain('nextbest_');
    expect(tracesIn(text)).toEqual([]);
  }
});

test('no job in Redis has any of it', async () => {
  // A low rating and a complaint of each.
  const webhooks = `${keys.queuePrefix}:webhooks:`;
  const noticeKeys = async () =>
    (await keysMatching(redis, `${webhooks}*`)).filter((key) =>
      /:(lowRating|complaint)_[0-9a-f]{32}$/.test(key),
    );
  await eventually(async () => expect(await noticeKeys()).toHaveLength(2 * planted.length));
  let jobs = 0;
  let lists = 0;
  for (const key of await keysMatching(redis, `${keys.queuePrefix}*`)) {
    expect(tracesIn(key)).toEqual([]);
    if ((await redis.type(key)) !== 'hash') continue;
    jobs++;
    if (/:batch-[0-9a-f]{16}$/.test(key)) lists++;
    const job = await redis.hgetall(key);
    // The id of the customer whom a webhook is about is what it is there to tell, and alone in it may name somebody.
    if (key.startsWith(webhooks) && job.data !== undefined) {
      const notice = JSON.parse(job.data);
      expect(planted).toContain(notice.data.customerId);
      job.data = JSON.stringify({ ...notice, data: { ...notice.data, customerId: '' } });
    }
    expect(tracesIn(JSON.stringify(job))).toEqual([]);
  }
  expect(jobs).toBeGreaterThan(1);
  expect(lists).toBe(1);
});

test('no refusal repeats it', () => {
  expect(refusals.flatMap(({ text }) => tracesIn(text))).toEqual([]);
});
