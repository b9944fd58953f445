import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchMemory, type MemoryBenchLine } from '../../../src/cli/bench/memory.ts';
import { benchShop, benchShopSize } from '../../support/bench-shop.ts';
import { describeNative } from '../../support/redis.ts';

/** Half more than was measured (docs/benchmarks.md): beyond that, something is kept that was not, or no longer packed. */
const mostBytes: Readonly<Record<string, number>> = {
  contacts: 265,
  decision: 740,
  events: 350,
  'logged decision': 150,
  'offers made, marker': 30,
  page: 2000,
};

describeNative('bench memory', () => {
  test.skipIf(!existsSync('/proc/self/stat'))(
    'every kind of key that serving a customer leaves is weighed, and the sum is that of its parts',
    async () => {
      const lines: MemoryBenchLine[] = [];
      await benchMemory(
        { ...benchShopSize, customers: 2000, served: 20, folder: await benchShop() },
        (line) => lines.push(line),
        () => {},
      );
      expect(lines.map(({ kind }) => kind)).toEqual([
        'record',
        'contacts',
        'decision',
        'events',
        'page',
        'logged decision',
        'offers made, marker',
        'everything',
      ]);
      const [record, ...others] = lines;
      // A customer of this shop has some hundred events: more is a layout that has come undone.
      expect(record?.bytesPerCustomer).toBeGreaterThan(200);
      expect(record?.bytesPerCustomer).toBeLessThan(800);
      const everything = others.pop();
      const parts = lines.slice(0, -1).reduce((sum, line) => sum + line.bytesPerCustomer, 0);
      expect(everything?.bytesPerCustomer).toBeCloseTo(parts, 6);
      for (const line of others) {
        expect(line.bytesPerKey).toBeGreaterThan(5);
        expect(line.bytesPerKey, line.kind).toBeLessThan(mostBytes[line.kind] ?? 0);
        expect(line.livesHours).toBeGreaterThan(0);
      }
      expect(everything?.bytesPerCustomer).toBeLessThan(1500);
    },
  );
});
