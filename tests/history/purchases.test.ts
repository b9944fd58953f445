import { expect, test } from 'vitest';
import { type Lake, sqlText, writePart } from '../../src/history/lake.ts';
import { loadPurchases, purchaseSpan } from '../../src/history/purchases.ts';
import { testLake } from '../support/lake.ts';

type Row = {
  type?: string;
  eventId?: string;
  customerId?: string | null;
  day: number;
  orderId?: string;
  itemId?: string;
  category?: string;
  quantity?: number;
  segment?: string;
};

const at = (day: number) => Date.UTC(2026, 0, 1 + day, 12);
const text = (value: string | null | undefined) => (value == null ? 'NULL::VARCHAR' : sqlText(value));

async function write(lake: Lake, rows: readonly Row[]): Promise<void> {
  const selects = rows.map(
    (row, n) => `SELECT ${text(row.eventId ?? `e${n}`)} AS "eventId", ${n}::INTEGER AS line,
      ${text(row.type ?? 'purchase')} AS type, ${text(row.customerId === undefined ? 'ann' : row.customerId)} AS "customerId",
      NULL::VARCHAR AS "sessionId", make_timestamp(${at(row.day)}000) AS "occurredAt", 'web' AS channel,
      ${text(row.orderId)} AS "orderId", ${text(row.itemId)} AS "itemId", ${text(row.category)} AS category,
      ${row.quantity ?? 1}::INTEGER AS quantity, NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor",
      ${row.segment === undefined ? 'NULL::VARCHAR' : sqlText(JSON.stringify({ attributes: { segment: row.segment } }))} AS detail`,
  );
  await writePart(lake, 'events', 'import-test', selects.join(' UNION ALL '));
}

test('one row for each item of an order, sorted by customer, item and time, with ids numbered in order', async () => {
  const lake = await testLake();
  await write(lake, [
    { customerId: 'bob', day: 5, orderId: 'o3', itemId: 'tea' },
    { customerId: 'ann', day: 9, orderId: 'o2', itemId: 'coffee', quantity: 2 },
    { customerId: 'ann', day: 1, orderId: 'o1', itemId: 'tea', quantity: 3 },
    { customerId: 'ann', day: 1, orderId: 'o1', itemId: 'tea', quantity: 4 },
    { customerId: 'ann', day: 1, orderId: 'o1', itemId: 'coffee' },
  ]);
  const purchases = await loadPurchases(lake);
  expect(purchases.customerIds).toEqual(['ann', 'bob']);
  expect(purchases.itemIds).toEqual(['coffee', 'tea']);
  expect([...purchases.customer]).toEqual([0, 0, 0, 1]);
  expect([...purchases.item]).toEqual([0, 0, 1, 1]);
  expect([...purchases.at]).toEqual([at(1), at(9), at(1), at(5)]);
  expect([...purchases.quantity]).toEqual([1, 2, 7, 1]);
  const [coffeeFirst, coffeeLater, tea, bobs] = purchases.order;
  expect(coffeeFirst).toBe(tea);
  expect(new Set([coffeeFirst, coffeeLater, bobs]).size).toBe(3);
  expect(purchases.orderCount).toBe(3);
});

test('an order id belongs to its customer, and a purchase without one is an order by itself', async () => {
  const lake = await testLake();
  await write(lake, [
    { customerId: 'ann', day: 1, orderId: '7', itemId: 'tea' },
    { customerId: 'bob', day: 1, orderId: '7', itemId: 'tea' },
    { customerId: 'bob', day: 1, itemId: 'coffee' },
    { customerId: 'bob', day: 1, itemId: 'cocoa' },
  ]);
  const purchases = await loadPurchases(lake);
  expect(new Set(purchases.order).size).toBe(4);
  expect(purchases.orderCount).toBe(4);
});

test('guests, views and lines without an item are left out', async () => {
  const lake = await testLake();
  await write(lake, [
    { day: 1, itemId: 'tea' },
    { day: 1, itemId: 'tea', customerId: null },
    { day: 1, itemId: 'coffee', type: 'view' },
    { day: 1, type: 'visit' },
  ]);
  const purchases = await loadPurchases(lake);
  expect(purchases.at).toHaveLength(1);
  expect(purchases.itemIds).toEqual(['tea']);
});

test('a range holds what is from `from` on and before `before`', async () => {
  const lake = await testLake();
  await write(
    lake,
    [1, 2, 3, 4].map((day) => ({ day, itemId: `item-${day}` })),
  );
  const range = { from: at(2), before: at(4) };
  expect((await loadPurchases(lake, range)).itemIds).toEqual(['item-2', 'item-3']);
  expect(await purchaseSpan(lake, range)).toMatchObject({ first: at(2), last: at(3) });
});

test('what was sent back altogether is left out, what was sent back later is not', async () => {
  const lake = await testLake();
  await write(lake, [
    { day: 1, itemId: 'tea', quantity: 2 },
    { day: 2, itemId: 'tea', quantity: 2, type: 'return' },
    { day: 1, itemId: 'coffee', quantity: 2 },
    { day: 2, itemId: 'coffee', quantity: 1, type: 'return' },
    { day: 1, itemId: 'cocoa' },
    { day: 9, itemId: 'cocoa', type: 'return' },
  ]);
  const load = async (before: number) =>
    (await loadPurchases(lake, { excludeReturned: true, before })).itemIds;
  expect(await load(at(5))).toEqual(['cocoa', 'coffee']);
  expect(await load(at(20))).toEqual(['coffee']);
  expect((await loadPurchases(lake)).itemIds).toEqual(['cocoa', 'coffee', 'tea']);
});

test('an item has its latest category, a customer the latest segment before the range’s end', async () => {
  const lake = await testLake();
  await write(lake, [
    { day: 1, itemId: 'tea', category: 'herbs' },
    { day: 5, itemId: 'tea', category: 'drinks', customerId: 'bob' },
    { day: 5, itemId: 'soap', customerId: 'bob' },
    { day: 0, type: 'customerUpdated', segment: 'south' },
    { day: 2, type: 'customerUpdated', segment: 'north' },
    { day: 9, type: 'customerUpdated', segment: 'west' },
  ]);
  const purchases = await loadPurchases(lake, { before: at(8) });
  const categoryOf = (id: string) =>
    purchases.categories[purchases.itemCategory[purchases.itemIds.indexOf(id)]!];
  expect(categoryOf('tea')).toBe('drinks');
  expect(categoryOf('soap')).toBe('');
  expect(Array.from(purchases.customerSegment, (s) => purchases.segments[s])).toEqual(['north', '']);
});

test('a segment of too few customers is not told apart', async () => {
  const lake = await testLake();
  await write(lake, [
    ...['ann', 'bob', 'cyd'].map((customerId) => ({ day: 1, itemId: 'tea', customerId })),
    { day: 0, type: 'customerUpdated', customerId: 'ann', segment: 'north' },
    { day: 0, type: 'customerUpdated', customerId: 'bob', segment: 'north' },
    { day: 0, type: 'customerUpdated', customerId: 'cyd', segment: 'south' },
  ]);
  const purchases = await loadPurchases(lake, { minSegmentCustomers: 2 });
  expect(purchases.segments).toEqual(['', 'north']);
  expect([...purchases.customerSegment]).toEqual([1, 1, 0]);
});

test('more rows than DuckDB hands out at once arrive complete', async () => {
  const lake = await testLake();
  await writePart(
    lake,
    'events',
    'import-many',
    `SELECT 'e' || n AS "eventId", 0::INTEGER AS line, 'purchase' AS type, 'c' || (n % 100) AS "customerId",
       NULL::VARCHAR AS "sessionId", make_timestamp(n * 1000000) AS "occurredAt", 'web' AS channel,
       'o' || n AS "orderId", 'i' || (n % 7) AS "itemId", NULL::VARCHAR AS category, 1::INTEGER AS quantity,
       NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", NULL::VARCHAR AS detail
     FROM range(10000) t(n)`,
  );
  const purchases = await loadPurchases(lake);
  expect(purchases.at).toHaveLength(10_000);
  // Each of 0 … 9999 seconds once.
  expect(purchases.at.reduce((sum, value) => sum + value, 0)).toBe(((9999 * 10_000) / 2) * 1000);
});

test('an empty lake has no purchases, and no span', async () => {
  const lake = await testLake();
  const purchases = await loadPurchases(lake, { excludeReturned: true });
  expect(purchases).toMatchObject({ customerIds: [], itemIds: [], orderCount: 0, segments: [''] });
  expect(await purchaseSpan(lake)).toBeUndefined();
});

test('what was browsed is one row a customer and item, in their order, with the last time and whether it was in the cart', async () => {
  const lake = await testLake();
  await write(lake, [
    { customerId: 'ann', day: 1, orderId: 'o1', itemId: 'coffee' },
    { customerId: 'bob', day: 2, orderId: 'o2', itemId: 'tea' },
    { customerId: 'bob', day: 3, type: 'view', itemId: 'coffee' },
    { customerId: 'bob', day: 5, type: 'view', itemId: 'coffee' },
    { customerId: 'ann', day: 4, type: 'addToCart', itemId: 'tea' },
    { customerId: 'ann', day: 3, type: 'view', itemId: 'tea' },
    // Unknown to the purchases, later than the range, a guest's.
    { customerId: 'cyd', day: 3, type: 'view', itemId: 'coffee' },
    { customerId: 'ann', day: 3, type: 'view', itemId: 'soap' },
    { customerId: 'ann', day: 9, type: 'view', itemId: 'coffee' },
    { customerId: null, day: 3, type: 'view', itemId: 'coffee' },
  ]);
  const { browsing } = await loadPurchases(lake, { before: at(8), withBrowsing: true });
  expect(browsing).toEqual({
    customer: Int32Array.of(0, 1),
    item: Int32Array.of(1, 0),
    lastAt: Float64Array.of(at(4), at(5)),
    addedToCart: Uint8Array.of(1, 0),
  });
  expect(await loadPurchases(lake)).not.toHaveProperty('browsing');
});

test('a share of the customers is always the same ones, each with all that they bought', async () => {
  const lake = await testLake();
  const ids = Array.from({ length: 400 }, (_, n) => `c${n}`);
  await write(
    lake,
    ids.flatMap((customerId) =>
      [1, 2, 3].map((day) => ({ customerId, day, orderId: `o${day}`, itemId: 'tea' })),
    ),
  );
  expect((await purchaseSpan(lake))?.customers).toBeGreaterThan(300);
  const drawn = await loadPurchases(lake, { customerShare: 0.25 });
  // 400 · ¼ = 100, five deviations of √(400 · ¼ · ¾) = 8.7 either way.
  expect(Math.abs(drawn.customerIds.length - 100)).toBeLessThan(44);
  expect(drawn.at).toHaveLength(3 * drawn.customerIds.length);
  expect((await loadPurchases(lake, { customerShare: 0.25, before: at(2) })).customerIds).toEqual(
    drawn.customerIds,
  );
});
