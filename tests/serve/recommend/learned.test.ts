/** Answers by the learned ranker: the order is its own, the sources are those whose features made it. */

import { expect, test } from 'vitest';
import type { Ranker } from '../../../src/algorithms/ranker/ranker.ts';
import type { ShopEvent } from '../../../src/domain/event.ts';
import type { EventId, ItemId } from '../../../src/domain/ids.ts';
import type { Item } from '../../../src/domain/item.ts';
import type { ModelManifest } from '../../../src/domain/manifest.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { applyEvent, type CustomerRecord, emptyRecord } from '../../../src/features/record.ts';
import { createRecommender, type RecommendationRequest } from '../../../src/serve/recommend/recommender.ts';
import { Scenario } from '../../../src/serve/recommend/scenarios.ts';
import { linearRanker, shopItems, shopModel } from '../../support/shop-models.ts';

const now = Date.UTC(2026, 0, 1);
const home = Scenario.parse({ learned: 1 });

function recordOf(purchases: readonly (readonly [itemId: string, daysAgo: number])[]): CustomerRecord {
  const record = emptyRecord();
  for (const [n, [itemId, daysAgo]] of purchases.entries()) {
    const purchase: ShopEvent = {
      type: 'purchase',
      eventId: `e${n}` as EventId,
      occurredAt: now - daysAgo * dayMs,
      channel: 'web',
      lines: [{ itemId: itemId as ItemId, quantity: 1 }],
    };
    applyEvent(record, purchase);
  }
  return record;
}

function answer(
  ranker: Ranker,
  record: CustomerRecord | undefined,
  change: Partial<RecommendationRequest> = {},
) {
  const model = { ...shopModel(), ranker };
  const catalogue = {
    loaded: true,
    items: new Map<string, Item>(shopItems.map((item) => [item.itemId, item])),
    offers: new Map(),
    revision: 1,
  };
  const recommender = createRecommender(
    { collaborative: { version: 'v1', manifest: {} as ModelManifest, model } },
    catalogue,
    { current: undefined },
  );
  const request = {
    n: 5,
    scenario: home,
    itemIds: [],
    category: undefined,
    exclude: new Set<string>(),
    seed: 'a',
    ...change,
  };
  return recommender.recommend(request, record && 'a', record, now).items;
}

const byTaste = linearRanker({ ialsScore: 1 }, {});
const tea = recordOf([
  ['tea-0', 3],
  ['tea-1', 2],
]);

test('the order is the ranker’s', () => {
  // Within a taste the lower number is liked better.
  expect(answer(byTaste, tea).map(({ itemId }) => itemId)).toEqual([
    'tea-2',
    'tea-3',
    'tea-4',
    'tea-5',
    'tea-6',
  ]);
  const contrary = linearRanker({ ialsScore: -1 }, {});
  expect(answer(contrary, tea)[0]!.itemId).toMatch(/^coffee/);
});

test('the source is the one whose features raised the score most, and contributions divide the score', () => {
  const [first] = answer(byTaste, tea);
  expect(first).toMatchObject({ source: 'ials', reasons: [{ code: 'peopleLikeYou' }] });
  expect(first!.contributions).toEqual({ ials: first!.score });

  const [mixed] = answer(linearRanker({ ialsScore: 1, neighboursScore: 3 }, {}), tea);
  expect(mixed).toMatchObject({
    source: 'neighbours',
    reasons: [{ code: 'alsoBought' }, { code: 'peopleLikeYou' }],
  });
  const { ials = 0, neighbours = 0 } = mixed!.contributions;
  expect(neighbours).toBeGreaterThan(ials);
  expect(ials + neighbours).toBeCloseTo(mixed!.score, 6);
});

test('a complement is said to go with what it goes with', () => {
  const [first] = answer(linearRanker({ complementsScore: 1 }, {}), recordOf([['tea-3', 2]]));
  expect(first).toMatchObject({
    itemId: 'coffee-3',
    source: 'boughtTogether',
    reasons: [{ code: 'boughtTogether', itemId: 'tea-3' }],
  });
});

test('what was bought comes when it is due, unless the scenario has it otherwise', () => {
  const own = linearRanker({ ialsScore: 1 }, { own: 9, buyAgainScore: 9 });
  const rhythm = recordOf([
    ['coffee-3', 30],
    ['coffee-3', 20],
    ['coffee-3', 10],
  ]);
  expect(answer(own, rhythm)[0]).toMatchObject({
    itemId: 'coffee-3',
    source: 'buyAgain',
    reasons: [{ code: 'buyAgain', usualGapDays: 10 }],
  });
  const never = Scenario.parse({ learned: 1, includeBought: 'never' });
  expect(answer(own, rhythm, { scenario: never }).map(({ itemId }) => itemId)).not.toContain('coffee-3');
  // Bought today: due by no rhythm, and still there where everything may be shown.
  const today = recordOf([['coffee-3', 0]]);
  const always = Scenario.parse({ learned: 1, includeBought: 'always' });
  expect(answer(own, today, { n: 18 }).map(({ itemId }) => itemId)).not.toContain('coffee-3');
  expect(answer(own, today, { scenario: always })[0]).toMatchObject({ itemId: 'coffee-3' });
});

test('a category, an exclusion and what is out of stock bound it as they bound every source', () => {
  const coffee = answer(byTaste, tea, { category: 'coffee', n: 10, exclude: new Set(['coffee-0']) });
  // coffee-8 and coffee-9 cannot be sold.
  expect(coffee.map(({ itemId }) => itemId).sort()).toEqual(
    Array.from({ length: 7 }, (_, k) => `coffee-${k + 1}`),
  );
});

test('a page’s own sources are fused with it', () => {
  const scenario = Scenario.parse({ learned: 0.2, weights: { boughtTogether: 1.5 } });
  const [first, ...rest] = answer(byTaste, tea, { scenario, itemIds: ['tea-7'] });
  expect(first).toMatchObject({ itemId: 'coffee-7', source: 'boughtTogether' });
  expect(rest.some(({ source }) => source === 'ials')).toBe(true);
});

test('somebody unknown gets what sells', () => {
  expect(answer(byTaste, undefined).map(({ itemId }) => itemId)).toEqual(
    Array.from({ length: 5 }, (_, k) => `coffee-${k}`),
  );
});
