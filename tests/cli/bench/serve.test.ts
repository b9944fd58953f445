import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benchServe, type ServeBenchLine } from '../../../src/cli/bench/serve.ts';
import { describeNative } from '../../support/redis.ts';

describeNative('bench serve', () => {
  test.skipIf(!existsSync('/proc/self/stat'))(
    'the two hot calls are asked under load beside the bare servers, and none of their answers is a fault',
    async () => {
      const lines: ServeBenchLine[] = [];
      const size = { customers: 300, items: 300, shop: 300, connections: 8, seconds: 1, rounds: 1, seed: 1 };
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
        'recommendations, first page',
        'offers',
      ]);
      for (const line of lines) {
        expect(line.errors).toBe(0);
        expect(line.requestsPerSecond).toBeGreaterThan(0);
        expect(line.cpuMicrosPerRequest).toBeGreaterThan(0);
      }
      expect(lines[1]?.ratioToNodeHttpGet).toBe(1);
    },
    240_000,
  );
});
