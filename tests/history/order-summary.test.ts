import { expect, test } from 'vitest';
import type { ItemMargins } from '../../src/algorithms/customer-value/customer-value-model.ts';
import { dayMs } from '../../src/domain/time.ts';
import { type Lake, sqlText, writePart } from '../../src/history/lake.ts';
import { openOrderSummaries } from '../../src/history/order-summary.ts';
import { testLake } from '../support/lake.ts';

type Row = {
  customerId?: string;
  /** Days since the start. */
  day: number;
  type?: string;
  eventId?: string;
  itemId?: string;
  quantity?: number;
  price?: number;
  discount?: number;
};

const start = Date.UTC(2026, 0, 1);
const margins: ItemMargins = {
  assumedShare: 0.3,
  known: new Map([['tea', { priceMinor: 500, share: 0.5 }]]),
};

async function write(lake: Lake, rows: readonly Row[]): Promise<void> {
  const selects = rows.map(
    (row, n) => `SELECT ${sqlText(row.eventId ?? `e${n}`)} AS "eventId", 0::INTEGER AS line,
      ${sqlText(row.type ?? 'purchase')} AS type, ${sqlText(row.customerId ?? 'ann')} AS "customerId",
      NULL::VARCHAR AS "sessionId", make_timestamp(${start + row.day * dayMs}000) AS "occurredAt", 'web' AS channel,
      NULL::VARCHAR AS "orderId", ${sqlText(row.itemId ?? 'mug')} AS "itemId", NULL::VARCHAR AS category,
      ${row.quantity ?? 1}::INTEGER AS quantity, ${row.price ?? 1000}::BIGINT AS "unitPriceMinor",
      ${row.discount ?? 'NULL'}::BIGINT AS "discountMinor", NULL::VARCHAR AS detail`,
  );
  await writePart(lake, 'events', 'import-test', selects.join(' UNION ALL '));
}

async function summaryOf(rows: readonly Row[], asOf: number, until = asOf) {
  const lake = await testLake();
  await write(lake, rows);
  const summaries = await openOrderSummaries(lake, margins, start + until * dayMs);
  const summary = await summaries.summaryOf({ asOf: start + asOf * dayMs, until: start + until * dayMs });
  const gaps = await summaries.gapShares(start + until * dayMs);
  const sample = await summaries.sampleCustomers(2);
  summaries.close();
  const rounded = Object.fromEntries(Object.entries(summary).map(([name, column]) => [name, [...column]]));
  return { ...rounded, gaps, sample };
}

test('orders of one day are one errand; recency and age are days from the first', async () => {
  const summary = await summaryOf(
    [{ day: 2 }, { day: 2.3 }, { day: 12 }, { day: 20, customerId: 'bob' }],
    30,
  );
  expect(summary).toMatchObject({ errands: [2, 1], recencyDays: [10, 0], ageDays: [28, 10] });
});

test('margin is what was paid, less the cost that the catalogue tells, or less the assumed share', async () => {
  const summary = await summaryOf(
    [
      // 2 × 1000 − 100 paid, costs 70 % of 2000.
      { day: 1, quantity: 2, discount: 100 },
      // 600 paid, half of it cost.
      { day: 5, itemId: 'tea', price: 600 },
    ],
    30,
  );
  expect(summary).toMatchObject({ errands: [2], averageMarginMinor: [(500 + 300) / 2] });
});

test('what came back takes its share of the margin away, and is no errand', async () => {
  const summary = await summaryOf(
    [
      { day: 1, price: 2000 },
      { day: 9, type: 'return', price: 500 },
    ],
    30,
  );
  // 600 of margin, a quarter of the price is back.
  expect(summary).toMatchObject({ errands: [1], averageMarginMinor: [450], recencyDays: [0] });
});

test('what comes after is told apart; newcomers of then, and what comes later still, are not seen', async () => {
  const summary = await summaryOf(
    [
      { day: 1 },
      { day: 9 },
      { day: 12 },
      { day: 13, type: 'return', price: 500 },
      { day: 25 },
      { day: 11, customerId: 'new' },
    ],
    10,
    20,
  );
  expect(summary).toMatchObject({
    errands: [2],
    laterErrands: [1],
    averageMarginMinor: [300],
    laterMarginMinor: [150],
    sample: expect.arrayContaining(['ann', 'new']),
  });
});

test('an errand that is under way at the instant does not begin again after it', async () => {
  expect(await summaryOf([{ day: 9.9 }, { day: 10.1 }], 10, 20)).toMatchObject({
    errands: [1],
    laterErrands: [0],
  });
});

test('an event that stands in the lake twice counts once', async () => {
  const summary = await summaryOf(
    [
      { day: 1, eventId: 'same' },
      { day: 1, eventId: 'same' },
    ],
    30,
  );
  expect(summary).toMatchObject({ averageMarginMinor: [300] });
});

test('the last two gaps of each who has them tell how regular the shop is', async () => {
  // Gaps 5, 10, 30: 30 / 40 of the last two.
  const rows = [0, 5, 15, 45].map((day) => ({ day }));
  const { gaps } = await summaryOf(
    [...rows, { day: 1, customerId: 'bob' }, { day: 8, customerId: 'bob' }],
    60,
  );
  expect(gaps).toEqual({ variance: 0.25 ** 2, customers: 1 });
});

test('an empty lake has nobody', async () => {
  const lake = await testLake();
  const summaries = await openOrderSummaries(lake, margins, start);
  expect((await summaries.summaryOf({ asOf: start, until: start })).errands).toEqual(new Float64Array());
  expect(await summaries.gapShares(start)).toEqual({ variance: Number.NaN, customers: 0 });
  summaries.close();
});
