import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { Item } from '../../src/domain/item.ts';
import { createCatalogue } from '../../src/infra/catalogue.ts';
import { createCatalogueStore } from '../../src/infra/catalogue-store.ts';
import { createKeys } from '../../src/infra/keys.ts';
import { connectRedis } from '../../src/infra/redis.ts';
import { eventually } from '../support/eventually.ts';
import { silentLog, testRedis } from '../support/redis.ts';

const { redis, prefix, url } = testRedis();

test('it tells which items changed since a revision, not what changed before it was loaded', async () => {
  const keys = createKeys(`${prefix}-${randomUUID()}`);
  const store = createCatalogueStore(redis, keys);
  await store.putItems([Item.parse({ itemId: 'tea' }), Item.parse({ itemId: 'coffee' })], 1);
  const client = () => connectRedis(url, 'catalogue', { kind: 'patient' }, silentLog);
  const catalogue = createCatalogue({ reader: client(), blocking: client(), keys, log: silentLog });
  onTestFinished(() => catalogue.stop());
  const before = catalogue.revision;
  await catalogue.start();
  const loaded = catalogue.revision;
  expect(catalogue.changedSince(before)).toBeUndefined();
  expect(catalogue.changedSince(loaded)).toEqual([]);
  await store.putItems([Item.parse({ itemId: 'tea', inStock: false })], 2);
  await store.deleteItem(Item.parse({ itemId: 'coffee' }).itemId, 3);
  await eventually(() => expect(catalogue.items.has('coffee')).toBe(false));
  expect(new Set(catalogue.changedSince(loaded))).toEqual(new Set(['tea', 'coffee']));
  expect(catalogue.items.get('tea')?.inStock).toBe(false);
});
