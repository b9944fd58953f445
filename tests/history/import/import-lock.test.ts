/** Imports as real processes: killed in the middle, and two at once. */
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withStaging } from '../../../src/history/import/staging.ts';
import { openLake } from '../../../src/history/lake.ts';
import { sandbox } from '../../support/nextbest.ts';

const { dataDir, run, start } = await sandbox();
const folder = dirname(dataDir);
const args = ['import', '--preset', 'generic'];

/** Orders `first` to `last - 1`, each of two lines. */
async function orders(name: string, first: number, last: number): Promise<string> {
  const lines = ['order,customer,item,date,quantity,price'];
  for (let n = first; n < last; n++)
    for (const item of ['tea', `item-${n % 97}`])
      lines.push(`${n},customer-${n % 1009},${item},2026-05-01,1,2.50`);
  const path = join(folder, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

/** Events and lines in the lake of this file's data folder. */
async function inLake(within = dataDir): Promise<{ events: number; lines: number }> {
  const lake = await openLake(within);
  try {
    const reader = await lake.connection.runAndReadAll(
      `SELECT count(DISTINCT eventId)::INTEGER AS events, count(*)::INTEGER AS lines FROM ${lake.from('events')}`,
    );
    return reader.getRowObjectsJson()[0] as { events: number; lines: number };
  } finally {
    lake.close();
  }
}

async function filesIn(path: string): Promise<string[]> {
  return existsSync(path) ? (await readdir(path, { recursive: true })).sort() : [];
}

test('killed in the middle, an import has changed nothing; the next has all of it once and clears up', async () => {
  const within = join(folder, 'killed');
  const env = { DATA_DIR: within };
  const path = await orders('killed.csv', 0, 100_000);
  const killed = start([...args, path], env);
  const isStaged = async () => (await filesIn(join(within, 'tmp'))).some((name) => name.endsWith('.duckdb'));
  while (!(await isStaged()) && killed.process.exitCode === null) await sleep(5);
  killed.process.kill('SIGKILL');
  await killed.ended;
  expect(killed.process.signalCode).toBe('SIGKILL');
  expect(await isStaged()).toBe(true);
  expect(await inLake(within)).toEqual({ events: 0, lines: 0 });

  expect((await run([...args, path], env)).exitCode).toBe(0);
  expect(await inLake(within)).toEqual({ events: 100_000, lines: 200_000 });
  expect(await filesIn(join(within, 'tmp'))).toEqual([]);
  expect((await filesIn(join(within, 'lake'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('killed while its parts appear, an import lacks nothing and doubles nothing after the next', async () => {
  const within = join(folder, 'writing');
  const env = { DATA_DIR: within };
  const path = await orders('writing.csv', 0, 100_000);
  const killed = start([...args, path], env);
  const isWriting = async () =>
    (await filesIn(join(within, 'lake'))).some((name) => name.includes('.parquet'));
  while (!(await isWriting()) && killed.process.exitCode === null) await sleep(1);
  killed.process.kill('SIGKILL');
  await killed.ended;
  expect((await run([...args, path], env)).exitCode).toBe(0);
  expect(await inLake(within)).toEqual({ events: 100_000, lines: 200_000 });
  expect((await filesIn(join(within, 'lake'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('while one imports, another process is told to wait', async () => {
  const path = await orders('waiting.csv', 0, 10);
  await withStaging(dataDir, async () => {
    const second = await run([...args, path]);
    expect(second.exitCode).toBe(2);
    expect(second.stderr).toContain(
      `Another import is writing to the lake of ${dataDir} (process ${process.pid}). Start this one when it has ended.`,
    );
  });
  expect((await run([...args, path])).exitCode).toBe(0);
  expect(await inLake()).toEqual({ events: 10, lines: 20 });
});

test('two at once, of the same file or of files that overlap, double nothing', async () => {
  const within = join(folder, 'both');
  const env = { DATA_DIR: within };
  const paths = [
    await orders('same.csv', 0, 20_000),
    await orders('same.csv', 0, 20_000),
    await orders('overlapping.csv', 10_000, 30_000),
  ];
  const both = await Promise.all(paths.map((path) => run([...args, path], env)));
  // Whoever comes while another is at it is sent away; who comes after it finds all of it there.
  for (const { exitCode, stderr } of both) {
    expect([0, 2]).toContain(exitCode);
    if (exitCode === 2) expect(stderr).toContain('Another import is writing');
  }
  expect(both.map(({ exitCode }) => exitCode)).toContain(0);
  for (const path of paths) expect((await run([...args, path], env)).exitCode).toBe(0);
  expect(await inLake(within)).toEqual({ events: 30_000, lines: 60_000 });
});
