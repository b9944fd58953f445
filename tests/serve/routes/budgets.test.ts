import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEntries } from '../../../src/history/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { redis, keys, url: redisUrl, prefix } = testRedis();
let services: TestService[];

const offers = [
  {
    offerId: 'scarce',
    name: 'Scarce',
    benefit: { kind: 'amountOff', amountMinor: 500 },
    channels: ['web', 'email'],
    budget: { amountMinor: 5_000 },
  },
  {
    offerId: 'plenty',
    name: 'Plenty',
    benefit: { kind: 'amountOff', amountMinor: 700 },
    channels: ['web', 'email'],
  },
  {
    offerId: 'banner',
    name: 'New',
    benefit: { kind: 'content' },
    channels: ['web', 'email'],
    fallback: true,
  },
];

beforeAll(async () => {
  const policy = { exploration: { method: 'thompson' as const } };
  services = [
    await startTestService({ redisUrl, prefix }),
    await startTestService({ redisUrl, prefix }),
    await startTestService({ redisUrl, prefix, policy }),
  ];
  await services[0]!.call('POST', '/offers', offers);
  for (const service of services)
    await eventually(async () => {
      const { body } = await decide(service, 'nobody', { dryRun: true });
      expect(body.placements[0].offers.length + body.excluded.length).toBeGreaterThanOrEqual(2);
    });
});
afterAll(() => Promise.all(services.map((service) => service.close())));

const decide = (service: TestService, customerId: string, more: object = {}) =>
  service.call('POST', '/offers/decide', { customerId, channel: 'web', ...more });
const budget = async () => (await services[0]!.call('GET', '/offers/scarce/budget')).body;

async function shopper(customerId: string, quantity = 10): Promise<string> {
  const service = services[0]!;
  await service.call('PUT', `/customers/${customerId}`, { consent: { email: true } });
  const lines = [{ itemId: 'tea-1', quantity, unitPriceMinor: 1000 }];
  await service.call('POST', '/events', { type: 'purchase', customerId, lines });
  return customerId;
}

test('sixty decisions at once over two processes make what the budget bears, and no more', async () => {
  // Each offer that is made and not redeemed lowers what the next is worth, where there was time to count it: with orders of this
  // size all sixty are worth more than the e-mail.
  const customers = await Promise.all(Array.from({ length: 60 }, (_, n) => shopper(`crowd-${n}`, 100)));
  const answers = await Promise.all(
    customers.map(async (customerId, n) => {
      const service = services[n % 2]!;
      // Pages and e-mail tools, each in their way.
      const { body } =
        n % 3 === 0
          ? await service.call('GET', `/customers/${customerId}/offers?channel=email&campaign=rush`)
          : await decide(service, customerId);
      return body.placements[0].offers[0]?.offerId;
    }),
  );
  const count = (offerId: string) => answers.filter((made) => made === offerId).length;
  expect(count('scarce')).toBe(10);
  expect(count('plenty')).toBe(50);
  expect(await budget()).toMatchObject({
    reserved: { amountMinor: 5000, count: 10 },
    remains: { amountMinor: 0, count: null },
    availableNow: { amountMinor: 0 },
  });
  // As of a decision's last look at the budgets, which may be a second old.
  await eventually(async () => {
    await decide(services[0]!, 'nobody', { dryRun: true });
    const { text } = await services[0]!.call('GET', '/metrics');
    expect(text).toContain('nextbest_serve_offer_budgets{state="exhausted"} 1');
  });
});

test('a dry run takes nothing, and a dismissal makes room for the next', async () => {
  const decisions = (await readEntries(redis, keys, '0-0', 10_000)).flatMap(({ entry }) =>
    entry?.kind === 'decision' ? [entry.decision] : [],
  );
  const holder = decisions.find(({ placements }) => placements[0]?.offers[0]?.offerId === 'scarce');
  const outcome = { offerId: 'scarce', outcome: 'dismissed' };
  await services[0]!.call('POST', `/decisions/${holder?.decisionId}/outcomes`, outcome);
  expect((await budget()).remains.amountMinor).toBe(500);
  const customerId = await shopper('patient');
  await eventually(async () => {
    const { body } = await decide(services[1]!, customerId, { dryRun: true });
    expect(body.placements[0].offers[0].offerId).toBe('scarce');
  });
  expect((await budget()).remains.amountMinor).toBe(500);
  expect((await decide(services[1]!, customerId)).body.placements[0].offers[0].offerId).toBe('scarce');
  expect((await budget()).remains.amountMinor).toBe(0);
});

test('by default decisions explore: what is done is drawn, and told how likely it was', async () => {
  const seen = new Map<string, number[]>();
  for (let n = 0; n < 60; n++) {
    const { body } = await decide(services[2]!, await shopper(`explored-${n}`));
    const { offers: made, fallback, loggingPropensity } = body.placements[0];
    const action = fallback ? 'nothing' : made[0].offerId;
    seen.set(action, [...(seen.get(action) ?? []), loggingPropensity]);
  }
  // The same customers but for their names: an action is as likely for each, but that the offer is counted meanwhile, and is known the better.
  expect([...seen.keys()].sort()).toEqual(['nothing', 'plenty']);
  const means = [...seen.values()].map((all) => {
    const mean = all.reduce((total, one) => total + one, 0) / all.length;
    for (const one of all) expect(Math.abs(one - mean)).toBeLessThan(0.1);
    return mean;
  });
  expect(Math.abs(means.reduce((total, mean) => total + mean, 0) - 1)).toBeLessThan(0.1);
  const { text } = await services[2]!.call('GET', '/metrics');
  expect(Number(/^nextbest_serve_exploration_cost_minor_total (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
});

test('a budget that is made smaller than what is out of it says so; one that is larger, or not touched, does not', async () => {
  const service = services[0]!;
  const offer = { ...offers[0], placements: ['lowering'], budget: { amountMinor: 9_000, count: 9 } };
  const put = (budget: object) =>
    service.call('PUT', '/offers/lowered', { ...offer, offerId: 'lowered', budget });
  expect((await put(offer.budget)).body.warnings).toBeUndefined();
  for (const customerId of ['lowered-1', 'lowered-2', 'lowered-3']) {
    await shopper(customerId);
    await eventually(async () => {
      const { body } = await decide(service, customerId, { placements: ['lowering'] });
      expect(body.placements[0].offers[0]?.offerId).toBe('lowered');
    });
  }
  const path = (answer: { body: { warnings?: { path: string }[] } }) =>
    answer.body.warnings?.map((warning) => warning.path).filter((at) => at.startsWith('budget'));
  const { reserved } = (await service.call('GET', '/offers/lowered/budget')).body;
  expect(reserved.count).toBe(3);
  expect(path(await put({ amountMinor: 9_000, count: 3 })) ?? []).toEqual([]);
  const lowered = await put({ amountMinor: reserved.amountMinor - 1, count: 1 });
  expect(lowered.status).toBe(200);
  expect(path(lowered)).toEqual(['budget.amountMinor', 'budget.count']);
  expect(JSON.stringify(lowered.body.warnings)).toContain('3 is reserved or spent already');
  await eventually(async () => expect(path(await put({ amountMinor: 9_000, count: 9 })) ?? []).toEqual([]));
});

test('a call with a budget and a cap is promised a customer once on pages, however often she comes back', async () => {
  const service = services[0]!;
  const call = { kind: 'serviceContact', costMinor: 1 };
  const saved = await service.call('PUT', '/offers/call', {
    name: 'We call you',
    benefit: call,
    channels: ['web'],
    placements: ['help'],
    budget: { count: 10 },
    caps: [{ of: 'made', times: 1, days: 30 }],
    priorityLever: 10,
  });
  expect(saved.status).toBe(200);
  expect(saved.body.warnings?.filter(({ path }: { path: string }) => path === 'caps') ?? []).toEqual([]);
  await shopper('caller');
  await eventually(async () => {
    const { body } = await decide(service, 'caller', { placements: ['help'] });
    expect(body.placements[0].offers[0]?.offerId).toBe('call');
  });
  for (let n = 0; n < 3; n++)
    expect(
      (await decide(service, 'caller', { placements: ['help'] })).body.placements[0].offers[0]?.offerId,
    ).not.toBe('call');
  expect((await service.call('GET', '/offers/call/budget')).body.reserved.count).toBe(1);
});
