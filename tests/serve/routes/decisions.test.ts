import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readEntries } from '../../../src/history/event-stream.ts';
import { cuttableRedis } from '../../support/cuttable-redis.ts';
import { eventually } from '../../support/eventually.ts';
import { timesMade, timesRedeemed } from '../../support/offer-counts.ts';
import { testOneServer, testRedis } from '../../support/redis.ts';
import { type Answer, startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let service: TestService;
/** Another process with the same Redis. */
let other: TestService;

const percentOff = (offerId: string, percent: number, more: object = {}) => ({
  offerId,
  name: offerId,
  benefit: { kind: 'percentOff', percent },
  channels: ['web', 'email'],
  ...more,
});
const offers = [
  percentOff('five', 5),
  percentOff('ten', 10),
  percentOff('gold', 1, { eligibility: { attribute: 'tier', in: ['gold'] }, priorityLever: 100 }),
  percentOff('half', 50, { priorityLever: 100 }),
  percentOff('tea-week', 5, { categories: ['tea'], placements: ['cart'] }),
  {
    offerId: 'banner',
    name: 'What is new',
    benefit: { kind: 'content' },
    channels: ['web', 'email'],
    fallback: true,
    content: { headline: 'See what is new' },
  },
];

const several = { contact: { oneDiscountAtATime: false } };

beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, policy: several });
  other = await startTestService({ redisUrl, prefix, policy: several });
  await service.call('POST', '/offers', offers);
  for (const one of [service, other]) await untilOffersAreKnown(one, offers.length);
});
afterAll(async () => {
  await service.close();
  await other.close();
});

/** Every offer is in the process's copy once a dry run accounts for all that compete. */
async function untilOffersAreKnown(one: TestService, count: number): Promise<void> {
  await eventually(async () => {
    const { body } = await decide(one, { customerId: 'nobody', channel: 'web', dryRun: true });
    expect(body.excluded.length + made(body).length).toBe(count - 1);
  });
}

const decide = (one: TestService, body: object) => one.call('POST', '/offers/decide', body);
const made = (body: { placements: { offers: { offerId: string }[] }[] }): string[] =>
  body.placements.flatMap((place) => place.offers.map(({ offerId }) => offerId));
/** Where the shop goes to the customer: whether it may. */
const whether = ({ contactable, reasonCode }: { contactable?: boolean; reasonCode?: string }) => ({
  ...(contactable !== undefined && { contactable }),
  ...(reasonCode !== undefined && { reasonCode }),
});
const reasons = (body: { excluded: { offerId: string; reasonCode: string }[] }) =>
  Object.fromEntries(body.excluded.map(({ offerId, reasonCode }) => [offerId, reasonCode]));
const counts = async () => ({
  stream: await redis.xlen(keys.eventStream),
  made: await timesMade(redis, keys),
});

async function shopper(customerId: string, consent: object = { email: true }): Promise<string> {
  await service.call('PUT', `/customers/${customerId}`, { consent });
  const lines = [{ itemId: 'tea-1', quantity: 10, unitPriceMinor: 1000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  return customerId;
}

describe('POST /offers/decide', () => {
  test('answers the best offer for each place, why each other is not made, and the models that took part', async () => {
    const customerId = await shopper('decider');
    const answer = await decide(service, { customerId, channel: 'web', placements: ['cart', 'hero'] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    const { body } = answer;
    // All that this customer buys is tea.
    expect(body.placements).toMatchObject([
      { placement: 'cart', fallback: false, offers: [{ offerId: 'tea-week', reasons: ['fits-taste'] }] },
      { placement: 'hero', fallback: false, offers: [{ offerId: 'five' }] },
    ]);
    expect(reasons(body)).toEqual({
      ten: 'outranked',
      gold: 'attribute:tier',
      half: 'value-not-positive',
    });
    expect(Object.keys(body.modelVersions).sort()).toEqual(['churn', 'collaborative']);
    expect(body.degraded).toBe(false);
    expect(body.placements[0].offers[0].terms).toBeUndefined();
  });

  test('explains every term, from which the value can be worked out again', async () => {
    const customerId = await shopper('explained');
    const { body } = await decide(service, { customerId, channel: 'web', limit: 10, explain: true });
    expect(made(body)).toEqual(['five', 'ten']);
    for (const { expectedValue, terms } of body.placements[0].offers) {
      const gain =
        terms.uplift * terms.marginMinor + terms.churnReduction * terms.remainingLifetimeValueMinor;
      const accepted = terms.acceptPropensity * terms.costWhenAcceptedMinor;
      expect(expectedValue).toBeCloseTo(
        (gain - accepted - terms.costWhenMadeMinor - terms.contactCostMinor) * terms.priorityLever,
      );
      expect(terms).toMatchObject({ orderMinor: 10_000, marginRate: 0.3, marginMinor: 0.3 * 10_000 });
      expect(terms.churnRisk).toBeGreaterThan(0);
    }
    const half = body.excluded.find(({ offerId }: { offerId: string }) => offerId === 'half');
    expect(half.expectedValue).toBeLessThan(0);
  });

  test.each([{ customerId: 'nobody-knows' }, { sessionId: 'a-guest' }])('%j gets an answer', async (who) => {
    const { status, body } = await decide(service, { ...who, channel: 'web' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...who, degraded: false });
    expect(made(body)).toEqual(['five']);
  });

  test('without consent an e-mail carries the fallback, a page the offer', async () => {
    const customerId = await shopper('silent', {});
    const email = await decide(service, { customerId, channel: 'email' });
    expect(email.body.placements[0]).toMatchObject({ fallback: true, offers: [{ offerId: 'banner' }] });
    expect(new Set(Object.values(reasons(email.body)))).toEqual(
      new Set(['no-consent', 'placement-not-allowed']),
    );
    expect(made((await decide(service, { customerId, channel: 'web' })).body)).toEqual(['five']);
  });

  test('says by e-mail and phone whether anything may be sent, and nothing of it elsewhere', async () => {
    const customerId = await shopper('asked-first', {});
    const told = async (one: object) => whether((await decide(service, { customerId, ...one })).body);
    const silent = { contactable: false, reasonCode: 'no-consent' };
    expect(await told({ channel: 'email' })).toEqual(silent);
    expect(await told({ channel: 'phone', dryRun: true, explain: true })).toEqual(silent);
    expect(await told({ channel: 'web' })).toEqual({});
    expect(whether((await decide(service, { sessionId: 'a-visitor', channel: 'email' })).body)).toEqual(
      silent,
    );
    await service.call('PUT', `/customers/${customerId}`, { consent: { email: true } });
    expect(await told({ channel: 'email' })).toEqual({ contactable: true });
    expect(await told({ channel: 'phone' })).toEqual(silent);
    await service.call('PUT', `/customers/${customerId}`, { consent: { email: false } });
    expect(await told({ channel: 'email' })).toEqual(silent);
  });

  test('says when another message is too much by now, though the fallback stands', async () => {
    const customerId = await shopper('written-to');
    const { body } = await decide(service, { customerId, channel: 'email', campaign: 'june' });
    expect(made(body)).toEqual(['five']);
    expect(whether(body)).toEqual({ contactable: true });
    const second = await decide(service, { customerId, channel: 'email', campaign: 'july' });
    expect(made(second.body)).toEqual(['banner']);
    expect(whether(second.body)).toEqual({ contactable: false, reasonCode: 'minimum-gap' });
  });

  test('where there is no offer and no fallback for the channel, nothing is said', async () => {
    const { body } = await decide(service, { customerId: 'caller', channel: 'phone' });
    expect(body.placements).toEqual([
      { placement: 'default', offers: [], fallback: false, loggingPropensity: 1 },
    ]);
    expect(body.decisionId).not.toBeNull();
  });

  test('a fallback that sells gives way to a complaint, also where it stood; when that is resolved it is shown again', async () => {
    const sale = { benefit: { kind: 'content' }, fallback: true, sells: true, priorityLever: 2 };
    const placements = ['sale-strip'];
    await service.call('PUT', '/offers/sale', { name: 'Sale', ...sale, channels: ['email'], placements });
    const customerId = await shopper('promoted', {});
    const asked = { customerId, channel: 'email', placements, dryRun: true };
    await eventually(async () => expect(made((await decide(service, asked)).body)).toEqual(['sale']));
    const path = `/customers/${customerId}/offers?channel=email&placement=sale-strip&campaign=june`;
    expect(made((await service.call('GET', path)).body)).toEqual(['sale']);
    await service.call('POST', '/events', { type: 'contact', customerId, complaint: 'opened' });
    expect(made((await decide(service, asked)).body)).toEqual(['banner']);
    const { body } = await service.call('GET', path);
    expect(made(body)).toEqual(['banner']);
    expect(body.replaces).toMatchObject({ offerIds: ['sale'], reasonCode: 'complaint-open' });
    await service.call('POST', '/events', { type: 'contact', customerId, complaint: 'resolved' });
    expect(made((await decide(service, asked)).body)).toEqual(['sale']);
    const refused = await service.call('PUT', '/offers/sale-5', { ...percentOff('sale-5', 5), sells: true });
    expect(refused.status).toBe(400);
    expect(refused.body.faults).toMatchObject([{ path: 'body.sells' }]);
  });

  test('content that sells competes, and gives way to a complaint, also where it stood', async () => {
    const drops = { benefit: { kind: 'content' }, sells: true, channels: ['web'], placements: ['drops'] };
    await service.call('PUT', '/offers/drops', { name: 'Summer sale', ...drops });
    const customerId = await shopper('aggrieved');
    const asked = { customerId, channel: 'web', placements: ['drops'], limit: 10, dryRun: true };
    await eventually(async () => expect(made((await decide(service, asked)).body)).toContain('drops'));
    const path = `/customers/${customerId}/offers?channel=web&placement=drops&campaign=drops&limit=10`;
    expect(made((await service.call('GET', path)).body)).toContain('drops');
    await service.call('POST', '/events', { type: 'contact', customerId, complaint: 'opened' });
    expect(reasons((await decide(service, asked)).body).drops).toBe('complaint-open');
    const { body } = await service.call('GET', path);
    expect(made(body)).not.toContain('drops');
    expect(body.replaces.reasonCode).toBe('complaint-open');
    expect(body.replaces.offerIds).toContain('drops');
    expect((await service.call('DELETE', '/offers/drops')).status).toBe(204);
  });

  test('an open complaint silences selling offers from the next request on', async () => {
    const customerId = await shopper('angry');
    await service.call('POST', '/events', { type: 'contact', customerId, complaint: 'opened' });
    const { body } = await decide(service, { customerId, channel: 'web' });
    expect(made(body)).toEqual(['banner']);
    expect(reasons(body).five).toBe('complaint-open');
  });

  test('a dry run answers the same and leaves no trace', async () => {
    const customerId = await shopper('dry');
    const before = await counts();
    const dry = await decide(service, { customerId, channel: 'web', dryRun: true });
    expect(dry.body.decisionId).toBeNull();
    expect(await counts()).toEqual(before);
    const real = await decide(service, { customerId, channel: 'web' });
    // But for the moment from which the days to redeem it are counted.
    const until = expect.stringMatching(/^\d{4}-/);
    expect(real.body.placements).toEqual([
      {
        ...dry.body.placements[0],
        offers: [{ ...dry.body.placements[0].offers[0], redeemableUntil: until }],
      },
    ]);
    expect(await counts()).not.toEqual(before);
  });

  test('what is in the basket counts at once', async () => {
    const { body } = await decide(service, {
      customerId: 'stranger-with-basket',
      channel: 'web',
      explain: true,
      dryRun: true,
      context: { itemIds: ['coffee-0'], basketMinor: 7000 },
    });
    expect(body.placements[0].offers[0].terms.orderMinor).toBe(7000);
  });

  test('names every fault of a malformed request', async () => {
    const { status, body } = await decide(service, {
      channel: 'pigeon',
      placements: ['a', 'a'],
      limit: 11,
      context: { basketMinor: -1 },
      colour: 'red',
    });
    expect(status).toBe(400);
    expect(body.faults.map(({ path }: { path: string }) => path).sort()).toEqual([
      'body.channel',
      'body.colour',
      'body.context.basketMinor',
      'body.customerId',
      'body.limit',
      'body.placements',
    ]);
  });
});

describe('GET /customers/{customerId}/offers', () => {
  const fetchOffers = (one: TestService, customerId: string, query = '') =>
    one.call('GET', `/customers/${customerId}/offers?campaign=june${query}`);

  test('fifty requests at once to two processes have one answer, which counts as made once', async () => {
    const customerId = await shopper('popular');
    const before = await counts();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => fetchOffers(i % 2 === 0 ? service : other, customerId)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const body = answers[0]?.body;
    expect(made(body)).toEqual(['five']);
    const after = await counts();
    expect(after.stream).toBe(before.stream + 1);
    expect(Number(after.made.five)).toBe(Number(before.made.five ?? 0) + 1);
  });

  test('the answer stands whatever happens in between, is by e-mail unless said otherwise, and is not to be cached', async () => {
    const customerId = await shopper('steady');
    const first = await fetchOffers(service, customerId);
    expect(first.body).toMatchObject({ channel: 'email', campaign: 'june', customerId });
    expect(first.headers.get('cache-control')).toBe('private, no-store');
    await service.call('PUT', `/customers/${customerId}`, { loyaltyTier: 'gold' });
    expect((await fetchOffers(other, customerId)).text).toBe(first.text);
    expect(made((await fetchOffers(service, customerId, '&placement=top')).body)).toEqual(['gold']);
    const head = await fetch(`${service.url}/customers/${customerId}/offers?campaign=june`, {
      method: 'HEAD',
    });
    expect(head.status).toBe(200);
  });

  test('what an e-mail tool appends, leaves empty or asks too much of makes no gap in the message', async () => {
    const customerId = await shopper('appended');
    const plain = await service.call('GET', `/customers/${customerId}/offers?limit=10`);
    const appended =
      'utm_source=news&utm_source=mail&utm_id=&mc_cid=1&_=17&gclid=x&fbclid=y&msclkid=z&mkt_tok=t&campaign=&channel=&placement=&explain=&limit=&limit=3&limit=20';
    const answer = await other.call('GET', `/customers/${customerId}/offers?${appended}`);
    expect([answer.status, answer.text]).toEqual([200, plain.text]);
    expect(made(answer.body).length).toBeGreaterThan(0);
    expect(answer.body.campaign).toBeUndefined();
  });

  test('an unknown customer gets the fallback by e-mail: nobody consented', async () => {
    const { status, body } = await fetchOffers(service, 'nobody-at-all');
    expect(status).toBe(200);
    expect(body.placements[0]).toMatchObject({
      fallback: true,
      offers: [{ offerId: 'banner', content: { headline: 'See what is new' } }],
    });
    expect(whether(body)).toEqual({ contactable: false, reasonCode: 'no-consent' });
  });

  test.each([
    ['/customers/c/offers?channel=pigeon', 'query.channel'],
    ['/customers/c/offers?campain=june', 'query.campain'],
    ['/customers/c/offers?placment=', 'query.placment'],
    ['/customers/c/offers?limit=0', 'query.limit'],
    ['/customers/c/offers?limit=ten', 'query.limit'],
    [`/customers/c/offers?placement=${'x'.repeat(101)}`, 'query.placement'],
    [`/customers/c/offers?campaign=${'x'.repeat(101)}`, 'query.campaign'],
    ['/customers/%7Bc%7D/offers', 'params.customerId'],
  ])('%s is a fault of %s', async (path, fault) => {
    const { status, body } = await service.call('GET', path);
    expect(status).toBe(400);
    expect(body.faults.map((one: { path: string }) => one.path)).toEqual([fault]);
  });
});

describe('outcomes', () => {
  const report = (decisionId: string, body: object, one = service) =>
    one.call('POST', `/decisions/${decisionId}/outcomes`, body);
  const profileOf = async (customerId: string) =>
    (await service.call('GET', `/customers/${customerId}/profile`)).body.features;
  async function decided(customerId: string): Promise<string> {
    const { body } = await decide(service, { customerId, channel: 'web' });
    expect(made(body)).toEqual(['five']);
    return body.decisionId;
  }

  test('a redemption reported many times at once, over two processes, counts once', async () => {
    const customerId = await shopper('redeemer');
    const decisionId = await decided(customerId);
    const before = (await timesRedeemed(redis, keys)).five ?? 0;
    const redeemed = { offerId: 'five', outcome: 'redeemed', valueMinor: 4200 };
    const answers: Answer[] = await Promise.all(
      Array.from({ length: 20 }, (_, i) => report(decisionId, redeemed, i % 2 === 0 ? service : other)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(answers.filter(({ body }) => !body.duplicate)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.eventId)).size).toBe(1);
    expect((await report(decisionId, redeemed)).body.duplicate).toBe(true);
    expect((await timesRedeemed(redis, keys)).five).toBe(before + 1);
    expect((await profileOf(customerId)).offersRedeemed).toBe(1);
  });

  test('a redemption with event ids of its own counts once on the offer all the same', async () => {
    const decisionId = await decided(await shopper('insistent'));
    const before = (await timesRedeemed(redis, keys)).five ?? 0;
    for (const eventId of ['till-1', 'till-2'])
      expect((await report(decisionId, { offerId: 'five', outcome: 'redeemed', eventId })).body).toEqual({
        eventId,
        duplicate: false,
        attributed: true,
      });
    expect((await timesRedeemed(redis, keys)).five).toBe(before + 1);
  });

  test("an outcome under another event's id is refused and settles nothing; told again under its own it is a repeat", async () => {
    const customerId = await shopper('numbered');
    const decisionId = await decided(customerId);
    const before = (await timesRedeemed(redis, keys)).five ?? 0;
    const lines = [{ itemId: 'tea-1', quantity: 1, unitPriceMinor: 1000 }];
    await service.call('POST', '/events', { type: 'purchase', customerId, eventId: 'order-78', lines });
    const viewed = { offerId: 'five', outcome: 'viewed', eventId: 'view-78' };
    for (const duplicate of [false, true])
      expect((await report(decisionId, viewed)).body).toMatchObject({ duplicate, attributed: true });
    const redeemed = { offerId: 'five', outcome: 'redeemed', valueMinor: 1000 };
    for (const eventId of ['order-78', 'view-78']) {
      const { status, body } = await report(decisionId, { ...redeemed, eventId });
      expect(status).toBe(409);
      expect(body.faults).toEqual([{ path: 'body.eventId', message: 'is the id of another event' }]);
    }
    const told = (await service.call('GET', `/decisions/${decisionId}`)).body.outcomes;
    expect(told).toMatchObject([{ outcome: 'viewed', eventId: 'view-78' }]);
    expect((await timesRedeemed(redis, keys)).five).toBe(before);
    const { body } = await report(decisionId, redeemed);
    expect(body).toMatchObject({ duplicate: false, attributed: true });
    expect((await profileOf(customerId)).offersRedeemed).toBe(1);
  });

  test('what is reported late happened when it happened; what lies ahead is refused', async () => {
    const customerId = await shopper('tardy');
    const decisionId = await decided(customerId);
    const day = 86_400_000;
    const at = (days: number) => new Date(Date.now() + days * day).toISOString();
    const { redeemableUntil } = (await service.call('GET', `/decisions/${decisionId}`)).body.placements[0]
      .offers[0];
    expect(Date.parse(redeemableUntil)).toBeGreaterThan(Date.now() + 13 * day);
    const early = { offerId: 'five', outcome: 'redeemed', eventId: 'e1', occurredAt: at(-0.5) };
    expect((await report(decisionId, early)).body).toMatchObject({ attributed: true, duplicate: false });
    expect((await profileOf(customerId)).offersRedeemed).toBe(1);
    // An event of the day after tomorrow cannot be right.
    const future = await report(decisionId, { offerId: 'five', outcome: 'redeemed', occurredAt: at(15) });
    expect(future.status).toBe(400);
    expect((await service.call('GET', `/decisions/${decisionId}`)).body.outcomes).toHaveLength(1);
  });

  test('a dismissal is an event of the customer and no redemption', async () => {
    const customerId = await shopper('dismissive');
    const decisionId = await decided(customerId);
    const before = await timesRedeemed(redis, keys);
    expect((await report(decisionId, { offerId: 'five', outcome: 'dismissed' })).status).toBe(202);
    expect(await timesRedeemed(redis, keys)).toEqual(before);
    expect(await profileOf(customerId)).toMatchObject({ offersDismissed: 1, offersRedeemed: 0 });
  });

  test('a decision is read as it was logged', async () => {
    const customerId = await shopper('reader');
    const decisionId = await decided(customerId);
    const { status, body } = await other.call('GET', `/decisions/${decisionId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ decisionId, customerId, placements: [{ offers: [{ offerId: 'five' }] }] });
    expect(body.placements[0].offers[0].terms.orderMinor).toBe(10_000);
  });

  test('an offer that the decision did not make, an unknown decision, a malformed report', async () => {
    const decisionId = await decided(await shopper('confused'));
    const wrongOffer = await report(decisionId, { offerId: 'gold', outcome: 'redeemed' });
    expect(wrongOffer.status).toBe(409);
    expect(wrongOffer.body.faults).toEqual([
      { path: 'body.offerId', message: 'is not an offer of this decision' },
    ]);
    expect((await report('no-such-decision', { offerId: 'five', outcome: 'viewed' })).status).toBe(404);
    expect((await service.call('GET', '/decisions/no-such-decision')).status).toBe(404);
    const malformed = await report(decisionId, { outcome: 'eaten', valueMinor: -1 });
    expect(malformed.status).toBe(400);
    expect(malformed.body.faults).toHaveLength(3);
  });
});

test('decisions and outcomes are counted for Prometheus', async () => {
  const { text } = await service.call('GET', '/metrics');
  expect(text).toMatch(/nextbest_serve_decisions_total\{channel="web",answer="offer",degraded="false"\} \d+/);
  expect(text).toMatch(
    /nextbest_serve_decisions_total\{channel="phone",answer="nothing",degraded="false"\} \d+/,
  );
  expect(text).toMatch(/nextbest_serve_offer_outcomes_total\{outcome="redeemed"\} \d+/);
});

describe('when the event stream is full', () => {
  test('nothing is decided that could not be logged', async () => {
    const full = await startTestService({ redisUrl, prefix, bare: true, env: { STREAM_MAX_LENGTH: '1000' } });
    try {
      await eventually(async () => {
        const { body } = await decide(full, { customerId: 'nobody', channel: 'web', dryRun: true });
        expect(made(body)).toEqual(['five']);
      });
      const room = 1000 - (await redis.xlen(keys.eventStream));
      const filling = redis.pipeline();
      for (let i = 0; i < room; i++) filling.xadd(keys.eventStream, '*', 'e', '{}');
      await filling.exec();
      const before = await counts();
      const answer = await decide(full, { customerId: 'late', channel: 'web' });
      expect(answer.body).toMatchObject({ degraded: true, decisionId: null });
      expect(made(answer.body)).toEqual(['banner']);
      const fetched = await full.call('GET', '/customers/late/offers?channel=web');
      expect(fetched.status).toBe(200);
      expect(made(fetched.body)).toEqual(['banner']);
      expect(await counts()).toEqual(before);
    } finally {
      await full.close();
    }
  });
});

describe('when Redis goes away', () => {
  const { url, prefix: ownPrefix } = testOneServer();

  test('both calls answer the fallback with 200, outcomes 503; and all is well when it is back', async () => {
    const way = await cuttableRedis(url);
    const cutOff = await startTestService({
      redisUrl: way.url,
      prefix: ownPrefix,
      policy: several,
      env: { REDIS_TIMEOUT_MS: '500' },
    });
    try {
      await cutOff.call('POST', '/offers', offers);
      await untilOffersAreKnown(cutOff, offers.length);
      await way.cut();
      const decided = await decide(cutOff, {
        customerId: 'somebody',
        channel: 'web',
        placements: ['a', 'b'],
      });
      expect(decided.status).toBe(200);
      expect(decided.body).toMatchObject({ degraded: true, decisionId: null, customerId: 'somebody' });
      // Nobody knows of consent.
      const byMail = await decide(cutOff, { customerId: 'somebody', channel: 'email' });
      expect(made(byMail.body)).toEqual(['banner']);
      expect(whether(byMail.body)).toEqual({});
      expect(made(decided.body)).toEqual(['banner', 'banner']);
      const fetched = await cutOff.call('GET', '/customers/somebody/offers?placement=top');
      expect(fetched.status).toBe(200);
      expect(fetched.body.placements).toMatchObject([{ placement: 'top', fallback: true }]);
      expect(whether(fetched.body)).toEqual({});
      const malformed = await cutOff.call('GET', '/customers/somebody/offers?limit=0');
      expect(malformed.status).toBe(400);
      const outcome = await cutOff.call('POST', '/decisions/d/outcomes', {
        offerId: 'five',
        outcome: 'viewed',
      });
      expect(outcome.status).toBe(503);
      expect((await cutOff.call('PUT', '/offers/x', percentOff('x', 1))).status).toBe(503);

      await way.mend();
      await eventually(async () => {
        const { body } = await decide(cutOff, { customerId: 'somebody', channel: 'web', dryRun: true });
        expect(body.degraded).toBe(false);
        expect(made(body)).toEqual(['five']);
      });
    } finally {
      await cutOff.close();
      await way.close();
    }
  });
});

test('every decision that was answered with an id is in the event stream', async () => {
  const { body } = await decide(service, { customerId: 'logged', channel: 'web' });
  const entries = await readEntries(redis, keys, '0-0', 5000);
  const logged = entries.flatMap(({ entry }) => (entry?.kind === 'decision' ? [entry.decision] : []));
  expect(logged.map(({ decisionId }) => decisionId)).toContain(body.decisionId);
});
