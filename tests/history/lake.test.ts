import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Lake, listParts, openLake, writeParts } from '../../src/history/lake.ts';

async function temporaryLake(): Promise<Lake> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-lake-'));
  const lake = await openLake(dataDir);
  onTestFinished(async () => {
    lake.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return lake;
}

const item = (id: string) =>
  `SELECT '${id}' AS "itemId", TIMESTAMP '2026-01-01' AS "updatedAt", '{}' AS json`;

test('parts that belong together appear together', async () => {
  const lake = await temporaryLake();
  await writeParts(lake, [
    { table: 'items', name: 'b', query: item('b') },
    { table: 'items', name: 'a', query: item('a') },
  ]);
  expect(await listParts(lake, 'items')).toEqual(['a.parquet', 'b.parquet']);
});

test('none of them appears where one cannot be written, and nothing is left of the others', async () => {
  const lake = await temporaryLake();
  const parts = [
    { table: 'items', name: 'a', query: item('a') },
    {
      table: 'items',
      name: 'b',
      query: `SELECT error('full') AS "itemId", NULL AS "updatedAt", NULL AS json`,
    },
  ] as const;
  await expect(writeParts(lake, parts)).rejects.toThrow('full');
  expect(await readdir(lake.folder('items'))).toEqual([]);
  await expect(writeParts(lake, [...parts].reverse())).rejects.toThrow('full');
  expect(await readdir(lake.folder('items'))).toEqual([]);
});

test('times are UTC, whatever the machine thinks', async () => {
  const lake = await temporaryLake();
  const reader = await lake.connection.runAndReadAll(`SELECT current_setting('TimeZone')`);
  expect(reader.value(0, 0)).toBe('UTC');
});
