import { expect, test } from 'vitest';
import type { CollaborativeModel } from '../../../src/algorithms/collaborative-model.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { EventId, ItemId } from '../../../src/domain/ids.ts';
import type { Item } from '../../../src/domain/item.ts';
import type { ModelManifest } from '../../../src/domain/manifest.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../../src/features/record.ts';
import type { BestSeller } from '../../../src/infra/best-sellers.ts';
import type { Catalogue } from '../../../src/infra/catalogue.ts';
import { createRecommender, type RecommendationRequest } from '../../../src/serve/recommend/recommender.ts';
import { loadScenarios, Scenario } from '../../../src/serve/recommend/scenarios.ts';
import { newItem, shopItems, shopModel } from '../../support/shop-models.ts';

const now = Date.UTC(2026, 0, 1);
/** Ranking alone: what arranges lists has tests of its own. */
const plain = { home: Scenario.parse({ learned: 1 }) };
const scenarios = new Map([...loadScenarios(undefined), ...Object.entries(plain)]);

function catalogueOf(items: readonly Item[], loaded = true): Catalogue {
  return {
    loaded,
    items: new Map<string, Item>(items.map((item) => [item.itemId, item])),
    offers: new Map(),
    revision: 1,
  };
}

const everything = catalogueOf([...shopItems, newItem]);

function recommenderOf({
  catalogue = everything,
  model = true,
  bestSellers = [],
}: {
  catalogue?: Catalogue;
  model?: boolean;
  bestSellers?: readonly BestSeller[];
} = {}) {
  const collaborative = { version: 'v1', manifest: {} as ModelManifest, model: shopModel() };
  return createRecommender(
    { collaborative: model ? collaborative : undefined },
    catalogue,
    { current: undefined },
    undefined,
    { current: bestSellers },
  );
}

function scenario(name: string): Scenario {
  const found = scenarios.get(name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

function request(change: Partial<RecommendationRequest> & { in?: string } = {}): RecommendationRequest {
  const { in: name = 'home', ...rest } = change;
  return {
    n: 10,
    scenario: scenario(name),
    itemIds: [],
    category: undefined,
    exclude: new Set(),
    seed: 'a',
    ...rest,
  };
}

let eventNumber = 0;

/** `purchases`: item and days ago. */
function recordOf(purchases: readonly (readonly [string, number])[], segment?: string): CustomerRecord {
  const record = emptyRecord();
  const event = (daysAgo: number) => ({
    eventId: `e${eventNumber++}` as EventId,
    occurredAt: now - daysAgo * dayMs,
    channel: 'web' as const,
  });
  if (segment !== undefined)
    applyEvent(record, { type: 'customerUpdated', ...event(1000), attributes: { segment } });
  for (const [itemId, daysAgo] of purchases) {
    const purchase: ShopEvent = {
      type: 'purchase',
      ...event(daysAgo),
      lines: [{ itemId: itemId as ItemId, quantity: 1 }],
    };
    applyEvent(record, purchase);
  }
  return record;
}

const ids = (answer: { items: readonly { itemId: string }[] }) => answer.items.map(({ itemId }) => itemId);

test('somebody unknown gets what sells, most popular first, without what is out of stock or no longer sold', () => {
  const answer = recommenderOf().recommend(request(), undefined, undefined, now);
  // coffee-0 … coffee-7 sell best; coffee-8 and coffee-9 may not be shown.
  expect(ids(answer)).toEqual([...Array.from({ length: 8 }, (_, k) => `coffee-${k}`), 'tea-0', 'tea-1']);
  expect(answer.items.every(({ source }) => source === 'popularity')).toBe(true);
  expect(answer.degradedBy).toEqual([]);
});

test('popularity is that of the customer’s market, and the reason says so', () => {
  const answer = recommenderOf().recommend(
    request({ in: 'popular', n: 1 }),
    'a',
    recordOf([], 'Norway'),
    now,
  );
  expect(answer.items[0]).toMatchObject({
    itemId: 'tea-0',
    reasons: [{ code: 'popular', text: 'popular in Norway', segment: 'Norway' }],
  });
});

test('what sells at least twice as well as it did is said to be in demand', () => {
  const model = shopModel();
  const items = model.itemIds.length;
  const trend = new Float32Array(items);
  // Shares of 2.1 and 1.9 times what they were.
  trend.set([Math.log(2.1), Math.log(1.9)]);
  const flat = new Float32Array(items);
  const facts = {
    category: new Int32Array(items),
    logPrice: flat,
    daysOnSale: flat,
    daysSinceSold: flat,
    trend,
    logSales: flat,
  };
  const sources = { ...model.sources, facts } as unknown as NonNullable<CollaborativeModel['sources']>;
  const collaborative = { version: 'v1', manifest: {} as ModelManifest, model: { ...model, sources } };
  const recommender = createRecommender({ collaborative }, everything, {
    current: undefined,
  });
  const { items: shown } = recommender.recommend(request({ in: 'popular', n: 2 }), undefined, undefined, now);
  expect(shown.map(({ itemId, reasons }) => [itemId, reasons[0]?.code])).toEqual([
    ['coffee-0', 'trending'],
    ['coffee-1', 'popular'],
  ]);
});

test('a taste is answered with what belongs to it, and not with what was bought', () => {
  const answer = recommenderOf().recommend(
    request({ n: 5 }),
    'a',
    recordOf([
      ['tea-0', 3],
      ['tea-1', 2],
    ]),
    now,
  );
  expect(ids(answer).slice(0, 3).sort()).toEqual(['tea-2', 'tea-3', 'tea-4']);
  expect(ids(answer)).not.toContain('tea-0');
  expect(ids(answer)).not.toContain('tea-1');
});

test('what is due again comes first with the customer’s own rhythm; right after a purchase it is gone', () => {
  // Four orders, 10 days apart, the last one 10 days ago.
  const due = recordOf([
    ['coffee-3', 40],
    ['coffee-3', 30],
    ['coffee-3', 20],
    ['coffee-3', 10],
  ]);
  const answer = recommenderOf().recommend(request(), 'a', due, now);
  expect(answer.items[0]).toMatchObject({
    itemId: 'coffee-3',
    source: 'buyAgain',
    reasons: [{ code: 'buyAgain', text: 'you usually buy it every 10 days', usualGapDays: 10 }],
  });
  const bought = recordOf([
    ['coffee-3', 40],
    ['coffee-3', 30],
    ['coffee-3', 20],
    ['coffee-3', 10],
    ['coffee-3', 0],
  ]);
  expect(ids(recommenderOf().recommend(request({ n: 18 }), 'a', bought, now))).not.toContain('coffee-3');
});

test('an item that was bought once is not called a habit', () => {
  const answer = recommenderOf().recommend(request(), 'a', recordOf([['coffee-3', 9]]), now);
  const item = answer.items.find(({ itemId }) => itemId === 'coffee-3');
  expect(item?.reasons[0]?.text).toBe('you have bought it, and customers usually buy it again after 10 days');
});

test('a product page shows what is bought with the product, then what is like it, never the product itself', () => {
  const answer = recommenderOf().recommend(
    request({ in: 'product', itemIds: ['tea-4'] }),
    undefined,
    undefined,
    now,
  );
  expect(answer.items[0]).toMatchObject({
    itemId: 'coffee-4',
    source: 'boughtTogether',
    reasons: [{ code: 'boughtTogether', text: 'often bought together with Tea no. 4', itemId: 'tea-4' }],
  });
  expect(
    answer.items.slice(1, 4).every(({ source, itemId }) => source === 'similar' && itemId.startsWith('tea-')),
  ).toBe(true);
  expect(ids(answer)).not.toContain('tea-4');
});

test('a basket is answered with what completes it; items that nobody knows are passed over', () => {
  const answer = recommenderOf().recommend(
    request({ in: 'cart', itemIds: ['tea-1', 'no-such-item', 'tea-2'], n: 2 }),
    undefined,
    undefined,
    now,
  );
  expect(ids(answer).sort()).toEqual(['coffee-1', 'coffee-2']);
});

test('excluded items and other categories are left out, and the list is filled up all the same', () => {
  const answer = recommenderOf().recommend(
    request({ category: 'tea', exclude: new Set(['tea-0', 'tea-5']), n: 8 }),
    'a',
    recordOf([['coffee-0', 5]]),
    now,
  );
  expect(ids(answer).sort()).toEqual([
    'tea-1',
    'tea-2',
    'tea-3',
    'tea-4',
    'tea-6',
    'tea-7',
    'tea-8',
    'tea-9',
  ]);
});

test('every item has a reason in words, and asks for no more than the catalogue has', () => {
  const answer = recommenderOf().recommend(request({ n: 100 }), 'a', recordOf([['tea-0', 3]]), now);
  // 20 items, less 2 that may not be shown, less the one just bought, and the new one.
  expect(answer.items).toHaveLength(20 - 2 - 1 + 1);
  expect(new Set(ids(answer)).size).toBe(answer.items.length);
  expect(answer.items.at(-1)).toMatchObject({
    itemId: 'cocoa-0',
    source: 'catalogue',
    reasons: [{ code: 'available' }],
  });
  for (const { reasons } of answer.items) {
    expect(reasons.length).toBeGreaterThan(0);
    for (const { text } of reasons) expect(text).not.toMatch(/undefined|NaN|null/);
  }
});

test('contributions add up to the score, and the loudest is the source', () => {
  const { items } = recommenderOf().recommend(
    request(),
    'a',
    recordOf([
      ['tea-0', 40],
      ['tea-1', 2],
    ]),
    now,
  );
  for (const { score, source, contributions } of items) {
    const total = Object.values(contributions).reduce((sum, value) => sum + value, 0);
    // Single precision, as a page that is kept has them.
    expect(total).toBeCloseTo(score, 7);
    if (score > 0) expect(contributions[source]).toBe(Math.max(...Object.values(contributions)));
  }
});

test('what was looked at moves the answer towards it', () => {
  const record = recordOf([
    ['coffee-0', 100],
    ['coffee-1', 99],
  ]);
  const teas = (answer: { items: readonly { itemId: string }[] }) =>
    ids(answer).filter((id) => id.startsWith('tea')).length;
  const before = teas(recommenderOf().recommend(request({ n: 6 }), 'a', record, now));
  for (const itemId of ['tea-3', 'tea-4', 'tea-5']) {
    applyEvent(record, {
      type: 'addToCart',
      eventId: `e${eventNumber++}` as EventId,
      occurredAt: now,
      channel: 'web',
      lines: [{ itemId: itemId as ItemId, quantity: 1 }],
    });
  }
  expect(teas(recommenderOf().recommend(request({ n: 6 }), 'a', record, now))).toBeGreaterThan(before);
});

test('without a model the catalogue answers, and says that it is degraded', () => {
  const answer = recommenderOf({ model: false }).recommend(
    request({ n: 3 }),
    'a',
    recordOf([['tea-0', 1]]),
    now,
  );
  expect(answer).toMatchObject({ modelVersion: null, degradedBy: ['no-model'] });
  expect(answer.items.map(({ source }) => source)).toEqual(['catalogue', 'catalogue', 'catalogue']);
});

const bestSellers = ['tea-4', 'no-such-item', 'coffee-8', 'coffee-3', 'tea-1', 'tea-2'].map((itemId, k) => ({
  itemId,
  share: 0.5 ** (k + 1),
}));

test('without a model best sellers come first, as far as they may be shown, and the catalogue fills up', () => {
  const recommender = recommenderOf({ model: false, bestSellers });
  const answer = recommender.recommend(request({ in: 'popular', n: 6 }), undefined, undefined, now);
  expect(answer).toMatchObject({ modelVersion: null, degradedBy: ['no-model'] });
  // coffee-8 may not be shown.
  expect(ids(answer).slice(0, 4)).toEqual(['tea-4', 'coffee-3', 'tea-1', 'tea-2']);
  expect(new Set(ids(answer)).size).toBe(6);
  expect(answer.items.map(({ source }) => source)).toEqual([
    ...Array.from({ length: 4 }, () => 'popularity'),
    'catalogue',
    'catalogue',
  ]);
  expect(answer.items[0]).toMatchObject({
    score: 0.5,
    contributions: { popularity: 0.5 },
    reasons: [{ code: 'popular', text: 'popular with our customers' }],
  });
});

test('without a model, too, the page, the category, exclusions and what was bought count', () => {
  const { recommend } = recommenderOf({ model: false, bestSellers });
  const bought = recordOf([['tea-4', 3]]);
  const first = (change: Parameters<typeof request>[0], record?: CustomerRecord) =>
    ids(recommend(request({ n: 1, ...change }), 'a', record, now))[0];
  expect(first({})).toBe('tea-4');
  expect(first({ itemIds: ['tea-4'] })).toBe('coffee-3');
  expect(first({ exclude: new Set(['tea-4', 'coffee-3']) })).toBe('tea-1');
  expect(first({ category: 'coffee' })).toBe('coffee-3');
  expect(first({}, bought)).toBe('coffee-3');
  expect(first({ in: 'popular' }, bought)).toBe('tea-4');
});

test('a model that is served knows better than the list of best sellers', () => {
  const answers = [bestSellers, []].map((list) =>
    recommenderOf({ bestSellers: list }).recommend(request(), undefined, undefined, now),
  );
  expect(answers[0]).toEqual(answers[1]);
});

test('without a catalogue the model answers from what it has learned, and says that it is degraded', () => {
  const answer = recommenderOf({ catalogue: catalogueOf([], false) }).recommend(
    request({ n: 3 }),
    'a',
    undefined,
    now,
  );
  expect(answer.degradedBy).toEqual(['no-catalogue']);
  expect(ids(answer)).toEqual(['coffee-0', 'coffee-1', 'coffee-2']);
});

test('with neither, the answer is empty rather than an error', () => {
  const recommender = recommenderOf({ model: false, catalogue: catalogueOf([], false) });
  expect(recommender.recommend(request(), 'a', undefined, now)).toMatchObject({
    items: [],
    modelVersion: null,
    degradedBy: ['no-model', 'no-catalogue'],
  });
});

test('related items: what may not be shown is left out; what nobody knows does not exist', () => {
  const recommender = recommenderOf();
  expect(
    ids(
      recommender.related({ kind: 'boughtTogether', itemId: 'coffee-4', n: 5, filter: {} }) ?? { items: [] },
    ),
  ).toEqual(['tea-4']);
  // coffee-8 and coffee-9 may not be shown; tea is another taste.
  expect(
    ids(
      recommender.related({ kind: 'similar', itemId: 'coffee-4', n: 10, filter: {} }) ?? { items: [] },
    ).sort(),
  ).toEqual([0, 1, 2, 3, 5, 6, 7].map((k) => `coffee-${k}`));
  expect(recommender.related({ kind: 'similar', itemId: 'cocoa-0', n: 5, filter: {} })?.items).toEqual([]);
  expect(recommender.related({ kind: 'similar', itemId: 'no-such-item', n: 5, filter: {} })).toBeUndefined();
});
