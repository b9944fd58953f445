import { expect, test } from 'vitest';
import { bestSellers } from '../../src/history/best-sellers.ts';
import { type Lake, sqlText, writePart } from '../../src/history/lake.ts';
import { testLake } from '../support/lake.ts';

type Row = {
  customerId: string | null;
  itemId: string;
  day: number;
  order: string;
  type?: string;
  quantity?: number;
};

const at = (day: number) => Date.UTC(2026, 0, 1 + day);
const asked = { before: at(100), halfLifeDays: 30, max: 10 };

async function write(lake: Lake, rows: readonly Row[]): Promise<void> {
  const selects = rows.map(
    ({ customerId, itemId, day, order, type = 'purchase', quantity = 1 }, n) => `
      SELECT ${sqlText(`e${n}`)} AS "eventId", 0::INTEGER AS line, ${sqlText(type)} AS type,
        ${customerId === null ? 'NULL::VARCHAR' : sqlText(customerId)} AS "customerId", NULL::VARCHAR AS "sessionId",
        make_timestamp(${at(day)}000) AS "occurredAt", 'web' AS channel, ${sqlText(order)} AS "orderId",
        ${sqlText(itemId)} AS "itemId", NULL::VARCHAR AS category, ${quantity}::INTEGER AS quantity,
        NULL::BIGINT AS "unitPriceMinor", NULL::BIGINT AS "discountMinor", NULL::VARCHAR AS detail`,
  );
  await writePart(lake, 'events', 'import-test', selects.join(' UNION ALL '));
}

test('an order counts an item once, half when it is a half-life old, a guest’s as a customer’s; shares are of all that sells', async () => {
  const lake = await testLake();
  await write(lake, [
    { customerId: 'ann', itemId: 'tea', day: 100 - 30, order: 'o1' },
    { customerId: 'ann', itemId: 'tea', day: 100 - 30, order: 'o1', quantity: 9 },
    { customerId: null, itemId: 'coffee', day: 100 - 60, order: 'o2' },
    { customerId: null, itemId: 'coffee', day: 100 - 60, order: 'o3' },
    { customerId: 'bob', itemId: 'coffee', day: 100 - 60, order: 'o4' },
  ]);
  // ½ of one order against ¼ of three.
  const found = await bestSellers(lake, asked);
  expect(found.map(({ itemId }) => itemId)).toEqual(['coffee', 'tea']);
  expect(found[0]!.share).toBeCloseTo(3 / 4 / (1 / 2 + 3 / 4), 12);
  expect(found[1]!.share).toBeCloseTo(1 / 2 / (1 / 2 + 3 / 4), 12);
  expect((await bestSellers(lake, { ...asked, max: 1 })).map(({ itemId }) => itemId)).toEqual(['coffee']);
});

test('what was sent back, what is only looked at and what has not happened yet does not sell', async () => {
  const lake = await testLake();
  await write(lake, [
    { customerId: 'ann', itemId: 'tea', day: 1, order: 'o1' },
    { customerId: 'ann', itemId: 'cocoa', day: 1, order: 'o1' },
    { customerId: 'ann', itemId: 'cocoa', day: 2, order: 'o1', type: 'return' },
    { customerId: 'ann', itemId: 'mate', day: 3, order: 'o2', type: 'view' },
    { customerId: 'ann', itemId: 'milk', day: 100, order: 'o3' },
  ]);
  expect(await bestSellers(lake, asked)).toEqual([{ itemId: 'tea', share: 1 }]);
  expect(await bestSellers(await testLake(), asked)).toEqual([]);
});
