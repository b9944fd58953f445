import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../../src/domain/time.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix, bare: true });
});
afterAll(() => service.close());

const body = { name: 'Ten off', benefit: { kind: 'percentOff', percent: 10 }, channels: ['web'] };
const ids = (answer: { body: { offers: { offerId: string }[] } }) =>
  answer.body.offers.map(({ offerId }) => offerId);

test('an offer is put, read, replaced and deleted; a deleted one is not there', async () => {
  const put = await service.call('PUT', '/offers/one%2Ftwo', body);
  expect(put).toMatchObject({ status: 200, body: { ...body, offerId: 'one/two', retention: false } });
  expect((await service.call('GET', '/offers/one%2Ftwo')).body).toEqual(put.body);
  await service.call('PUT', '/offers/one%2Ftwo', { ...body, offerId: 'one/two', name: 'Other' });
  expect((await service.call('GET', '/offers/one%2Ftwo')).body.name).toBe('Other');
  expect((await service.call('DELETE', '/offers/one%2Ftwo')).status).toBe(204);
  expect((await service.call('GET', '/offers/one%2Ftwo')).status).toBe(404);
  expect((await service.call('DELETE', '/offers/one%2Ftwo')).status).toBe(404);
});

test('a discount that is deleted is still held by whom it was made to, and the answer says until when', async () => {
  const discount = (offerId: string) => ({
    ...body,
    offerId,
    benefit: { kind: 'amountOff', amountMinor: 100 },
    redeemWithinDays: 5,
  });
  await service.call('POST', '/events', {
    type: 'purchase',
    customerId: 'holder',
    lines: [{ itemId: 'tea', unitPriceMinor: 50_000 }],
  });
  await service.call('POST', '/offers', [discount('held')]);
  const made = async () => {
    const asked = { customerId: 'holder', channel: 'web', placements: ['hero'], explain: true };
    return (await service.call('POST', '/offers/decide', asked)).body;
  };
  await eventually(async () =>
    expect((await made()).placements[0].offers).toMatchObject([{ offerId: 'held' }]),
  );
  const { status, headers } = await service.call('DELETE', '/offers/held');
  expect(status).toBe(204);
  const [, until = ''] =
    /held was made to .* until (\S+) at the latest.*discount-open/.exec(headers.get('x-warning') ?? '') ?? [];
  expect((Date.parse(until) - Date.now()) / dayMs).toBeCloseTo(5, 2);
  await service.call('POST', '/offers', [discount('other')]);
  await eventually(async () =>
    expect((await made()).excluded).toContainEqual(
      expect.objectContaining({ offerId: 'other', reasonCode: 'discount-open' }),
    ),
  );
  expect((await service.call('DELETE', '/offers/other')).headers.get('x-warning')).not.toBeNull();
  await service.call('PUT', '/offers/words', { ...body, benefit: { kind: 'content' } });
  expect((await service.call('DELETE', '/offers/words')).headers.get('x-warning')).toBeNull();
});

test('an id in the body must be that of the path', async () => {
  const answer = await service.call('PUT', '/offers/a', { ...body, offerId: 'b' });
  expect(answer.status).toBe(400);
  expect(answer.body.faults).toEqual([
    { path: 'body.offerId', message: 'must be the offerId of the path, or be left out' },
  ]);
});

test('an offer is answered with its version, as decisions name it, and can be sent back as it was answered', async () => {
  const saved = await service.call('PUT', '/offers/round', body);
  expect(saved.body.offerVersion).toMatch(/^[0-9a-f]{12}$/);
  const { versions } = (await service.call('GET', '/offers/round/versions')).body;
  expect(versions).toMatchObject([{ offerVersion: saved.body.offerVersion }]);
  const read = await service.call('GET', '/offers/round');
  expect(read.body.offerVersion).toBe(saved.body.offerVersion);
  // What is sent back is what it says, not what version it is said to be.
  const again = await service.call('PUT', '/offers/round', read.body);
  expect(again.body).toMatchObject({ offerVersion: saved.body.offerVersion });
  const renamed = await service.call('PUT', '/offers/round', { ...read.body, name: 'Another' });
  expect(renamed.status).toBe(200);
  expect(renamed.body.offerVersion).not.toBe(saved.body.offerVersion);
  expect((await service.call('GET', '/offers/round')).body).toEqual(renamed.body);
  await service.call('DELETE', '/offers/round');
});

test('bulk takes JSON and NDJSON, and the list is by id as soon as it is answered', async () => {
  const json = await service.call('POST', '/offers', [
    { ...body, offerId: 'z' },
    { ...body, offerId: 'a' },
    { ...body, offerId: 'z', name: 'Last' },
  ]);
  expect(json).toMatchObject({ status: 200, body: { offers: 2 } });
  const lines = `${JSON.stringify({ ...body, offerId: 'm' })}\n`;
  const ndjson = await service.call('POST', '/offers', lines, { 'content-type': 'application/x-ndjson' });
  expect(ndjson).toMatchObject({ status: 200, body: { offers: 1 } });
  const list = await service.call('GET', '/offers');
  expect(ids(list)).toEqual(['a', 'm', 'z']);
  expect(list.body.offers[2].name).toBe('Last');
});

test('every version stays, is named by its content and is answered when it is saved', async () => {
  const save = async (offer: object) =>
    (await service.call('POST', '/offers', [{ ...body, offerId: 'versioned', ...offer }])).body.saved[0];
  const first = await save({});
  expect(first).toMatchObject({
    offerId: 'versioned',
    offerVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
  });
  const second = await save({ name: 'Other' });
  // As it was at first: no third version.
  expect(await save({ name: 'Ten off' })).toEqual(first);
  await service.call('DELETE', '/offers/versioned');
  const { versions } = (await service.call('GET', '/offers/versioned/versions')).body;
  expect(versions.map(({ offerVersion }: { offerVersion: string }) => offerVersion)).toEqual([
    second.offerVersion,
    first.offerVersion,
  ]);
  const read = await service.call('GET', `/offers/versioned/versions/${second.offerVersion}`);
  expect(read.body).toMatchObject({ ...versions[0], offer: { offerId: 'versioned', name: 'Other' } });
  expect((await service.call('GET', '/offers/versioned/versions/000000000000')).status).toBe(404);
  expect((await service.call('GET', '/offers/never/versions')).status).toBe(404);
});

test('bulk is all or nothing, and names every fault of every offer', async () => {
  const before = ids(await service.call('GET', '/offers'));
  const answer = await service.call('POST', '/offers', [
    { ...body, offerId: 'good' },
    {
      ...body,
      offerId: 'bad{}',
      benefit: { kind: 'percentOff', percent: 101 },
      validFrom: '2026-03-01T00:00:00Z',
      validTo: '2026-02-01T00:00:00Z',
      eligibility: { all: [{ feature: 'shoeSize', gte: 40 }] },
    },
    { ...body, offerId: 'unfair', fallback: true, surprise: 1 },
  ]);
  expect(answer.status).toBe(400);
  expect(answer.body.faults.map(({ path }: { path: string }) => path).sort()).toEqual([
    'body[1].benefit.percent',
    'body[1].eligibility.all[0].feature',
    'body[1].offerId',
    'body[1].validTo',
    'body[2].benefit',
    'body[2].surprise',
  ]);
  const unknown = answer.body.faults.find(({ path }: { path: string }) => path.includes('eligibility'));
  expect(unknown.message).toMatch(/^is not a feature; known are daysSince.*, purchaseCount, /);
  expect(ids(await service.call('GET', '/offers'))).toEqual(before);
});

test.each([
  ['no offer', []],
  ['more offers than are taken at once', Array(1001).fill(0)],
  ['no list', { ...body, offerId: 'x' }],
])('bulk of %s is refused', async (_, offers) => {
  expect((await service.call('POST', '/offers', offers)).status).toBe(400);
});

test('an offer of which one redemption costs more than its budget is refused, and both are named', async () => {
  const dear = { benefit: { kind: 'amountOff', amountMinor: 500 }, budget: { amountMinor: 100 } };
  const put = await service.call('PUT', '/offers/dear', { ...body, ...dear });
  expect(put.status).toBe(400);
  expect(put.body.faults).toEqual([
    {
      path: 'body.budget.amountMinor',
      message: expect.stringMatching(/^is 100, and one redemption may cost 500, .*: raise the budget/),
    },
  ]);
  const points = { kind: 'loyaltyPoints', points: 1000 };
  const many = await service.call('POST', '/offers', [
    { ...body, offerId: 'fine', ...dear, budget: { amountMinor: 500 } },
    { ...body, offerId: 'points', benefit: points, budget: { amountMinor: 999 } },
    { ...body, offerId: 'paused', ...dear, budget: { amountMinor: 0 } },
  ]);
  expect(many.body.faults.map(({ path }: { path: string }) => path)).toEqual(['body[1].budget.amountMinor']);
  expect((await service.call('GET', '/offers/fine')).status).toBe(404);
});

test('an end in the past, and a budget of another period, are taken and told of', async () => {
  const budget = { count: 100, period: 'month' };
  const saved = async (change: object) => {
    const { status, body: answer } = await service.call('PUT', '/offers/periods', { ...body, ...change });
    expect(status).toBe(200);
    return (answer.warnings ?? []).map(({ path }: { path: string }) => path);
  };
  const past = { validTo: '2020-01-01T00:00:00Z' };
  expect(await saved({ budget, ...past })).toEqual(['validTo']);
  await eventually(async () => {
    // Who ends what is there means it.
    expect(await saved({ budget, ...past })).toEqual([]);
    expect(await saved({ budget: { ...budget, period: 'week' } })).toEqual(['budget.period']);
  });
});

test.each([
  [
    'a share for per cent',
    { benefit: { kind: 'percentOff', percent: 0.1 } },
    'benefit.percent',
    /10, not 0\.1/,
  ],
  [
    'all of the least basket',
    { benefit: { kind: 'amountOff', amountMinor: 5000 }, minBasketMinor: 1000 },
    'benefit.amountMinor',
    /minBasketMinor 1000/,
  ],
  [
    'per cent for a probability',
    { eligibility: { all: [{ score: 'churnRisk', gte: 60 }] } },
    'eligibility.all.0',
    /between 0 and 1, .* holds for nobody: 60 of a hundred is written 0\.6/,
  ],
  [
    'per cent for a share',
    { eligibility: { any: [{ feature: 'webShare', gte: 50 }] } },
    'eligibility.any.0',
    /webShare lies between 0 and 1, .* holds for nobody: 50 of a hundred is written 0\.5/,
  ],
  [
    'days before the first',
    { eligibility: { feature: 'daysSinceLastOrder', lt: 0 } },
    'eligibility',
    /never below 0, .* holds for nobody/,
  ],
  [
    'what everybody is within',
    { eligibility: { feature: 'purchaseCount', gte: 0 } },
    'eligibility',
    /purchaseCount is never below 0, .* holds for everybody/,
  ],
  [
    'bounds that exclude each other',
    { eligibility: { not: { feature: 'daysSinceLastOrder', gt: 10, lt: 5 } } },
    'eligibility.not',
    /within these bounds/,
  ],
  [
    'bounds that meet where neither holds',
    { eligibility: { feature: 'daysSinceLastOrder', gte: 5, lt: 5 } },
    'eligibility',
    /within these bounds/,
  ],
  [
    'rules that exclude each other',
    {
      eligibility: {
        any: [
          {
            all: [
              { feature: 'purchaseCount', gte: 10 },
              { feature: 'totalSpendMinor', lt: 5 },
              { feature: 'purchaseCount', lt: 5 },
            ],
          },
        ],
      },
    },
    'eligibility.any.0.all',
    /within all bounds of purchaseCount: it holds for nobody/,
  ],
  [
    'rules that meet where one does not hold',
    {
      eligibility: {
        all: [
          { score: 'remainingLifetimeValueMinor', gte: 10 },
          { score: 'remainingLifetimeValueMinor', lt: 10 },
        ],
      },
    },
    'eligibility.all',
    /within all bounds of the score remainingLifetimeValueMinor/,
  ],
  [
    'calls of a budget that a page view takes from',
    { benefit: { kind: 'serviceContact', costMinor: 60 }, channels: ['web', 'phone'], budget: { count: 10 } },
    'caps',
    /on web it is made anew with each decision.*"of":"made"/,
  ],
])('a slip of sizes is taken, and told of: %s', async (_name, change, path, message) => {
  const { status, body: answer } = await service.call('PUT', '/offers/sizes', { ...body, ...change });
  expect(status).toBe(200);
  expect(answer.warnings).toEqual([{ offerId: 'sizes', path, message: expect.stringMatching(message) }]);
});

test('rules of an `all` that leave one number, and those of an `any`, are no slip', async () => {
  const count = (bounds: object) => ({ feature: 'purchaseCount', ...bounds });
  for (const eligibility of [
    { all: [count({ gte: 5 }), count({ lte: 5 })] },
    { any: [count({ gte: 10 }), count({ lt: 5 })] },
    { all: [count({ gte: 10 }), { not: count({ gte: 20 }) }, { feature: 'totalSpendMinor', lt: 5 }] },
  ]) {
    const { status, body: answer } = await service.call('PUT', '/offers/sizes', { ...body, eligibility });
    expect({ status, warnings: answer.warnings }).toEqual({ status: 200, warnings: undefined });
  }
});

test('sizes that are meant are not told of', async () => {
  const { body: answer } = await service.call('PUT', '/offers/sizes', {
    ...body,
    benefit: { kind: 'amountOff', amountMinor: 500 },
    minBasketMinor: 1000,
    eligibility: {
      all: [
        { score: 'churnRisk', gte: 0.6, lte: 1 },
        { feature: 'daysSinceLastOrder', gte: 5, lte: 5 },
        // Has bought, has rated, at least one per cent, all of them, more than no order.
        { feature: 'daysSinceLastOrder', gte: 0 },
        { feature: 'lastRating', gte: 1, lte: 5 },
        { feature: 'webShare', gte: 0.01 },
        { feature: 'webShare', eq: 1 },
        { feature: 'purchaseCount', gt: 0 },
        { feature: 'totalSpendMinor', gte: 0 },
      ],
    },
  });
  expect(answer.warnings).toBeUndefined();
});

test('names that nothing else of the shop knows are taken, and told of', async () => {
  const name = 'Tea';
  const category = 'tea';
  await service.call('PUT', '/items/tea-1', { name, category, priceMinor: 1000 });
  const first = await service.call('PUT', '/offers/known', { ...body, placements: ['hero'] });
  expect(first.body.warnings).toBeUndefined();
  const slips = {
    ...body,
    itemIds: ['tea-1', 'tea-2'],
    categories: ['tea', 'coffe'],
    placements: ['heroo', 'hero'],
    eligibility: { any: [{ attribute: 'segment', in: ['champion', 'north'] }] },
  };
  await eventually(async () => {
    const { status, body: answer } = await service.call('PUT', '/offers/slips', slips);
    expect(status).toBe(200);
    expect(answer.warnings).toEqual([
      { offerId: 'slips', path: 'itemIds[1]', message: expect.stringContaining('tea-2') },
      { offerId: 'slips', path: 'categories[1]', message: expect.stringContaining('coffe') },
      { offerId: 'slips', path: 'placements[0]', message: expect.stringContaining('named are hero') },
      { offerId: 'slips', path: 'eligibility.any.0', message: expect.stringContaining('"rfmSegment"') },
    ]);
  });
  const bulk = await service.call('POST', '/offers', [
    { ...body, offerId: 'wide', itemIds: Array.from({ length: 50 }, (_, n) => `gone-${n}`) },
  ]);
  expect(bulk.body.warnings).toHaveLength(11);
  expect(bulk.body.warnings.at(-1).message).toBe('and 40 more');
  expect((await service.call('GET', '/offers/slips')).body.warnings).toBeUndefined();
});
