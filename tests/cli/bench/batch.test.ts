import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BatchBenchLine, benchBatch } from '../../../src/cli/bench/batch.ts';
import { benchShop, benchShopSize } from '../../support/bench-shop.ts';
import { describeNative } from '../../support/redis.ts';

describeNative('bench batch', () => {
  test.skipIf(!existsSync('/proc/self/stat'))(
    'the list is made without budgets and with such as are short, and nothing of either is left but the shop',
    async () => {
      const folder = await benchShop();
      const lines: BatchBenchLine[] = [];
      const startedAt = performance.now();
      await benchBatch(
        { ...benchShopSize, customers: 300, folder },
        (line) => lines.push(line),
        () => {},
      );
      expect(lines.map(({ name }) => name)).toEqual(['batch', 'batch, budgets']);
      const seconds = (performance.now() - startedAt) / 1000;
      // Each is a part of all that has passed here.
      expect(lines.reduce((sum, line) => sum + line.seconds, 0)).toBeLessThan(seconds);
      for (const line of lines) {
        expect(line).toMatchObject({ customers: 300, offers: 50 });
        expect(line.seconds).toBeGreaterThan(0);
        expect(line.customersPerSecond).toBeGreaterThan(300 / seconds);
        expect(line.customersPerSecond / (300 / line.seconds)).toBeCloseTo(1, 1);
        expect(line.offered).toBeGreaterThan(0);
        expect(line.offered).toBeLessThanOrEqual(300);
        // A process of Node alone has some 40 MB, and its start takes more than a millisecond of CPU for each of these.
        expect(line.peakMb).toBeGreaterThan(40);
        expect(line.cpuMicrosPerCustomer).toBeGreaterThan(1000);
        // Of each customer Redis reads three values at least, and writes one: no less than a microsecond, and less than nextbest's processes take.
        expect(line.redisMicrosPerCustomer).toBeGreaterThan(1);
        expect(line.redisMicrosPerCustomer).toBeLessThan(line.cpuMicrosPerCustomer);
        expect(line.readSeconds).toBeGreaterThan(0);
      }
      expect(await readdir(join(folder, 'data', 'batches'))).toEqual([]);
      expect((await readdir(folder)).sort()).toEqual(['data', 'models', 'prepared.json', 'simulated']);
    },
  );
});
