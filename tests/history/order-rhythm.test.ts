import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dayMs } from '../../src/domain/time.ts';
import { type Lake, openLake, writePart } from '../../src/history/lake.ts';
import { horizonDaysOf, readOrderRhythm } from '../../src/history/order-rhythm.ts';

const start = Date.UTC(2026, 0, 1, 12);
let dataDir: string;
let lake: Lake;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'nextbest-churn-'));
  lake = await openLake(dataDir);
});
afterEach(async () => {
  lake.close();
  await rm(dataDir, { recursive: true });
});

/** Customer, type and day of each event. */
async function write(rows: [string | null, string, number][]): Promise<void> {
  const values = rows.map(([customer, type, day], n) => {
    const id = customer === null ? 'NULL' : `'${customer}'`;
    return `('e${n}', 0, '${type}', ${id}, NULL, epoch_ms(${start + day * dayMs}), 'web', 'o${n}', 'i1', NULL, 1, 100, 0, NULL)`;
  });
  await writePart(
    lake,
    'events',
    'import-test',
    `FROM (VALUES ${values.join(', ')}) AS t(${[
      'eventId',
      'line',
      'type',
      'customerId',
      'sessionId',
      'occurredAt',
      'channel',
      'orderId',
      'itemId',
      'category',
      'quantity',
      'unitPriceMinor',
      'discountMinor',
      'detail',
    ]
      .map((name) => `"${name}"`)
      .join(', ')})`,
  );
}

test('the span runs from the first purchase to the last event; gaps are those between days of purchase', async () => {
  await write([
    ['a', 'view', -5],
    ['a', 'purchase', 0],
    ['a', 'purchase', 0],
    ['a', 'purchase', 10],
    ['a', 'purchase', 30],
    ['b', 'purchase', 5],
    ['b', 'purchase', 35],
    [null, 'purchase', 36],
    [null, 'purchase', 37],
    ['b', 'visit', 50],
  ]);
  // Gaps of 10 and 20 (a) and 30 (b); the guest has none. Quantile 0.8 lies at position 0.8·2 = 1.6: 20 + 0.6·10.
  expect(await readOrderRhythm(lake)).toEqual({
    from: start,
    to: start + 50 * dayMs,
    customers: 2,
    gapDays: 20 + 0.6 * 10,
  });
});

test('what comes at or after the cut-off is not seen', async () => {
  await write([
    ['a', 'purchase', 0],
    ['a', 'purchase', 10],
    ['b', 'purchase', 20],
  ]);
  expect(await readOrderRhythm(lake, start + 10 * dayMs)).toEqual({
    from: start,
    to: start,
    customers: 1,
    gapDays: null,
  });
});

test('without purchases there is no span', async () => {
  expect(await readOrderRhythm(lake)).toBeUndefined();
  await write([['a', 'view', 0]]);
  expect(await readOrderRhythm(lake)).toBeUndefined();
});

test.each([
  ['the gap, in whole days', 400, 30.2, 31],
  ['at least two weeks', 400, 3, 14],
  ['at most a fifth of the history', 200, 90, 200 / 5],
  ['at most half a year', 2000, 300, 180],
  ['as long as it can be where nobody came twice', 500, null, 500 / 5],
])('the horizon is %s', (_, historyDays, gapDays, expected) => {
  expect(horizonDaysOf({ from: start, to: start + historyDays * dayMs, customers: 9, gapDays })).toBe(
    expected,
  );
});

test('a history shorter than five times two weeks has no horizon', () => {
  expect(horizonDaysOf({ from: start, to: start + 69 * dayMs, customers: 9, gapDays: 5 })).toBeUndefined();
  expect(horizonDaysOf({ from: start, to: start + 70 * dayMs, customers: 9, gapDays: 5 })).toBe(14);
});
