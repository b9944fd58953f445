import { expect, test } from 'vitest';
import {
  fuseSources,
  type RankingRequest,
  rankSources,
  scoreSources,
} from '../../src/algorithms/collaborative-ranking.ts';
import { shopModel } from '../support/shop-models.ts';

const day = 86_400_000;
const now = 1000 * day;
const model = shopModel();
const index = (id: string) => model.itemIndex.get(id)!;
const bought = (id: string, daysAgo: number) => ({
  item: index(id),
  purchaseCount: 3,
  firstAt: now - (daysAgo + 20) * day,
  lastAt: now - daysAgo * day,
});

/** As evaluation does: what was bought is left to buy-again. */
function fusedFor(request: RankingRequest, k: number, fusion = model.fusion) {
  const own = new Set(request.history.map(({ item }) => item));
  const lists = rankSources(scoreSources(model, request), 50 + k, (item) => !own.has(item));
  return fuseSources(fusion, lists, k);
}

test('what was bought comes from buy-again alone, what was not from the others alone', () => {
  const history = [bought('coffee-0', 10), bought('coffee-1', 12)];
  const own = new Set(history.map(({ item }) => item));
  const ranked = fusedFor({ history, now }, 20);
  expect(ranked.length).toBe(20);
  for (const { index: item, sources } of ranked) {
    const fromBuyAgain = sources.some(({ source }) => source === 'buyAgain');
    expect(fromBuyAgain).toBe(own.has(item));
    if (fromBuyAgain) expect(sources).toHaveLength(1);
  }
});

test('a customer of one taste is shown more of it before anything else', () => {
  const [first, second, third] = fusedFor({ history: [bought('coffee-0', 10)], now }, 3, {
    ...model.fusion,
    weights: { ...model.fusion.weights, buyAgain: 0 },
  });
  for (const item of [first, second, third]) expect(model.itemIds[item!.index]).toMatch(/^coffee-/);
});

test('without a history the list is what sells in the segment', () => {
  const ranked = fusedFor({ history: [], segment: 'Norway', now }, 3);
  expect(ranked.map(({ index: item }) => model.itemIds[item])).toEqual(['tea-0', 'tea-1', 'tea-2']);
  expect(ranked[0]?.sources.map(({ source }) => source)).toEqual(['popularity']);
});

test('a source names no item of which it knows nothing', () => {
  const lists = rankSources(scoreSources(model, { history: [bought('coffee-0', 10)], now }), 1000);
  // Only coffee neighbours coffee.
  expect([...lists.neighbours.indices].every((item) => model.itemIds[item]!.startsWith('coffee-'))).toBe(
    true,
  );
  expect([...lists.buyAgain.indices]).toEqual([index('coffee-0')]);
});
