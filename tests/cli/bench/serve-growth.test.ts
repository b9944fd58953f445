import { expect, test } from 'vitest';
import type { ServeBenchLine } from '../../../src/cli/bench/serve.ts';
import { serveGrowth } from '../../../src/cli/bench/serve-growth.ts';

function line(name: string, p50Ms: number, cpuMicrosPerRequest: number, asked?: string): ServeBenchLine {
  const rest = { requestsPerSecond: 1, p99Ms: 1, ratioToNodeHttpGet: 1, p99RatioToNodeHttpGet: 1, errors: 0 };
  return { name, p50Ms, cpuMicrosPerRequest, ...rest, ...(asked !== undefined && { asked }) };
}

test('what a call takes with more items is set beside what it took, and beside what the bare server did meanwhile', () => {
  const fewer = [line('node:http+GET', 2, 50), line('recommendations', 4, 100, 'all of them')];
  const more = [
    line('node:http+GET', 3, 60),
    line('recommendations', 9, 110, 'all of them'),
    line('offers', 5, 100, 'all of them'),
  ];
  expect(serveGrowth({ items: 10, lines: fewer }, { items: 1000, lines: more })).toEqual([
    {
      name: 'recommendations',
      items: [10, 1000],
      p50Ratio: 2.25,
      p50RatioBesideNodeHttpGet: 1.5,
      cpuRatio: 1.1,
    },
  ]);
});
