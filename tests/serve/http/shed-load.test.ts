// Redis is frozen, so that requests stay in flight for as long as the test wants.
import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLagMeter, createWaitMeter } from '../../../src/serve/admission/load-gate.ts';
import { eventually } from '../../support/eventually.ts';
import { type OwnRedis, ownRedis } from '../../support/own-redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

async function startBeside(prefix: string, env: Record<string, string>) {
  const redis = await ownRedis();
  await redis.start();
  return { redis, service: await startTestService({ redisUrl: redis.url, prefix, env }) };
}

async function gaugeOf(service: TestService, name: string): Promise<number> {
  const { text } = await service.call('GET', '/metrics');
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

/** A body of which no more than the beginning comes. */
function dripTo(url: string): ClientRequest {
  const { hostname, port } = new URL(url);
  const sent = request({
    hostname,
    port,
    method: 'POST',
    path: '/events',
    headers: { 'content-type': 'application/json', 'content-length': '1000' },
    agent: false,
  });
  sent.on('error', () => {});
  sent.write('{');
  return sent;
}

describe('more requests than a process takes on', () => {
  let redis: OwnRedis;
  let service: TestService;
  beforeAll(async () => {
    ({ redis, service } = await startBeside('shed', { MAX_IN_FLIGHT: '3', REDIS_TIMEOUT_MS: '30000' }));
  });
  afterAll(async () => {
    await service?.close();
    await redis?.remove();
  });

  const inFlight = () => gaugeOf(service, 'nextbest_serve_requests_in_flight');

  test('are refused at once in both lanes, told when to come again, and taken as soon as there is room', async () => {
    const news = { name: 'News', benefit: { kind: 'content' }, channels: ['email'], fallback: true };
    expect((await service.call('PUT', '/offers/news', news)).status).toBe(200);
    const visit = { type: 'visit', customerId: 'anna' };
    expect((await service.call('POST', '/events', visit)).status).toBe(202);
    redis.freeze();
    const held = [
      service.call('GET', '/customers/anna/profile'),
      service.call('GET', '/recommendations?customerId=anna'),
      service.call('POST', '/events', { type: 'visit', eventId: 'held', customerId: 'anna' }),
    ];
    // The one that asks is in flight itself.
    await eventually(async () => expect(await inFlight()).toBe(4));
    const refused = [
      await service.call('GET', '/recommendations?customerId=bert'),
      await service.call('GET', '/customers/bert/profile'),
      await service.call('POST', '/events', { type: 'visit', eventId: 'refused', customerId: 'bert' }),
      await service.call('GET', '/nowhere'),
    ];
    for (const { status, headers, body } of refused) {
      expect([status, body.code]).toEqual([503, 'OVERLOADED']);
      expect(headers.get('retry-after')).toBe('1');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    // A message that is being sent must not have a gap.
    const stood = await service.call('GET', '/customers/bert/offers?campaign=spring');
    expect(stood.status).toBe(200);
    expect(stood.headers.get('x-content-type-options')).toBe('nosniff');
    expect(stood.body).toMatchObject({
      customerId: 'bert',
      degraded: true,
      fallback: true,
      decisionId: null,
    });
    expect(stood.body.placements[0].offers[0].offerId).toBe('news');
    expect((await service.call('GET', '/customers/bert/offers?channel=pigeon')).status).toBe(400);
    // Who watches is answered.
    expect((await service.call('GET', '/livez')).status).toBe(200);
    redis.thaw();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 202]);
    expect((await service.call('GET', '/recommendations?customerId=bert')).status).toBe(200);
    const again = { type: 'visit', eventId: 'refused', customerId: 'bert' };
    expect((await service.call('POST', '/events', again)).body).toMatchObject({ accepted: 1, duplicates: 0 });
    const { text } = await service.call('GET', '/metrics');
    // Of what was not worked out, the two of bert's offers were answered all the same.
    expect(text).toContain('nextbest_serve_shed_requests_total{answer="refused",bound="inFlight"} 4');
    expect(text).toContain('nextbest_serve_shed_requests_total{answer="standIn",bound="inFlight"} 2');
    const shed = [...text.matchAll(/request_duration_seconds_count\{(.*route="shed".*)\} (\d+)/g)];
    expect(shed.map(([, labels, count]) => [/status="(\d+)"/.exec(labels ?? '')?.[1], count])).toEqual([
      ['503', '3'],
      ['503', '1'],
    ]);
  });
});

describe('bodies that come slowly', () => {
  let redis: OwnRedis;
  let service: TestService;
  beforeAll(async () => {
    // The CPU may be anybody's.
    ({ redis, service } = await startBeside('slow-bodies', { MAX_LAG_MS: '60000', MAX_WAIT_MS: '100' }));
  });
  afterAll(async () => {
    await service?.close();
    await redis?.remove();
  });

  const reading = () => gaugeOf(service, 'nextbest_serve_requests_reading');

  test('do not shut the service for others', async () => {
    const slow = Array.from({ length: 60 }, () => dripTo(service.url));
    await eventually(async () => expect(await reading()).toBe(60));
    const statuses = new Set<number>();
    // For longer than the gate needs to tell how fast answers come.
    for (let asked = 0; asked < 12; asked++) {
      statuses.add((await service.call('GET', '/recommendations?customerId=anna')).status);
      await sleep(70);
    }
    expect([...statuses]).toEqual([200]);
    for (const sent of slow) sent.destroy();
    await eventually(async () => expect(await reading()).toBe(0));
  });
});

describe('as many bodies at once as a process answers requests', () => {
  let service: TestService;
  let redis: OwnRedis;
  beforeAll(async () => {
    ({ redis, service } = await startBeside('many-bodies', { MAX_IN_FLIGHT: '50' }));
  });
  afterAll(async () => {
    await service?.close();
    await redis?.remove();
  });

  test('keep out other bodies, and nobody else', async () => {
    let refused = 0;
    const slow = Array.from({ length: 60 }, () =>
      dripTo(service.url).on('response', (answer) => {
        answer.resume();
        if (answer.statusCode === 503) refused++;
      }),
    );
    await eventually(() => expect(refused).toBe(10));
    expect(await gaugeOf(service, 'nextbest_serve_requests_reading')).toBe(50);
    expect((await service.call('GET', '/recommendations?customerId=anna')).status).toBe(200);
    expect((await service.call('GET', '/offers')).status).toBe(200);
    const more = await service.call('POST', '/events', { type: 'visit', customerId: 'anna' });
    expect([more.status, more.body.code]).toEqual([503, 'OVERLOADED']);
    const { text } = await service.call('GET', '/metrics');
    expect(text).toContain('nextbest_serve_shed_requests_total{answer="refused",bound="reading"} 11');
    for (const sent of slow) sent.destroy();
    await eventually(async () =>
      expect((await service.call('POST', '/events', { type: 'visit', customerId: 'anna' })).status).toBe(202),
    );
  });
});

test('lag counts when two looks in a row have seen it, and is over with the first that does not', () => {
  const meter = createLagMeter(1000);
  const lags: number[] = [];
  for (const at of [1020, 1540, 1560, 2080, 2400, 2420]) {
    meter.tick(at);
    lags.push(meter.sustainedMs());
  }
  expect(lags).toEqual([0, 0, 0, 0, 300, 0]);
});

test('the wait is that of those in flight at the rate at which they are answered; an idle process tells of none', () => {
  const meter = createWaitMeter();
  expect(meter.expectedMs(1000)).toBe(0);
  meter.tick(0, 0, 40);
  meter.tick(100, 10, 60);
  // Too early to tell.
  expect(meter.expectedMs(60)).toBe(0);
  meter.tick(250, 25, 80);
  // 25 answers in 250 ms.
  expect(meter.expectedMs(80)).toBe(800);
  expect(meter.expectedMs(31)).toBe(0);
  // None is answered any more: what they wait for is not this process.
  meter.tick(500, 25, 80);
  expect(meter.expectedMs(80)).toBe(0);
  meter.tick(750, 50, 80);
  expect(meter.expectedMs(80)).toBe(800);
  meter.tick(770, 100, 5);
  expect(meter.expectedMs(80)).toBe(0);
});
