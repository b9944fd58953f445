import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CollaborativeModel } from '../../../src/algorithms/collaborative-model.ts';
import { itemsOf } from '../../../src/algorithms/item-part.ts';
import { Item } from '../../../src/domain/item.ts';
import type { ModelManifest } from '../../../src/domain/manifest.ts';
import { createRecentChanges } from '../../../src/infra/recent-changes.ts';
import { createRecommender } from '../../../src/serve/recommend/recommender.ts';
import { loadScenarios } from '../../../src/serve/recommend/scenarios.ts';
import { createShelf, type ShelfFilter } from '../../../src/serve/recommend/shelf.ts';
import { createStock } from '../../../src/serve/recommend/stock.ts';
import { newItem, shopItems, shopModel } from '../../support/shop-models.ts';

const now = Date.UTC(2026, 0, 1);

function servedOf(model: CollaborativeModel, version = 'v1') {
  return { version, manifest: {} as ModelManifest, model };
}

/** A catalogue that a test changes. */
function shop(items: readonly Item[] = [...shopItems, newItem]) {
  const changes = createRecentChanges(1000);
  const state = {
    loaded: true,
    items: new Map<string, Item>(items.map((item) => [item.itemId, item])),
    offers: new Map(),
    revision: 1,
    changedSince: changes.since,
    put(itemId: string, change: Partial<Item> | undefined) {
      const known = state.items.get(itemId) ?? Item.parse({ itemId });
      if (change === undefined) state.items.delete(itemId);
      else state.items.set(itemId, { ...known, ...change });
      state.revision++;
      changes.add(state.revision, [itemId]);
    },
    forget() {
      state.revision++;
      changes.forget(state.revision);
    },
  };
  return state;
}

/** Items in another order than by their index, as a scan has them; one has no factors. */
const scanned = () => ({
  ...shopModel(),
  scanOrder: Int32Array.from({ length: 19 }, (_, place) => (place * 7 + 3) % 20),
});

const ids = shopItems.map(({ itemId }) => itemId as string);
const change = fc.option(
  fc.record({
    category: fc.constantFrom('coffee', 'tea', 'cocoa'),
    inStock: fc.boolean(),
    discontinued: fc.boolean(),
  }),
  { nil: undefined },
);
const changes = fc.array(fc.tuple(fc.constantFrom(...ids, 'never sold'), change), { maxLength: 30 });

test('whatever changes, it says what the catalogue says, and its parts leave nothing out', async () => {
  const filters: ShelfFilter[] = [
    {},
    { category: 'tea' },
    { category: 'cocoa' },
    { category: 'nothing' },
    { category: 'coffee', exclude: new Set(['coffee-1']) },
    {
      exclusions: { itemIds: new Set(['tea-2']), categories: new Set(['coffee']), brands: new Set() },
    },
  ];
  await fc.assert(
    fc.asyncProperty(changes, fc.boolean(), async (changed, isScanned) => {
      const model = isScanned ? scanned() : shopModel();
      const served = servedOf(model);
      const catalogue = shop();
      const shelf = createShelf(catalogue);
      const stock = createStock({ collaborative: served }, catalogue);
      await stock.refresh();
      for (const [itemId, to] of changed) {
        catalogue.put(itemId, to);
        for (const filter of filters) {
          const kept = stock.of(served);
          expect(kept).toBeDefined();
          const { isServable, among } = shelf.modelItems(model, kept, filter);
          const said = ids.map((_, item) => isServable(item));
          expect(said).toEqual(ids.map((itemId) => shelf.isServable(itemId, filter)));
          if (among === undefined) continue;
          const part = itemsOf(model, among);
          const ranked = (item: number) => !isScanned || model.scanOrder?.includes(item);
          const shown = ids.flatMap((_, item) => (said[item] && ranked(item) ? [item] : []));
          expect([...part]).toEqual(expect.arrayContaining(shown));
          expect([...among]).toEqual([...among].sort((a, b) => a - b));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('it is of one model, and of a catalogue whose changes it knows', async () => {
  const models = { collaborative: servedOf(shopModel()) };
  const catalogue = shop();
  const stock = createStock(models, catalogue);
  const first = models.collaborative;
  expect(stock.of(first)).toBeUndefined();
  await stock.refresh();
  expect(stock.of(first)).toBeDefined();
  models.collaborative = servedOf(shopModel(), 'v2');
  expect(stock.of(models.collaborative)).toBeUndefined();
  expect(stock.of(first)).toBeDefined();
  await stock.refresh();
  expect(stock.of(models.collaborative)).toBeDefined();
  catalogue.forget();
  expect(stock.of(models.collaborative)).toBeUndefined();
  await stock.refresh();
  expect(stock.of(models.collaborative)).toBeDefined();
});

test('what changes while it is made counts', async () => {
  const served = servedOf(shopModel());
  const catalogue = shop();
  const stock = createStock({ collaborative: served }, catalogue);
  const made = stock.refresh();
  catalogue.put('tea-0', { inStock: false });
  await made;
  catalogue.put('tea-1', { category: 'cocoa' });
  const kept = stock.of(served);
  const shownIn = (category: string) =>
    ids.filter((_, item) => kept?.categoryOf[item] === kept?.numberOf(category));
  expect(shownIn('tea')).not.toContain('tea-0');
  expect(shownIn('cocoa')).toEqual(['tea-1']);
});

test('where nobody can say what there is, it says nothing either', async () => {
  const served = servedOf(shopModel());
  const empty = shop([]);
  const stock = createStock({ collaborative: served }, empty);
  await stock.refresh();
  expect(stock.of(served)).toBeUndefined();
});

test('pages are the same with it as by looking items up', async () => {
  const catalogue = shop();
  const served = servedOf(shopModel());
  const models = { collaborative: served, churn: undefined, customerValue: undefined, offers: undefined };
  const stock = createStock(models, catalogue);
  await stock.refresh();
  catalogue.put('coffee-3', { category: 'tea' });
  catalogue.put('tea-5', { inStock: false });
  const newItems = { current: undefined };
  const slow = createRecommender(models, catalogue, newItems);
  const fast = createRecommender(models, catalogue, newItems, stock);
  for (const [name, scenario] of loadScenarios(undefined)) {
    for (const category of [undefined, 'tea', 'coffee', 'cocoa', 'nothing']) {
      for (const n of [3, 10, 40]) {
        const request = { n, scenario, itemIds: ['tea-1'], category, exclude: new Set<string>(), seed: name };
        const found = fast.recommend(request, undefined, undefined, now);
        expect(found.items).toEqual(slow.recommend(request, undefined, undefined, now).items);
        if (category === 'tea' && n === 40)
          expect(found.items.map(({ itemId }) => itemId)).toContain('coffee-3');
      }
    }
  }
});

test('a page of a category asks the catalogue for the items that it shows, not for those that it passes over', async () => {
  const catalogue = shop();
  const served = servedOf(shopModel());
  const models = { collaborative: served, churn: undefined, customerValue: undefined, offers: undefined };
  const stock = createStock(models, catalogue);
  await stock.refresh();
  const asked = new Set<string>();
  const { items } = catalogue;
  const get = items.get.bind(items);
  items.get = (itemId) => {
    asked.add(itemId);
    return get(itemId);
  };
  const category = loadScenarios(undefined).get('category');
  if (category === undefined) throw new Error('there is no scenario for categories');
  const request = {
    n: 3,
    scenario: category,
    itemIds: [],
    category: 'tea',
    exclude: new Set<string>(),
    seed: '',
  };
  const { recommend } = createRecommender(models, catalogue, { current: undefined }, stock);
  expect(recommend(request, undefined, undefined, now).items).toHaveLength(3);
  expect([...asked].filter((itemId) => itemId.startsWith('coffee'))).toEqual([]);
});
