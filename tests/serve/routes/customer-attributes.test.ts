/** Attributes that are sent again under the same id: once in the history, and what is answered with 200 is in force. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, bare: true });
});
afterAll(() => service.close());

const put = (customerId: string, query: string, body: object) =>
  service.call('PUT', `/customers/${customerId}${query}`, body);
const withdrawn = { consent: { email: false } };

test('a change that is sent again under its id is in the stream once; without an id it is a further event', async () => {
  const before = await redis.xlen(keys.eventStream);
  const first = await put('anna', '?eventId=crm-1', withdrawn);
  expect(first).toMatchObject({ status: 200, body: { customerId: 'anna', attributes: withdrawn } });
  expect(await put('anna', '?eventId=crm-1', withdrawn)).toMatchObject({ status: 200, body: first.body });
  expect(await redis.xlen(keys.eventStream)).toBe(before + 1);
  expect((await service.call('GET', '/customers/anna/profile')).body.eventCount).toBe(1);
  // It is the customer's: another's is another event.
  expect((await put('bert', '?eventId=crm-1', withdrawn)).status).toBe(200);
  expect(await redis.xlen(keys.eventStream)).toBe(before + 2);
  await put('anna', '', withdrawn);
  await put('anna', '', withdrawn);
  expect(await redis.xlen(keys.eventStream)).toBe(before + 4);
});

test('a change under the id of another event is refused, not passed over: nobody believes a consent withdrawn that stands', async () => {
  await put('cleo', '?eventId=crm-1', { consent: { email: true, phone: true } });
  const refused = await put('cleo', '?eventId=crm-1', withdrawn);
  expect(refused).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
  expect(refused.body.detail).toContain('eventId of its own');
  const attributes = async () => (await service.call('GET', '/customers/cleo')).body.attributes;
  expect((await attributes()).consent).toEqual({ email: true, phone: true });
  expect((await put('cleo', '?eventId=crm-2', withdrawn)).status).toBe(200);
  // The first again, as of a queue that was late: it would not count any more, and says so.
  expect((await put('cleo', '?eventId=crm-1', { consent: { email: true } })).status).toBe(409);
  expect((await attributes()).consent).toEqual({ email: false, phone: true });
});

test('an id that is none is a fault of the request', async () => {
  const { status, body } = await put('anna', '?eventId=', withdrawn);
  expect([status, body.faults[0].path]).toEqual([400, 'query.eventId']);
  expect((await put('anna', '?event=1', withdrawn)).status).toBe(400);
});
