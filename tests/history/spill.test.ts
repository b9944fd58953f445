import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLake } from '../../src/history/lake.ts';
import { removeOldSpills } from '../../src/history/spill.ts';
import { openShop } from './import/support.ts';

const DAY = 24 * 3600 * 1000;

test('two lakes of one data folder that spill at once keep their pages apart, and leave none', async () => {
  const { dataDir } = await openShop();
  const lakes = [await openLake(dataDir, { memoryMb: 50 }), await openLake(dataDir, { memoryMb: 50 })];
  // 2 million hashes of 32 characters are 64 MB at least: more than the memory.
  const hash = (k: number) => `md5((i + ${k})::VARCHAR)`;
  for (const [k, { connection }] of lakes.entries())
    await connection.run(`CREATE TEMP TABLE t AS SELECT i, ${hash(k)} AS h FROM range(2000000) r(i)`);
  expect(await readdir(join(dataDir, 'tmp'))).toHaveLength(2);
  for (const [k, { connection }] of lakes.entries()) {
    const wrong = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM t WHERE h <> ${hash(k)}`);
    expect(wrong.value(0, 0)).toBe(0);
  }
  for (const lake of lakes) lake.close();
  expect(await readdir(join(dataDir, 'tmp'))).toEqual([]);
});

test('folders in which nothing was written for a day are removed; a file that was written keeps its folder', async () => {
  const { dataDir } = await openShop();
  const tmp = join(dataDir, 'tmp');
  const now = Date.parse('2026-06-02T00:00:00Z');
  const make = async (name: string, folderAgeMs: number, fileAgeMs: number) => {
    const folder = join(tmp, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'x.tmp'), '');
    await utimes(join(folder, 'x.tmp'), new Date(now - fileAgeMs), new Date(now - fileAgeMs));
    await utimes(folder, new Date(now - folderAgeMs), new Date(now - folderAgeMs));
    return folder;
  };
  const old = await make('spill-1-a', DAY + 1, DAY + 1);
  const kept = [
    await make('spill-1-b', DAY + 1, DAY),
    await make('spill-1-c', DAY, DAY + 1),
    await make('other', 9 * DAY, 9 * DAY),
  ];
  await removeOldSpills(tmp, now);
  expect(existsSync(old)).toBe(false);
  expect(kept.map((folder) => existsSync(folder))).toEqual([true, true, true]);
});
