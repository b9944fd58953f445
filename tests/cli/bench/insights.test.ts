import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { benchInsights, type InsightsBenchLine } from '../../../src/cli/bench/insights.ts';

const onLinux = test.skipIf(!existsSync('/proc/self/status'));

onLinux(
  'a scan, three periods and an experiment of one simulated lake, which is used again where it is kept',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nextbest-bench-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const run = async () => {
      const lines: InsightsBenchLine[] = [];
      await benchInsights(
        { events: 3000, seed: 1, repeats: 1, folder },
        (line) => lines.push(line),
        () => {},
      );
      return lines;
    };
    const lines = await run();
    expect(lines.map(({ question }) => question)).toEqual([
      'plain scan',
      '90 days',
      'a year',
      'all',
      'experiment',
    ]);
    for (const line of lines) {
      // 3,000 events are 23 customers of about 133; the seed's chance is the rest.
      expect(line.customers).toBe(23);
      expect(line.events).toBeGreaterThan(1000);
      expect(line.events).toBeLessThan(9000);
      expect(line.rows).toBeGreaterThan(line.events);
      expect(line.ratioToScan).toBeCloseTo(line.wallSeconds / lines[0]!.wallSeconds, 6);
    }
    const madeAt = (await stat(join(folder, 'data', 'lake', 'events'))).mtimeMs;
    await run();
    expect((await stat(join(folder, 'data', 'lake', 'events'))).mtimeMs).toBe(madeAt);
    // What the lake was made of goes.
    expect(existsSync(join(folder, 'simulated'))).toBe(false);
  },
);
