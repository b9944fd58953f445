import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MARK, watchUsage } from '../../../src/cli/bench/process-usage.ts';
import { benchTrain, type TrainBenchLine } from '../../../src/cli/bench/train.ts';

const onLinux = test.skipIf(!existsSync('/proc/self/status'));

onLinux('the stages run as commands, and each has its time, memory and interactions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nextbest-bench-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const lines: TrainBenchLine[] = [];
  await benchTrain(
    { interactions: 3000, seed: 1, folder, only: ['simulate', 'import'] },
    (line) => lines.push(line),
    () => {},
  );
  expect(lines.map(({ stage }) => stage)).toEqual(['simulate', 'import']);
  for (const line of lines) {
    // 3,000 interactions are 100 customers of about 30; the seed's chance is the rest.
    expect(line.customers).toBe(100);
    expect(line.interactions).toBeGreaterThan(1500);
    expect(line.interactions).toBeLessThan(6000);
    expect(line.peakMb).toBeGreaterThan(30);
    expect(line.microsPerInteraction).toBeCloseTo((line.cpuSeconds * 1e6) / line.interactions, 6);
  }
});

onLinux('what a process and its detached children use is counted, others are not', async () => {
  const hungry = `const a = Buffer.alloc(100 << 20, 1); const until = Date.now() + 1500; while (Date.now() < until);`;
  const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(hungry)}], { detached: true });`;
  const watch = watchUsage('this-test');
  const run = (mark: string, code: string) =>
    once(spawn(process.execPath, ['-e', code], { env: { ...process.env, [MARK]: mark } }), 'exit');
  await Promise.all([run('this-test', parent), run('another', hungry)]);
  const { cpuSeconds, peakMb } = await watch.stop();
  // The child holds 100 MB, and two processes of Node some 50 each; the other test's 100 MB are not among them.
  expect(peakMb).toBeGreaterThan(100);
  expect(peakMb).toBeLessThan(300);
  expect(cpuSeconds).toBeGreaterThan(0.2);
});
