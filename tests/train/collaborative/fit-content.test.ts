import { expect, test } from 'vitest';
import { contentFactorsOf } from '../../../src/algorithms/content-factors.ts';
import type { ItemId } from '../../../src/domain/ids.ts';
import { Item } from '../../../src/domain/item.ts';
import type { CatalogueChange } from '../../../src/domain/log-entry.ts';
import { writeEntries } from '../../../src/history/write-entries.ts';
import { fitContent } from '../../../src/train/collaborative/fit-content.ts';
import { testLake } from '../../support/lake.ts';

const itemIds = Array.from({ length: 20 }, (_, i) => `i${String(i).padStart(2, '0')}`);
/** Two customers buy each item, and both buy it twice. */
const purchases = {
  itemIds,
  customer: Int32Array.from({ length: 80 }, (_, p) => Math.floor(p / 40)),
  item: Int32Array.from({ length: 80 }, (_, p) => Math.floor((p % 40) / 2)),
};
/** Even items please one taste, odd ones another. */
const itemFactors = Float32Array.from({ length: 80 }, (_, k) => Number(k % 4 === Math.floor(k / 4) % 2));

function put(itemId: string, category: string, at: number): CatalogueChange {
  return { kind: 'item', item: Item.parse({ itemId, category }), at };
}

test('content is learned from the catalogue as it was seen last, without what was deleted', async () => {
  const lake = await testLake();
  const catalogue: CatalogueChange[] = itemIds.flatMap((itemId, i) => [
    put(itemId, 'outdated', 1000),
    put(itemId, i % 2 ? 'odd' : 'even', 2000),
  ]);
  catalogue.push(put('unsold', 'unsold', 1000), {
    kind: 'itemDeleted',
    itemId: itemIds[0] as ItemId,
    at: 3000,
  });
  await writeEntries(lake, 'import-1', { events: [], catalogue, decisions: [] });
  const model = await fitContent(lake, { itemFactors, factors: 4 }, purchases, 1);
  if (model === undefined) throw new Error('nothing was learned');
  expect([...model.tokens].sort()).toEqual(['category:even', 'category:odd']);
  // Nine even items and ten odd ones.
  expect(model.idf[model.tokenIndex.get('category:even')!]).toBeCloseTo(Math.log(20 / 10) + 1, 5);
  const [even = 0, odd = 0] = contentFactorsOf(model, { category: 'odd', name: '' }) ?? [];
  expect(odd).toBeGreaterThan(even + 0.5);
});

test('without a catalogue nothing is learned', async () => {
  expect(await fitContent(await testLake(), { itemFactors, factors: 4 }, purchases, 1)).toBeUndefined();
});
