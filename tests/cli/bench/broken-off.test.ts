/** A measurement that is broken off leaves nothing behind. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { sandbox } from '../../support/nextbest.ts';

const { start } = await sandbox();
const temporary = await mkdtemp(join(tmpdir(), 'nextbest-broken-off-'));
afterAll(() => rm(temporary, { recursive: true, force: true, maxRetries: 10 }));

/** Processes that were started with this folder for temporary files, by what they run. */
async function processesIn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      if (!environment.split('\0').includes(`TMPDIR=${folder}`)) return [];
      return [(await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).replaceAll('\0', ' ')];
    }),
  );
  return found.flat();
}

test.skipIf(process.platform !== 'linux')(
  'a measurement ended by SIGTERM ends its servers, its Redis and its folders',
  async () => {
    const bench = start(['bench', 'overload', '--seconds', '600'], { TMPDIR: temporary });
    while (!bench.stderr().includes('as much as it answers')) await sleep(50);
    // A process that has just been started has the words of whoever started it for a moment, and the load tool is started after this is said.
    await eventually(async () => {
      const running = await processesIn(temporary);
      for (const name of ['serve', 'overload-load.js', 'redis'])
        expect(
          running.filter((line) => line.includes(name)),
          name,
        ).not.toEqual([]);
    });
    const exited = once(bench.process, 'exit');
    bench.process.kill('SIGTERM');
    expect(await exited).toEqual([null, 'SIGTERM']);
    // The host of the Redis is a process of its own, which sees by itself that nobody is there any more.
    await expect.poll(() => processesIn(temporary)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
  },
);

test('no measurement starts a process that would be left', async () => {
  const folder = resolve(import.meta.dirname, '../../../src/cli/bench');
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const left: string[] = [];
  for (const name of files) {
    const text = await readFile(join(folder, name), 'utf8');
    if (/\bspawn\(/.test(text) && !/\bbound\(|whenBrokenOff\(/.test(text)) left.push(name);
    if (/\bmkdtemp\(/.test(text) && !text.includes('whenBrokenOff(')) left.push(name);
  }
  expect(left).toEqual([]);
});
