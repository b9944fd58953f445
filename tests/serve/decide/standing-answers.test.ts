/** A decision that stands is answered again as it was written, until anything says otherwise, whichever process heard of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseStanding } from '../../../src/decide/standing-text.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { isHeldOut } from '../../../src/offers/experiments.ts';
import { eventually } from '../../support/eventually.ts';
import { makeOffer } from '../../support/offers.ts';
import { keysMatching, testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, url: redisUrl, prefix } = testRedis();
const keys = createKeys(prefix);
let service: TestService;
/** Another process, in which Express answers. */
let other: TestService;

const offer = { benefit: { kind: 'percentOff', percent: 1 }, channels: ['email'] };
const fallback = { name: 'News', benefit: { kind: 'content' }, channels: ['email'], fallback: true };

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
  other = await startTestService({ redisUrl, prefix, hotLane: false });
  await service.call('PUT', '/offers/news', fallback);
  await offerFive();
});
afterAll(async () => {
  await service.close();
  await other.close();
});

/** As it was, in both processes: a decision that is made before that would stand. */
async function offerFive(): Promise<void> {
  await service.call('PUT', '/offers/five', { ...offer, name: 'Five off' });
  for (const of of [service, other])
    await eventually(async () => {
      const asked = { ...(await newCustomer()), channel: 'email', dryRun: true };
      expect(offerOf((await of.call('POST', '/offers/decide', asked)).text)).toBe('five');
    });
}

let customers = 0;
async function newCustomer(): Promise<{ customerId: string }> {
  const customerId = `customer-${++customers}`;
  await service.call('PUT', `/customers/${customerId}`, { consent: { email: true } });
  const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 9000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  return { customerId };
}

const ask = async (customerId: string, query = '', of = service) =>
  (await of.call('GET', `/customers/${customerId}/offers?placement=top&campaign=spring${query}`)).text;

const offerOf = (answer: string) => JSON.parse(answer).placements[0].offers[0]?.offerId;

const given = async () =>
  Number(
    /nextbest_serve_standing_decisions_total\{[^}]*"given"[^}]*\} (\d+)/.exec(
      (await service.call('GET', '/metrics')).text,
    )?.[1] ?? 0,
  );

const decisionsCounted = async () =>
  Number(
    /nextbest_serve_decisions_total\{channel="email",answer="offer",degraded="false"\} (\d+)/.exec(
      (await service.call('GET', '/metrics')).text,
    )?.[1] ?? 0,
  );

test('to the byte, by whoever is asked, and each answer counts', async () => {
  const { customerId } = await newCustomer();
  const first = await ask(customerId);
  expect(first).toContain('"five"');
  const before = await decisionsCounted();
  const givenBefore = await given();
  for (let time = 0; time < 3; time++) expect(await ask(customerId)).toBe(first);
  expect(await decisionsCounted()).toBe(before + 3);
  // The second answer is the first that is written out of what stands.
  expect(await given()).toBe(givenBefore + 2);
  expect(await ask(customerId, '', other)).toBe(first);
  // Other words for it, and more of it, are answers of their own.
  expect(await ask(customerId, '&channel=email')).toBe(first);
  const explained = await ask(customerId, '&explain=true');
  expect(explained).toContain('"terms"');
  expect(await ask(customerId, '&explain=true')).toBe(explained);
  expect(await ask(customerId)).toBe(first);
});

test('an event that leaves it as it is does so', async () => {
  const { customerId } = await newCustomer();
  const first = await ask(customerId);
  await ask(customerId);
  await other.call('POST', '/events', { type: 'view', customerId, lines: [{ itemId: 'tea-2' }] });
  for (let time = 0; time < 3; time++) expect(await ask(customerId)).toBe(first);
});

test('consent that another process heard to be withdrawn counts with the next answer', async () => {
  const { customerId } = await newCustomer();
  for (let time = 0; time < 3; time++)
    expect(await ask(customerId)).toContain('"offerId":"five","offerVersion"');
  await other.call('PUT', `/customers/${customerId}`, { consent: { email: false } });
  for (let time = 0; time < 2; time++)
    expect(JSON.parse(await ask(customerId)).placements[0].offers[0]?.offerId).not.toBe('five');
});

/** Each of the two, as it writes the answer out and as it has it ready. */
async function whetherOf(customerId: string, query = ''): Promise<object[]> {
  const told = [];
  for (const of of [service, other, service, other, service, other]) {
    const { contactable, reasonCode, placements } = JSON.parse(await ask(customerId, query, of));
    told.push({ contactable, reasonCode, offerId: placements[0].offers[0]?.offerId });
  }
  return told;
}

test('whether anything may be sent is as the consent is now, in either lane, also beside a decision that stays', async () => {
  await offerFive();
  const { customerId } = await newCustomer();
  const consent = async (email: boolean) =>
    expect((await other.call('PUT', `/customers/${customerId}`, { consent: { email } })).status).toBe(200);
  const refused = Array(6).fill({ contactable: false, reasonCode: 'no-consent', offerId: 'news' });
  expect(await whetherOf(customerId)).toEqual(Array(6).fill({ contactable: true, offerId: 'five' }));
  await consent(false);
  expect(await whetherOf(customerId)).toEqual(refused);
  const { decisionId } = JSON.parse(await ask(customerId));
  await consent(true);
  const before = await given();
  expect(await whetherOf(customerId)).toEqual(Array(6).fill({ contactable: true, offerId: 'news' }));
  expect(await given()).toBe(before + 2);
  expect(JSON.parse(await ask(customerId)).decisionId).toBe(decisionId);
  await consent(false);
  expect(await whetherOf(customerId)).toEqual(refused);
  // What explains it was known when it was decided.
  await consent(true);
  expect(await whetherOf(customerId, '&explain=true')).toEqual(
    Array(6).fill({ contactable: true, offerId: 'news' }),
  );
  expect(await whetherOf(customerId, '&channel=web')).toEqual(Array(6).fill({}));
});

test('one that is gone is decided anew', async () => {
  const { customerId } = await newCustomer();
  const first = await ask(customerId);
  await ask(customerId);
  const [key] = await keysMatching(redis, `${keys.standingDecision(customerId, '').replace(/[{}]/g, '?')}*`);
  await redis.del(String(key));
  expect(JSON.parse(await ask(customerId)).decisionId).not.toBe(JSON.parse(first).decisionId);
});

test('what another version of the service has left there is read by its schema', async () => {
  const { customerId } = await newCustomer();
  const first = await ask(customerId);
  const [key] = await keysMatching(redis, `${keys.standingDecision(customerId, '').replace(/[{}]/g, '?')}*`);
  const standing = parseStanding(await redis.getBuffer(String(key)));
  if (standing === undefined) throw new Error('nothing stands');
  const { decision } = standing;
  // The head of another build, and JSON that was not packed.
  const leave = async (json: string) => {
    await redis.set(String(key), `anothers1${decision.decisionId}\n${json}`, 'KEEPTTL');
  };
  await leave(JSON.stringify(decision));
  expect(await ask(customerId)).toBe(first);
  await leave(JSON.stringify({ ...decision, placements: 7 }));
  expect(JSON.parse(await ask(customerId)).decisionId).not.toBe(decision.decisionId);
});

const eventuallyNotFive = (customerId: string, of: TestService) =>
  eventually(async () => expect(offerOf(await ask(customerId, '', of))).toBe('news'));
const reasonOf = async (customerId: string) => JSON.parse(await ask(customerId)).replaces?.reasonCode;

test.each([
  [{ validTo: '2026-01-01T00:00:00Z' }, 'no-longer-valid'],
  [{ validFrom: '2999-01-01T00:00:00Z' }, 'not-yet-valid'],
  [{ channels: ['web'] }, 'channel-not-allowed'],
  [{ placements: ['elsewhere'] }, 'placement-not-allowed'],
  [{ eligibility: { attribute: 'tier', in: ['gold'], reasonCode: 'gold-only' } }, 'rule:gold-only'],
  [{ holdoutShare: 0.9 }, 'offer-holdout'],
])('an offer that is saved with %j is made no more, in either lane', async (change, reasonCode) => {
  await offerFive();
  const ids = await Promise.all(Array.from({ length: 6 }, newCustomer));
  // The second time, each has it ready.
  for (const of of [service, other, service, other])
    for (const { customerId } of ids) expect(offerOf(await ask(customerId, '', of))).toBe('five');
  await service.call('PUT', '/offers/five', { ...offer, name: 'Five off', ...change });
  const outside = [];
  for (const { customerId } of ids) {
    if (
      reasonCode === 'offer-holdout' &&
      !isHeldOut(makeOffer({ offerId: 'five', holdoutShare: 0.9 }), customerId)
    )
      continue;
    outside.push(customerId);
    await eventuallyNotFive(customerId, outside.length % 2 === 0 ? service : other);
    expect(await reasonOf(customerId)).toBe(reasonCode);
  }
  expect(outside.length).toBeGreaterThan(0);
});

test('another text ends nothing: what was sent is sent again', async () => {
  await offerFive();
  const { customerId } = await newCustomer();
  const first = await ask(customerId);
  expect(offerOf(first)).toBe('five');
  await service.call('PUT', '/offers/five', { ...offer, name: 'Five per cent off' });
  await eventually(async () => {
    const asked = { ...(await newCustomer()), channel: 'email', dryRun: true };
    expect((await service.call('POST', '/offers/decide', asked)).text).toContain('Five per cent off');
  });
  for (let time = 0; time < 2; time++) expect(await ask(customerId)).toBe(first);
});

test('an offer whose end is set earlier ends then, also for what a process has ready', async () => {
  await offerFive();
  const { customerId } = await newCustomer();
  expect(offerOf(await ask(customerId))).toBe('five');
  const validTo = new Date(Date.now() + 1500).toISOString();
  await service.call('PUT', '/offers/five', { ...offer, name: 'Five off', validTo });
  for (const of of [service, other]) {
    await ask(customerId, '', of);
    await eventuallyNotFive(customerId, of);
  }
  expect(await reasonOf(customerId)).toBe('no-longer-valid');
});

test('an offer that is deleted is made no more', async () => {
  await offerFive();
  const { customerId } = await newCustomer();
  for (let time = 0; time < 3; time++) expect(offerOf(await ask(customerId))).toBe('five');
  await other.call('DELETE', '/offers/five');
  await eventually(async () =>
    expect(JSON.parse(await ask(customerId)).placements[0].offers[0]?.offerId).not.toBe('five'),
  );
});
