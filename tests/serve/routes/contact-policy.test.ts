/** What a user of the API sees of the contact policy: the reason for each offer that is not made. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs, hourMs } from '../../../src/domain/time.ts';
import { eventually } from '../../support/eventually.ts';
import { offerReasons } from '../../support/offer-reasons.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;

const offers = [
  { offerId: 'ten', name: '10 % off', benefit: { kind: 'percentOff', percent: 10 } },
  { offerId: 'gift', name: 'A gift', benefit: { kind: 'gift', costMinor: 50 } },
  { offerId: 'news', name: 'What is new', benefit: { kind: 'content' } },
].map((offer) => ({ ...offer, channels: ['web', 'email', 'phone'] }));

/** From two hours ago until in two hours, by the clocks of UTC. */
const clock = (hours: number) => new Date(Date.now() + hours * hourMs).toISOString().slice(11, 16);
const contact = { quietHours: [{ channels: ['email' as const], from: clock(-2), to: clock(2) }] };

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, policy: { contact } });
  await service.call('POST', '/offers', offers);
  await eventually(async () => expect(Object.keys(await reasons('nobody'))).toHaveLength(offers.length));
});
afterAll(() => service.close());

/** Of every offer, why it is not made; `made` for those that are. */
async function reasons(customerId: string, channel = 'web'): Promise<Record<string, string>> {
  const body = { customerId, channel, limit: 10, dryRun: true };
  return offerReasons(await service.call('POST', '/offers/decide', body));
}

const tell = (event: object) => service.call('POST', '/events', event);
const attribute = (customerId: string, attributes: object) =>
  service.call('PUT', `/customers/${customerId}`, attributes);
const all = (reason: string) => ({ ten: reason, gift: reason, news: reason });
const whatSells = (reason: string) => ({ ten: reason, gift: reason });

test('no consent: by e-mail without one, on the web after a refusal', async () => {
  expect(await reasons('stranger', 'email')).toEqual(all('no-consent'));
  expect(Object.values(await reasons('stranger'))).not.toContain('no-consent');
  await attribute('refuser', { consent: { web: false } });
  expect(await reasons('refuser')).toEqual(all('no-consent'));
});

test("quiet hours go by the customer's time zone, which the CRM puts", async () => {
  await attribute('sleeper', { consent: { email: true, phone: true } });
  expect(await reasons('sleeper', 'email')).toEqual(all('quiet-hours'));
  expect(Object.values(await reasons('sleeper', 'web'))).not.toContain('quiet-hours');
  const far = await attribute('sleeper', { timeZone: 'Asia/Tokyo' });
  expect(far.status).toBe(200);
  expect(Object.values(await reasons('sleeper', 'email'))).not.toContain('quiet-hours');
  const wrong = await attribute('sleeper', { timeZone: 'Mars/Olympus' });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('IANA time zone')]);
});

test('nothing is sold while a complaint is open', async () => {
  const complaint = (change: string) =>
    tell({ type: 'contact', customerId: 'complainer', complaint: change });
  await complaint('opened');
  expect(await reasons('complainer')).toMatchObject(whatSells('complaint-open'));
  expect((await reasons('complainer')).news).not.toBe('complaint-open');
  await complaint('resolved');
  expect(Object.values(await reasons('complainer'))).not.toContain('complaint-open');
});

test('nothing is sold after a low rating, even where a good one follows, until its days are over', async () => {
  const rate = (customerId: string, rating: number, daysAgo: number) =>
    tell({ type: 'rating', customerId, rating, occurredAt: Date.now() - daysAgo * dayMs });
  await rate('critic', 2, 13);
  await rate('critic', 5, 1);
  expect(await reasons('critic')).toMatchObject(whatSells('low-rating'));
  expect((await reasons('critic')).news).not.toBe('low-rating');
  await rate('content', 2, 15);
  await rate('content', 3, 1);
  expect(Object.values(await reasons('content'))).not.toContain('low-rating');
});

test('what was dismissed is suppressed; after three dismissals everything is', async () => {
  const decided = await service.call('POST', '/offers/decide', { customerId: 'weary', channel: 'web' });
  const offerId = decided.body.placements[0].offers[0]?.offerId;
  expect(offerId).toBeDefined();
  const report = await service.call('POST', `/decisions/${decided.body.decisionId}/outcomes`, {
    offerId,
    outcome: 'dismissed',
  });
  expect(report.status).toBe(202);
  const once = await reasons('weary');
  expect(Object.entries(once).filter(([, reason]) => reason === 'suppressed')).toEqual([
    [offerId, 'suppressed'],
  ]);
  for (const decisionId of ['d1', 'd2'])
    await tell({ type: 'offerOutcome', customerId: 'weary', decisionId, offerId, outcome: 'dismissed' });
  expect(await reasons('weary')).toEqual(all('suppressed'));
});
