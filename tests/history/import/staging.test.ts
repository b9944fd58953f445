import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
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

test('what killed imports left is removed, in the lake too; files of others are not', async () => {
  const { dataDir } = await openShop();
  const [tmp, events] = [join(dataDir, 'tmp'), join(dataDir, 'lake', 'events')];
  for (const folder of [tmp, events]) await mkdir(folder, { recursive: true });
  const left = [
    join(tmp, 'import-99-0a.duckdb'),
    join(tmp, 'import-99-0a.duckdb.wal'),
    join(tmp, `import-${process.pid}-0b.txt`),
    join(events, 'import-0c.parquet.99-1.tmp'),
    join(events, 'inferred-0c.parquet.99-1.tmp'),
  ];
  const others = [
    join(tmp, 'other.txt'),
    join(events, 'stream-0-1.parquet.99-1.tmp'),
    join(events, 'import-0d.parquet'),
  ];
  for (const path of [...left, ...others]) await writeFile(path, '');
  await withStaging(dataDir, async () => {});
  expect(left.filter((path) => existsSync(path))).toEqual([]);
  expect(others.filter((path) => existsSync(path))).toEqual(others);
});

test('only one import at a time works on a lake; when it has ended, however, the next may', async () => {
  const { dataDir } = await openShop();
  await withStaging(dataDir, async () => {
    const second = withStaging(dataDir, async () => {});
    await expect(second).rejects.toBeInstanceOf(UsageError);
    await expect(second).rejects.toThrow(`Another import is writing to the lake of ${dataDir}`);
  });
  await expect(withStaging(dataDir, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await withStaging(dataDir, async () => 'done')).toBe('done');
});

test('a lock file that is none tells what to do', async () => {
  const { dataDir } = await openShop();
  await mkdir(join(dataDir, 'lake'), { recursive: true });
  await writeFile(join(dataDir, 'lake', 'import.lock'), 'x');
  await expect(withStaging(dataDir, async () => {})).rejects.toThrow(
    /import.lock is broken. Delete the file/,
  );
});
