/** What the website sees: a whole service with scenarios of its own. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dayMs } from '../../../src/domain/time.ts';
import { eventually } from '../../support/eventually.ts';
import { testRedis } from '../../support/redis.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { shopContent } from '../../support/shop-content.ts';
import { publishShopModel } from '../../support/shop-models.ts';

const scenarios = {
  ranked: { learned: 1 },
  boosted: {
    weights: { popularity: 1 },
    boosts: [
      { categories: ['tea'], factor: 100 },
      { itemIds: ['tea-0'], factor: 0 },
    ],
  },
  pinned: {
    weights: { popularity: 1 },
    pins: [
      { itemId: 'tea-9', position: 2 },
      { itemId: 'coffee-8', position: 1 },
      { itemId: 'tea-1', position: 3, until: '2020-01-01T00:00:00Z' },
    ],
  },
  launch: { learned: 1, pins: [{ itemId: 'cocoa-0', position: 1 }] },
  excluding: { weights: { popularity: 1 }, exclude: { categories: ['coffee'], itemIds: ['tea-0'] } },
  capped: { weights: { popularity: 1 }, diversity: { maxPerCategory: 0.5 } },
  rotating: { weights: { popularity: 1 }, rotation: { keepTop: 1, temperature: 1, maxLoss: 0.5 } },
  neverAgain: { weights: { buyAgain: 1, popularity: 1 }, includeBought: 'never' },
  whenDue: { weights: { buyAgain: 1, popularity: 1 } },
  anyway: { weights: { popularity: 1 }, includeBought: 'always' },
  discovering: { learned: 1, newItems: { share: 0.2, withinDays: 30 } },
};

const { url: redisUrl, prefix } = testRedis();
let service: TestService;

beforeAll(async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'nextbest-scenarios-')), 'scenarios.json');
  writeFileSync(path, JSON.stringify(scenarios));
  service = await startTestService({ redisUrl, prefix, env: { SCENARIOS_FILE: path } });
  const { version } = await publishShopModel(service.modelsDir, (model) => ({
    ...model,
    content: shopContent(),
  }));
  await eventually(async () => expect((await recommend('n=1')).modelVersion).toBe(version));
});
afterAll(() => service.close());

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
type Body = any;

async function recommend(query: string): Promise<Body> {
  const { status, body } = await service.call('GET', `/recommendations?${query}`);
  expect(status).toBe(200);
  return body;
}

const ids = ({ items }: Body): string[] => items.map(({ itemId }: Body) => itemId);
const itemOf = ({ items }: Body, id: string) => items.find(({ itemId }: Body) => itemId === id);

const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

function tell(type: string, who: object, ...lines: [itemId: string, daysAgo: number][]) {
  return service.call(
    'POST',
    '/events',
    lines.map(([itemId, days]) => ({
      type,
      ...who,
      occurredAt: daysAgo(days),
      lines: [type === 'purchase' ? { itemId, quantity: 1, unitPriceMinor: 500 } : { itemId }],
    })),
  );
}

async function put(itemId: string, fields: object): Promise<void> {
  await service.call('PUT', `/items/${itemId}`, fields);
}

test('boosts lift and bury, and say so: in the place, in the reasons, and with explain in numbers', async () => {
  const body = await recommend('scenario=boosted&n=18&explain=true');
  // Nine teas of ten, then coffee, then the buried tea.
  expect(ids(body).slice(0, 9)).toEqual(Array.from({ length: 9 }, (_, k) => `tea-${k + 1}`));
  expect(ids(body).at(-1)).toBe('tea-0');
  const lifted = body.items[0];
  expect(lifted.reasons.map(({ code }: Body) => code)).toEqual(['popular', 'promoted']);
  // coffee-0 … coffee-7 stood above the teas; tea-1 was the second of these.
  expect(lifted.arranged).toEqual([{ rule: 'boosts', from: 10, to: 1, factor: 100 }]);
  expect(lifted.contributions.popularity).toBeCloseTo(lifted.score, 9);
  const plain = await recommend('scenario=boosted&n=1');
  expect(plain.items[0]).not.toHaveProperty('arranged');
});

test('pins stand where they are put: not after their time, nor where the item may not be shown', async () => {
  const body = await recommend('scenario=pinned&n=4&explain=true');
  // coffee-8 is out of stock.
  expect(ids(body)).toEqual(['coffee-0', 'tea-9', 'coffee-1', 'coffee-2']);
  expect(itemOf(body, 'tea-9').reasons.map(({ code }: Body) => code)).toEqual(['popular', 'pinned']);
  expect(ids(await recommend('scenario=pinned&n=4&exclude=tea-9'))).not.toContain('tea-9');
  expect(ids(await recommend('scenario=pinned&n=4&category=coffee'))).not.toContain('tea-9');
});

test('a pin brings what nothing else speaks for, and says that it is a pin', async () => {
  const [first, second] = (await recommend('scenario=launch&n=2&explain=true')).items;
  expect(first).toMatchObject({
    itemId: 'cocoa-0',
    source: 'pinned',
    reasons: [{ code: 'pinned' }],
    arranged: [{ rule: 'pins', to: 1 }],
  });
  expect(second.itemId).toBe('coffee-0');
});

test('exclusions of a scenario hold, and the list is full all the same', async () => {
  expect(ids(await recommend('scenario=excluding&n=9'))).toEqual(
    Array.from({ length: 9 }, (_, k) => `tea-${k + 1}`),
  );
});

test('somebody of whom nothing is known gets what sells, of more than one category', async () => {
  const body = await recommend('scenario=capped&n=10&explain=true');
  expect(ids(body)).toEqual(
    [0, 1, 2, 3, 4].flatMap((k) => `coffee-${k}`).concat([0, 1, 2, 3, 4].map((k) => `tea-${k}`)),
  );
  expect(itemOf(body, 'tea-0').arranged).toEqual([{ rule: 'diversity', from: 9, to: 6 }]);
  // One category was asked for: there is nothing to mix.
  expect(ids(await recommend('scenario=capped&n=8&category=coffee'))).toHaveLength(8);
  // And without a scenario of one's own: five of ten at most.
  const home = ids(await recommend('n=10'));
  expect(home.filter((id) => id.startsWith('coffee'))).toHaveLength(5);
});

test('popularity is that of the segment, and says so', async () => {
  await service.call('PUT', '/customers/ola', { segment: 'Norway' });
  const [first] = (await recommend('customerId=ola&n=1')).items;
  expect(first).toMatchObject({
    itemId: 'tea-0',
    reasons: [{ code: 'popular', segment: 'Norway', text: 'popular in Norway' }],
  });
});

test('rotation: everybody unknown sees one list, which caches may keep; each visit its own', async () => {
  const list = async (who = '') => ids(await recommend(`scenario=rotating&n=8${who}`)).join();
  const unknown = await list();
  expect(await list()).toBe(unknown);
  expect(await list('&sessionId=one')).toBe(await list('&sessionId=one'));
  const visits = await Promise.all(Array.from({ length: 10 }, (_, k) => list(`&sessionId=visit-${k}`)));
  expect(new Set(visits).size).toBeGreaterThan(5);
  for (const visit of visits) expect(visit).toMatch(/^coffee-0,/);
  const { items } = await recommend('scenario=rotating&n=8&explain=true');
  expect(items.flatMap(({ arranged }: Body) => arranged).every(({ rule }: Body) => rule === 'rotation')).toBe(
    true,
  );
});

test('what was bought comes never, when it is due, or anyway, as the scenario says', async () => {
  // Bought every 10 days, the last time 10 days ago.
  await tell('purchase', { customerId: 'regular' }, ['coffee-0', 30], ['coffee-0', 20], ['coffee-0', 10]);
  // Bought today, for the first time.
  await tell('purchase', { customerId: 'regular' }, ['coffee-1', 0]);
  const list = (scenario: string) => recommend(`scenario=${scenario}&n=10&customerId=regular`);
  const never = ids(await list('neverAgain'));
  expect(never).not.toContain('coffee-0');
  expect(never).not.toContain('coffee-1');
  const due = await list('whenDue');
  expect(ids(due)).not.toContain('coffee-1');
  expect(itemOf(due, 'coffee-0').reasons[0]).toMatchObject({ code: 'buyAgain', usualGapDays: 10 });
  expect(ids(await list('anyway')).slice(0, 2)).toEqual(['coffee-0', 'coffee-1']);
});

test('one view is enough: what is like it dominates the next answer', async () => {
  await tell('view', { sessionId: 'looker' }, ['tea-3', 0]);
  const body = await recommend('scenario=ranked&n=5&sessionId=looker');
  expect(ids(body).filter((id) => id.startsWith('tea')).length).toBeGreaterThanOrEqual(4);
  expect(body.items[0].reasons.map(({ code }: Body) => code)).toContain('alsoBought');
  expect(body.items[0].reasons.find(({ code }: Body) => code === 'alsoBought').itemId).toBe('tea-3');
});

test('an item that nobody has bought reaches those whom its category interests, in its share of the places', async () => {
  await put('tea-new', { name: 'First flush tea', category: 'tea' });
  await tell('purchase', { customerId: 'teaLover' }, ['tea-0', 3], ['tea-1', 2]);
  await tell('purchase', { customerId: 'coffeeLover' }, ['coffee-0', 3], ['coffee-1', 2]);
  const list = (who: string) => recommend(`scenario=discovering&n=10&explain=true&customerId=${who}`);
  await eventually(async () => expect(ids(await list('teaLover'))).toContain('tea-new'));
  const body = await list('teaLover');
  expect(itemOf(body, 'tea-new')).toMatchObject({
    source: 'newInCategory',
    reasons: [{ code: 'newInCategory', text: 'new in tea', category: 'tea' }],
    arranged: [{ rule: 'newItems', to: 6 }],
  });
  expect(body.items.filter(({ source }: Body) => source === 'newInCategory')).toHaveLength(1);
  expect(ids(await list('coffeeLover'))).not.toContain('tea-new');
  // A category that is asked for interests whoever asks.
  expect(ids(await recommend('scenario=discovering&n=5&category=tea'))).toContain('tea-new');
  expect(ids(await recommend('scenario=discovering&n=10'))).not.toContain('tea-new');
  // Not where the scenario has no place for it, nor where it is not to be shown.
  expect(ids(await recommend('scenario=ranked&n=10&customerId=teaLover'))).not.toContain('tea-new');
  expect(ids(await recommend('scenario=discovering&n=10&customerId=teaLover&exclude=tea-new'))).not.toContain(
    'tea-new',
  );
  // Added long ago and still not sold: no news.
  await put('tea-new', { name: 'First flush tea', category: 'tea', addedAt: daysAgo(31) });
  await eventually(async () => expect(ids(await list('teaLover'))).not.toContain('tea-new'));
});

test('a new item has a page like any other: similar and bought together by its content, with reasons', async () => {
  await put('tea-newer', { name: 'Second flush tea', category: 'tea' });
  const related = async (call: string) => (await service.call('GET', `/items/tea-newer/${call}`)).body;
  await eventually(async () => expect((await related('similar')).items.length).toBeGreaterThan(0));
  const similar = await related('similar?n=4');
  expect(ids(similar)).toHaveLength(4);
  expect(ids(similar).every((id) => id.startsWith('tea-'))).toBe(true);
  expect(similar.items[0].reasons).toEqual([
    { code: 'similar', text: 'similar to Second flush tea', itemId: 'tea-newer' },
  ]);
  const together = await related('bought-together?n=10');
  // Bought in one basket with tea-k is coffee-k.
  expect(ids(together).length).toBeGreaterThan(0);
  for (const { itemId, reasons } of together.items) {
    expect(reasons[0]).toMatchObject({ code: 'boughtTogether', itemId: itemId.replace('coffee', 'tea') });
  }
  expect(ids(await related(`similar?exclude=${ids(similar)[0]}`))).not.toContain(ids(similar)[0]);
  expect(ids(await related('similar?category=coffee')).every((id) => id.startsWith('coffee-'))).toBe(true);
  const page = await recommend('scenario=product&n=6&itemId=tea-newer');
  expect(ids(page)).not.toContain('tea-newer');
  const codes = page.items.map(({ reasons }: Body) => reasons[0].code);
  expect(codes).toContain('boughtTogether');
  expect(codes).toContain('similar');
  const like = page.items.find(({ reasons }: Body) => reasons[0].code === 'similar');
  expect(like.reasons[0].itemId).toBe('tea-newer');
});

test('one view of an item that nobody has bought is enough, too', async () => {
  await put('tea-newest', { name: 'Autumnal tea', category: 'tea' });
  await eventually(async () =>
    expect((await service.call('GET', '/items/tea-newest/similar')).body.items.length).toBeGreaterThan(0),
  );
  await tell('view', { sessionId: 'pioneer' }, ['tea-newest', 0]);
  const body = await recommend('scenario=ranked&n=5&sessionId=pioneer');
  expect(ids(body).filter((id) => id.startsWith('tea')).length).toBeGreaterThanOrEqual(4);
  expect(body.items[0].source).toBe('ials');
});

test('filters and number: n is filled wherever there is enough, whatever is filtered', async () => {
  const query = 'scenario=ranked&category=tea&exclude=tea-0,tea-1&n=8&customerId=regular';
  const body = await recommend(query);
  expect(ids(body).every((id) => id.startsWith('tea-') && !/-[01]$/.test(id))).toBe(true);
  expect(ids(body)).toHaveLength(8);
});

test('items are counted by source and by the rules that moved them', async () => {
  const { text } = await service.call('GET', '/metrics');
  for (const rule of ['boosts', 'rotation', 'diversity', 'newItems', 'pins'])
    expect(text).toMatch(new RegExp(`nextbest_serve_arranged_items_total\\{rule="${rule}"\\} \\d+`));
  expect(text).toMatch(/nextbest_serve_recommended_items_total\{source="newInCategory"\} \d+/);
});
