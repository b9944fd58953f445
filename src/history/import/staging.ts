/** Where an import works: a DuckDB file in `<dataDir>/tmp`, so that a log may be larger than the memory. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { LAKE_TABLES, type Lake, type LakeTable, openLake, sqlText } from '../lake.ts';
import { lockImports } from './import-lock.ts';
import { importPrefix } from './imported-parts.ts';
import { inferredPrefix } from './item-inference.ts';

/**
 * Runs `work` on a lake whose connection makes its tables in a staging file, which is deleted afterwards. `scratchFile`
 * is the path of another that may be written. Throws a UsageError while another import runs.
 */
export async function withStaging<T>(
  dataDir: string,
  work: (lake: Lake, scratchFile: string) => Promise<T>,
): Promise<T> {
  const lake = await openLake(dataDir, { memoryMb: stagingMemoryMb() });
  const path = join(dataDir, 'tmp', `${importPrefix}${process.pid}-${randomUUID()}`);
  let unlock = () => {};
  try {
    unlock = await lockImports(lake.connection, dataDir);
    await removeLeftovers(lake, dataDir);
    await lake.connection.run(`ATTACH ${sqlText(`${path}.duckdb`)} AS staging; USE staging`);
    return await work(lake, `${path}.txt`);
  } finally {
    lake.close();
    unlock();
    for (const ending of ['duckdb', 'duckdb.wal', 'txt']) await rm(`${path}.${ending}`, { force: true });
  }
}

/**
 * A quarter of the machine's, from one to four gigabytes: with less, a log of millions of rows is spilled to the disk again and
 * again.
 */
function stagingMemoryMb(): number {
  return Math.round(Math.min(4096, Math.max(1024, totalmem() / 4 / 2 ** 20)));
}

/** What imports left that were killed: no other import is running, so all of it is theirs. */
async function removeLeftovers(lake: Lake, dataDir: string): Promise<void> {
  const remove = async (folder: string, isLeft: (name: string) => boolean) => {
    for (const name of await readdir(folder))
      if (isLeft(name)) await rm(join(folder, name), { recursive: true, force: true });
  };
  await remove(join(dataDir, 'tmp'), (name) => name.startsWith(importPrefix));
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[])
    await remove(
      lake.folder(table),
      (name) => name.endsWith('.tmp') && (name.startsWith(importPrefix) || name.startsWith(inferredPrefix)),
    );
}
