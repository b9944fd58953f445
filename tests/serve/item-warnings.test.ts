import { afterAll, beforeAll, expect, test } from 'vitest';
import { Item } from '../../src/domain/item.ts';
import { itemWarnings } from '../../src/serve/item-warnings.ts';
import { testRedis } from '../support/redis.ts';
import { startTestService, type TestService } from '../support/service.ts';

const { url: redisUrl, prefix } = testRedis();
let service: TestService;
beforeAll(async () => {
  service = await startTestService({ redisUrl, prefix });
});
afterAll(() => service.close());

const items = (...inputs: object[]) => inputs.map((input) => Item.parse(input));
const catalogueOf = (...inputs: object[]) => ({
  items: new Map(items(...inputs).map((item) => [item.itemId as string, item])),
});

test('over HTTP: items are taken, and what may be a slip is told of', async () => {
  const bulk = await service.call('POST', '/items', [
    { itemId: 'slip-1', category: 'New  Shelf', priceMinor: 100, marginMinor: 100 },
    { itemId: 'slip-2', category: 'new shelf', priceMinor: 100, marginMinor: 101 },
  ]);
  expect(bulk).toMatchObject({
    status: 200,
    body: {
      items: 2,
      warnings: [
        { itemId: 'slip-2', path: 'marginMinor', message: expect.stringContaining('101 of 100') },
        { itemId: 'slip-2', path: 'category', message: expect.stringContaining('"New  Shelf"') },
      ],
    },
  });
  const put = await service.call('PUT', '/items/slip-3', { category: ' Coffee ' });
  expect(put.body.warnings).toMatchObject([{ itemId: 'slip-3', path: 'category' }]);
  const kept = await service.call('GET', '/items/slip-3');
  expect(kept.body).toMatchObject({ category: ' Coffee ' });
  expect(kept.body.warnings).toBeUndefined();
  const right = await service.call('PUT', '/items/slip-3', {
    category: 'coffee',
    priceMinor: 5,
    marginMinor: 2,
  });
  expect(right.body.warnings).toBeUndefined();
});

test('what the catalogue spells is looked at again after a minute, and no more than ten are told of', () => {
  const catalogue = catalogueOf({ itemId: 'a', category: 'Tea' });
  const many = items(...Array.from({ length: 13 }, (_, n) => ({ itemId: `i${n}`, category: 'TEA' })));
  expect(
    itemWarnings(many, catalogue, 0)
      .map(({ message }) => message)
      .slice(9),
  ).toEqual([expect.stringContaining('"TEA" and "Tea"'), 'and 3 more']);
  catalogue.items.clear();
  expect(itemWarnings(many, catalogue, 59_999)).toHaveLength(11);
  expect(itemWarnings(many, catalogue, 60_000)).toEqual([]);
});

test('items without a category, or without a price, are no slip', () => {
  const catalogue = catalogueOf({ itemId: 'a' }, { itemId: 'b', category: 'Tea' });
  expect(itemWarnings(items({ itemId: 'c' }, { itemId: 'd', marginMinor: 5 }), catalogue, 0)).toEqual([]);
});
