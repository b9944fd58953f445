/** What a user of the API sees of the rules that count what a customer was offered before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContactLedger } from '../../../src/decide/ledger/contact-ledger.ts';
import type { ContactPolicy } from '../../../src/domain/decision-policy.ts';
import { streamIdParts } from '../../../src/domain/stream-id.ts';
import { eventually } from '../../support/eventually.ts';
import { timesMade, timesRedeemed } from '../../support/offer-counts.ts';
import { offerReasons } from '../../support/offer-reasons.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix, redis, keys } = testRedis();
/** Two messages a week, as close to each other as one likes; and at most one in twelve hours. */
let often: TestService;
let seldom: TestService;

const offers = [
  { offerId: 'five', name: '5 % off', benefit: { kind: 'percentOff', percent: 5 } },
  { offerId: 'ten', name: '10 % off', benefit: { kind: 'percentOff', percent: 10 } },
  {
    offerId: 'gift',
    name: 'A gift',
    benefit: { kind: 'gift', costMinor: 50 },
    placements: ['gifts'],
    caps: [{ times: 1, days: 30 }],
  },
].map((offer) => ({ placements: ['hero'], ...offer, channels: ['web', 'email'] }));

beforeAll(async () => {
  const start = (contact: Partial<ContactPolicy>) =>
    startTestService({ redisUrl, prefix, policy: { contact } });
  often = await start({ caps: [{ channels: ['email'], times: 2, days: 7 }], minGapHours: 0 });
  seldom = await start({ caps: [], minGapHours: 12 });
  await often.call('POST', '/offers', offers);
  for (const service of [often, seldom])
    await eventually(async () =>
      expect(Object.keys(await ask(service, 'nobody', { dryRun: true }))).toHaveLength(offers.length),
    );
});
afterAll(async () => {
  await often.close();
  await seldom.close();
});

/** Decides on the page's hero, unless it says otherwise. Of every offer, why it is not made; `made` for those that are. */
async function ask(service: TestService, customerId: string, more: object = {}) {
  const body = { customerId, channel: 'web', placements: ['hero'], ...more };
  return offerReasons(await service.call('POST', '/offers/decide', body));
}
const write = (service: TestService, customerId: string, campaign: string) =>
  ask(service, customerId, { channel: 'email', campaign });

async function reachable(customerId: string): Promise<string> {
  await often.call('PUT', `/customers/${customerId}`, { consent: { email: true } });
  return customerId;
}

test('less than the gap after one message there is no other, but pages and the places of the same message are', async () => {
  const customerId = await reachable('gap');
  expect(await write(seldom, customerId, 'june')).toMatchObject({ five: 'made' });
  expect(await write(seldom, customerId, 'july')).toMatchObject({ five: 'minimum-gap', ten: 'minimum-gap' });
  expect(await write(seldom, customerId, 'june')).toMatchObject({ five: 'made' });
  expect(await ask(seldom, customerId)).toMatchObject({ five: 'made' });
});

test('messages that are asked for at once do not both go out', async () => {
  const customerId = await reachable('at-once');
  const campaigns = ['june', 'july', 'august', 'spring', 'autumn'];
  const answers = await Promise.all(campaigns.map((campaign) => write(seldom, customerId, campaign)));
  expect(answers.map(({ five }) => five).sort()).toEqual(['made', ...Array(4).fill('minimum-gap')].sort());
});

test('beyond the cap of a channel there is no further message; pages have no cap', async () => {
  const customerId = await reachable('cap');
  expect(await write(often, customerId, 'june')).toMatchObject({ five: 'made' });
  expect(await write(often, customerId, 'july')).toMatchObject({ five: 'made' });
  expect(await write(often, customerId, 'august')).toMatchObject({ five: 'contact-cap', ten: 'contact-cap' });
  expect(await ask(often, customerId)).toMatchObject({ five: 'made' });
});

test('messages that other tools tell to have sent count, once, and not beside the decision that they were made for', async () => {
  const customerId = await reachable('sent-elsewhere');
  const sent = (campaign: string, more: object = {}) =>
    often.call('POST', '/events', {
      type: 'marketingContact',
      customerId,
      channel: 'email',
      outcome: 'sent',
      campaign,
      ...more,
    });
  // One decided here, and told to have been sent; one of another tool's, told twice; one that was opened only.
  expect(await write(often, customerId, 'june')).toMatchObject({ five: 'made' });
  await sent('june');
  await sent('opened-only', { outcome: 'opened' });
  const another = { channel: 'email', campaign: 'another', dryRun: true };
  expect(await ask(often, customerId, another)).toMatchObject({ five: 'made' });
  for (let time = 0; time < 2; time++) await sent('newsletter', { eventId: 'one-newsletter' });
  const { body } = await often.call('POST', '/offers/decide', {
    customerId,
    channel: 'email',
    placements: ['hero'],
    campaign: 'july',
  });
  expect(body.excluded).toContainEqual(
    expect.objectContaining({ offerId: 'ten', reasonCode: 'contact-cap' }),
  );
  const { inputs } = (await often.call('GET', `/decisions/${body.decisionId}`)).body;
  expect(inputs.contacts.caps).toEqual([{ channels: ['email'], times: 2, days: 7, counted: 2 }]);
  expect(inputs.contacts.offers.map(({ offerId }: { offerId: string }) => offerId)).toEqual(['five']);
  // What is told of long after counts from when it was sent.
  const other = await reachable('sent-long-ago');
  const weekAgo = new Date(Date.now() - 8 * 24 * 3_600_000).toISOString();
  for (const campaign of ['a', 'b'])
    await sent(campaign, { customerId: other, occurredAt: weekAgo, eventId: `${other}-${campaign}` });
  expect(await write(often, other, 'june')).toMatchObject({ five: 'made' });
});

test('a message that was taken and not counted, for its process fell, is counted by the repeat, as of the first', async () => {
  const customerId = await reachable('fell-before');
  const event = { type: 'marketingContact', customerId, channel: 'email', outcome: 'sent', eventId: 'fell' };
  const tell = async () => (await seldom.call('POST', '/events', event)).body.results[0].status;
  const read = async () => (await createContactLedger(redis, keys).read(customerId)).history;
  expect(await tell()).toBe('accepted');
  const first = await read();
  await redis.del(keys.contacts(customerId));
  const [id] = (await redis.xrevrange(keys.eventStream, '+', '-', 'COUNT', 1))[0] ?? [''];
  while (Date.now() <= streamIdParts(id)[0]) await new Promise(setImmediate);
  expect(await tell()).toBe('duplicate');
  const again = await read();
  expect(again).toHaveLength(1);
  expect(again[0]).toMatchObject({ decisionId: first[0]?.decisionId, at: streamIdParts(id)[0] });
  expect(await tell()).toBe('duplicate');
  expect(await read()).toEqual(again);
  expect(await write(seldom, customerId, 'july')).toMatchObject({ five: 'minimum-gap' });
});

test('messages that are told of many at a time all count', async () => {
  const customerId = await reachable('written-to-much');
  const messages = Array.from({ length: 120 }, (_, n) => ({
    type: 'marketingContact',
    customerId,
    channel: 'email',
    outcome: 'sent',
    campaign: `news-${n}`,
  }));
  expect((await often.call('POST', '/events', messages)).body.accepted).toBe(messages.length);
  const asked = { customerId, channel: 'email', campaign: 'july', placements: ['hero'] };
  const { body } = await often.call('POST', '/offers/decide', asked);
  const { inputs } = (await often.call('GET', `/decisions/${body.decisionId}`)).body;
  expect(inputs.contacts.caps).toEqual([
    { channels: ['email'], times: 2, days: 7, counted: messages.length },
  ]);
});

test('an offer is made as often as its cap says: a dry run does not count, nor does showing again what the customer has', async () => {
  const gifts = { customerId: 'greedy', channel: 'web', placements: ['gifts'] };
  for (let i = 0; i < 2; i++)
    expect(await ask(often, 'greedy', { ...gifts, dryRun: true })).toMatchObject({ gift: 'made' });
  const first = await often.call('POST', '/offers/decide', gifts);
  const decisionIds = [first.body.decisionId];
  for (let view = 0; view < 4; view++) {
    const { body } = await often.call('POST', '/offers/decide', gifts);
    expect(body.placements[0].offers).toMatchObject([{ offerId: 'gift', heldSince: first.body.decisionId }]);
    decisionIds.push(body.decisionId);
  }
  // Of all customers it was made once, and is as likely to be redeemed as one that was.
  expect((await timesMade(redis, keys)).gift).toBe(1);
  for (const decisionId of decisionIds)
    await often.call('POST', `/decisions/${decisionId}/outcomes`, { offerId: 'gift', outcome: 'redeemed' });
  expect((await timesRedeemed(redis, keys)).gift).toBe(1);
  // Both are settled on the same day, whichever of the decisions it was told of.
  const openFields = async (key: string) =>
    (await redis.hkeys(key)).filter((field) => field.endsWith(':gift'));
  expect(await openFields(keys.offersRedeemedOpen)).toEqual(await openFields(keys.offersMadeOpen));
  expect(await ask(often, 'greedy', gifts)).toMatchObject({ gift: 'offer-cap' });
});

test('who has a discount gets no other, until it is redeemed', async () => {
  const hero = { customerId: 'holder', channel: 'web', placements: ['hero'] };
  const first = await often.call('POST', '/offers/decide', hero);
  expect(first.body.placements[0].offers).toMatchObject([{ offerId: 'five' }]);
  expect(await ask(often, 'holder', { limit: 10 })).toMatchObject({ five: 'made', ten: 'discount-open' });
  const redeemed = await often.call('POST', `/decisions/${first.body.decisionId}/outcomes`, {
    offerId: 'five',
    outcome: 'redeemed',
  });
  expect(redeemed.status).toBe(202);
  const after = await ask(often, 'holder', { limit: 10, dryRun: true });
  // One of them is made again; what keeps the other back is that, and nothing that was before.
  expect(after).toMatchObject({ five: 'made', ten: 'discount-open' });
  await often.call('DELETE', '/offers/five');
  await eventually(async () =>
    expect(await ask(often, 'holder', { dryRun: true })).toEqual({
      gift: 'placement-not-allowed',
      ten: 'made',
    }),
  );
});
