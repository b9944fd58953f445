import { expect, test } from 'vitest';
import { benchErase } from '../../../src/cli/bench/erase.ts';

test('several customers who are erased at once are gone from the lake, each with a receipt, and the rest stays', async () => {
  const line = await benchErase({ customers: 3, shop: 12, seed: 1 }, () => {});
  expect(line).toMatchObject({ customers: 3, shop: 12 });
  expect(line.erasedRows).toBeGreaterThan(0);
  expect(line.erasedRows).toBeLessThan(line.rows);
  expect(line.minutesFor10000).toBeCloseTo(10_000 / line.erasuresPerSecond / 60, 9);
});
