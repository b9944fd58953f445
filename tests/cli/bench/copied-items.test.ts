import { expect, test } from 'vitest';
import { collaborativeFromFiles, collaborativeToFiles } from '../../../src/algorithms/collaborative-model.ts';
import { gramOf } from '../../../src/algorithms/dense.ts';
import { copyItems, withCopies } from '../../../src/cli/bench/copied-items.ts';
import { createCatalogueStore } from '../../../src/infra/catalogue-store.ts';
import { createKeys } from '../../../src/infra/keys.ts';
import { testRedis } from '../../support/redis.ts';
import { shopModel } from '../../support/shop-models.ts';

const { redis, prefix } = testRedis();

test('a model with copies is whole: as many items of everything, each with factors of its own, and files that are read again', () => {
  const model = shopModel();
  const items = model.itemIds.length;
  const grown = withCopies(model, 3);
  expect(new Set(grown.itemIds).size).toBe(4 * items);
  expect(grown.itemIds.slice(0, items)).toEqual(model.itemIds);
  expect([...grown.itemFactors.subarray(0, items * model.factors)]).toEqual([...model.itemFactors]);
  const rows = new Set(
    grown.itemIds.map((_, i) =>
      grown.itemFactors.subarray(i * model.factors, (i + 1) * model.factors).join(),
    ),
  );
  expect(rows.size).toBe(4 * new Set(rowsOf(model)).size);
  expect(grown.gram).toEqual(gramOf(grown.itemFactors, model.factors));
  const { arrays, tables } = collaborativeToFiles(grown);
  const read = collaborativeFromFiles(arrays, JSON.parse(JSON.stringify(tables)));
  expect(read.itemIds).toEqual(grown.itemIds);
  expect(read.neighbours.indices).toEqual(model.neighbours.indices);
});

function rowsOf({ itemIds, itemFactors, factors }: ReturnType<typeof shopModel>): string[] {
  return itemIds.map((_, i) => itemFactors.subarray(i * factors, (i + 1) * factors).join());
}

test('the catalogue has the copies beside the originals, under the ids that the model knows them by', async () => {
  const store = createCatalogueStore(redis, createKeys(prefix));
  const items = shopModel().itemIds.map((itemId) => ({
    itemId: itemId as never,
    name: 'N',
    category: 'C',
    inStock: true,
    discontinued: false,
  }));
  await store.putItems(items, 1);
  await copyItems(store, 2, 2);
  for (const itemId of withCopies(shopModel(), 2).itemIds)
    expect(await store.getItem(itemId)).toMatchObject({ itemId, name: 'N' });
});
