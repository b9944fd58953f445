import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withStaging } from '../../../src/history/import/staging.ts';
import { openShop } from './support.ts';

test('tables of an import are in a file that goes with it, also when the work fails', async () => {
  const { dataDir } = await openShop();
  const work = withStaging(dataDir, async ({ connection }) => {
    await connection.run('CREATE TABLE t AS SELECT 1');
    expect((await readdir(join(dataDir, 'tmp'))).some((name) => name.endsWith('.duckdb'))).toBe(true);
    throw new Error('in the middle');
  });
  await expect(work).rejects.toThrow('in the middle');
  expect(await readdir(join(dataDir, 'tmp'))).toEqual([]);
});

test('what a killed import left is removed; what a living one works with, and files of others, are not', async () => {
  const { dataDir } = await openShop();
  const folder = join(dataDir, 'tmp');
  await mkdir(folder, { recursive: true });
  // Process ids end below 2^22 on Linux: nobody has this one.
  const dead = join(folder, 'import-99999999-0a.duckdb');
  const alive = join(folder, `import-${process.pid}-0a.duckdb`);
  const other = join(folder, 'duckdb_temp_storage-0.tmp');
  for (const path of [dead, `${dead}.wal`, alive, other]) await writeFile(path, '');
  await withStaging(dataDir, async () => {});
  expect([dead, `${dead}.wal`, alive, other].map((path) => existsSync(path))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
