import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchScore } from '../../../src/cli/bench/score.ts';
import { describeNative } from '../../support/redis.ts';

describeNative('bench score', () => {
  test.skipIf(!existsSync('/proc/self/status'))(
    'a small shop is trained, its records are copied, and the job scores all of them',
    async () => {
      const said: string[] = [];
      const line = await benchScore({ customers: 1500, shop: 400, seed: 1 }, (text) => said.push(text));
      // The copies and those that they are copies of.
      expect(line.customers).toBeGreaterThan(1500);
      expect(line.customers).toBeLessThanOrEqual(1900);
      expect(line.recordBytes).toBeGreaterThan(200);
      expect(line.peakMb).toBeGreaterThan(50);
      expect(line.microsPerCustomer).toBeCloseTo((line.wallSeconds * 1e6) / line.customers, 6);
      expect(line.readSeconds).toBeGreaterThan(0);
      expect(said.at(-1)).toContain('scoring');
    },
  );
});
