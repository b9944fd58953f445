import { expect, test } from 'vitest';
import { benchOverload, type OverloadBenchLine } from '../../../src/cli/bench/overload.ts';

test('what is asked for is accepted or refused, with nothing lost between, and the service answers again', async () => {
  const lines: OverloadBenchLine[] = [];
  await benchOverload(
    { seconds: 2, connections: 1000 },
    (line) => lines.push(line),
    () => {},
  );
  expect(lines.map(({ load }) => load)).toEqual([1, 2]);
  for (const line of lines) {
    expect(line.errors).toBe(0);
    expect(line.acceptedPerSecond).toBeGreaterThan(0);
    expect(line.acceptedPerSecond).toBeCloseTo(line.offeredPerSecond * (1 - line.refusedShare), 6);
    expect(line.acceptedP99Ms).toBeGreaterThanOrEqual(line.acceptedP50Ms);
    expect(line.recoveredMs).toBeGreaterThan(0);
  }
  // Callers that wait for their answers are never too many.
  expect(lines[0]?.refusedShare).toBe(0);
  expect(lines[1]?.refusedShare).toBeGreaterThan(0);
});
