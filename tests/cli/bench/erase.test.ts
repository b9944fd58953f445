import { expect, test } from 'vitest';
import { benchErase } from '../../../src/cli/bench/erase.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { parseLines, simulateTexts } from '../../simulation/in-memory.ts';

/** One of each line of an event, or one where it has none, in the same shop on the day before. */
async function simulatedRows(shop: number, at: number): Promise<number> {
  const end = new Date(at - dayMs).toISOString().slice(0, 10);
  const { customers, events } = await simulateTexts({ customers: shop, items: 50, days: 400, seed: 1, end });
  const lines = parseLines<{ lines?: unknown[] }>(customers + events);
  return lines.reduce((rows, event) => rows + (event.lines?.length ?? 1), 0);
}

test('several customers who are erased at once are gone from the lake, each with a receipt, and the rest stays', async () => {
  const startedAt = Date.now();
  const line = await benchErase({ customers: 3, shop: 12, seed: 1 }, () => {});
  const endedAt = Date.now();
  expect(line).toMatchObject({ customers: 3, shop: 12 });
  // The shop ends on the day before: midnight may have passed meanwhile.
  expect([await simulatedRows(12, startedAt), await simulatedRows(12, endedAt)]).toContain(line.rows);
  expect(line.erasedRows).toBeGreaterThan(0);
  expect(line.erasedRows).toBeLessThan(line.rows);
  // It was a part of all that has passed here.
  const seconds = (endedAt - startedAt) / 1000;
  expect(line.wallSeconds).toBeLessThan(seconds);
  expect(line.erasuresPerSecond).toBeGreaterThan(3 / seconds);
  expect(line.minutesFor10000).toBeLessThan(((10_000 / 3) * seconds) / 60);
  expect(line.erasuresPerSecond / (3 / line.wallSeconds)).toBeCloseTo(1, 1);
  expect(line.minutesFor10000 / (10_000 / line.erasuresPerSecond / 60)).toBeCloseTo(1, 1);
});
