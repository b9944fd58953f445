import { expect, test } from 'vitest';
import type { CollaborativeModel } from '../../../src/algorithms/collaborative-model.ts';
import { Item } from '../../../src/domain/item.ts';
import type { ModelManifest } from '../../../src/domain/manifest.ts';
import { createNewItems } from '../../../src/serve/recommend/new-items.ts';
import { newcomersFor } from '../../../src/serve/recommend/newcomers.ts';
import { shopContent } from '../../support/shop-content.ts';
import { newItem, shopItems, shopModel } from '../../support/shop-models.ts';

function served(version: string, change: Partial<CollaborativeModel> = { content: shopContent() }) {
  return { version, manifest: {} as ModelManifest, model: { ...shopModel(), ...change } };
}

function tea(itemId: string, addedAt?: string): Item {
  return Item.parse({ itemId, category: 'tea', name: 'Another tea', ...(addedAt && { addedAt }) });
}

function catalogueOf(items: readonly Item[]) {
  return { items: new Map(items.map((item) => [item.itemId as string, item])), revision: 1 };
}

test('what the model has never seen sold is new; what content tells of has factors like its category', async () => {
  const newItems = createNewItems(
    { collaborative: served('v1') },
    catalogueOf([...shopItems, newItem, tea('x')]),
  );
  await newItems.refresh();
  const { current } = newItems;
  expect(current?.unsold).toEqual(['cocoa-0', 'x']);
  // No token of the cocoa is known.
  expect([...(current?.vectors.keys() ?? [])]).toEqual(['x']);
  const [coffee = 0, teas = 0] = current?.vectors.get('x') ?? [];
  expect(teas).toBeGreaterThan(0.5);
  expect(Math.abs(coffee)).toBeLessThan(0.2);
});

test('it follows the catalogue and the model', async () => {
  const models = { collaborative: served('v1') };
  const catalogue = catalogueOf([...shopItems, tea('x')]);
  const newItems = createNewItems(models, catalogue);
  expect(newItems.current).toBeUndefined();
  await newItems.refresh();
  const before = newItems.current;
  await newItems.refresh();
  expect(newItems.current).toBe(before);
  catalogue.items.set('y', tea('y'));
  catalogue.revision++;
  await newItems.refresh();
  expect(newItems.current?.unsold).toEqual(['x', 'y']);
  // Untouched: not reckoned again.
  expect(newItems.current?.vectors.get('x')).toBe(before?.vectors.get('x'));
  models.collaborative = served('v2', {});
  await newItems.refresh();
  // A model without content: nothing has factors, and everything is still there to fill up.
  expect(newItems.current).toMatchObject({ modelVersion: 'v2', unsold: ['x', 'y'] });
  expect(newItems.current?.vectors.size).toBe(0);
});

test('the newest of a category come first, those without a date last', async () => {
  const items = [tea('b'), tea('c', '2026-01-01T00:00:00Z'), tea('d', '2026-02-01T00:00:00Z'), tea('a')];
  const newItems = createNewItems({ collaborative: served('v1') }, catalogueOf(items));
  await newItems.refresh();
  expect(newItems.current?.byCategory.get('tea')).toEqual(['d', 'c', 'a', 'b']);
});

test('of a large category only the newest are kept, however many there are', async () => {
  const day = (d: number) => new Date(Date.UTC(2026, 0, 1 + d)).toISOString();
  // In an order that is neither that of the ids nor that of the days: 7 and 1,000 have no common divisor.
  const items = Array.from({ length: 1000 }, (_, k) => tea(`t${(7 * k) % 1000}`, day((7 * k) % 1000)));
  const newItems = createNewItems({ collaborative: served('v1') }, catalogueOf(items));
  await newItems.refresh();
  expect(newItems.current?.byCategory.get('tea')).toEqual(
    Array.from({ length: 200 }, (_, k) => `t${999 - k}`),
  );
  expect(newItems.current?.vectors.size).toBe(1000);
});

test('newcomers are of the categories asked for, and in the direction of the taste', async () => {
  const coffee = Item.parse({ itemId: 'coffee', category: 'coffee', name: 'Another coffee' });
  const newItems = createNewItems({ collaborative: served('v1') }, catalogueOf([tea('x'), coffee]));
  await newItems.refresh();
  const { current } = newItems;
  if (current === undefined) throw new Error('not refreshed');
  const likesTea = Float32Array.of(0, 1, 0, 0);
  const ids = (categories: string[], taste = likesTea) =>
    newcomersFor(current, taste, categories).map(({ itemId }) => itemId);
  expect(ids(['tea', 'tea'])).toEqual(['x']);
  expect(ids([])).toEqual([]);
  expect(ids(['tea'], Float32Array.of(0, -1, 0, 0))).toEqual([]);
  expect(ids(['coffee', 'tea'], Float32Array.of(1, 0.5, 0, 0))).toEqual(['coffee', 'x']);
});
