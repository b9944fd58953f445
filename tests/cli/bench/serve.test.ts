import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchServe, type ServeBenchLine } from '../../../src/cli/bench/serve.ts';
import { benchShop, benchShopSize } from '../../support/bench-shop.ts';
import { describeNative } from '../../support/redis.ts';

describeNative('bench serve', () => {
  test.skipIf(!existsSync('/proc/self/stat'))(
    'the two hot calls are asked under load beside the bare servers, and none of their answers is a fault',
    async () => {
      const lines: ServeBenchLine[] = [];
      const size = {
        ...benchShopSize,
        folder: await benchShop(),
        customers: 300,
        connections: 8,
        seconds: 1,
        rounds: 1,
        returning: 20,
      };
      await benchServe(
        size,
        (line) => lines.push(line),
        () => {},
      );
      expect(lines.map(({ name }) => name)).toEqual([
        'node:http',
        'node:http+GET',
        'express',
        'express+GET',
        'recommendations',
        'recommendations, prepared elsewhere',
        'recommendations, first page',
        'offers',
        'offers, first ask',
      ]);
      for (const line of lines) {
        expect(line.errors).toBe(0);
        expect(line.requestsPerSecond).toBeGreaterThan(0);
        expect(line.cpuMicrosPerRequest).toBeGreaterThan(0);
        // Finer than milliseconds, or nobody could tell whether it grows by half.
        expect(line.p50Ms % 1).not.toBe(0);
      }
      expect(lines[1]?.ratioToNodeHttpGet).toBe(1);
      expect(lines[1]?.p99RatioToNodeHttpGet).toBe(1);
      const from = Object.fromEntries(lines.map((line) => [line.name, line.from]));
      // Each comes from where its name says.
      const { shown = 0, prepared = 0, ...others } = from.recommendations ?? {};
      expect(others).toEqual({});
      expect(shown + prepared).toBeCloseTo(1, 9);
      // A page lasts until its window of time ends, or one of its items is no longer new: at midnight, say. Then each customer's is
      // put together once more from what is prepared, and shown again from there.
      const asks = (lines[4]?.requestsPerSecond ?? 0) * size.seconds;
      expect(shown).toBeGreaterThanOrEqual(1 - (2 * size.returning) / asks);
      expect(shown).toBeGreaterThan(0.5);
      expect(from['recommendations, prepared elsewhere']).toEqual({ prepared: 1 });
      expect(from['recommendations, first page']).toEqual({ made: 1 });
      expect(from.offers?.decided).toBeUndefined();
      expect(from['offers, first ask']).toEqual({ decided: 1 });
    },
  );
});
