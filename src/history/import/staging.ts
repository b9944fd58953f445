/** Where an import works: a DuckDB file in `<dataDir>/tmp`, so that a log may be larger than the memory. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lake, openLake, sqlText } from '../lake.ts';

const namePattern = /^import-(\d+)-[0-9a-f-]+\.duckdb(\.wal)?$/;

/** Runs `work` on a lake whose connection makes its tables in a staging file; the file is deleted afterwards. */
export async function withStaging<T>(dataDir: string, work: (lake: Lake) => Promise<T>): Promise<T> {
  const lake = await openLake(dataDir);
  const folder = join(dataDir, 'tmp');
  const path = join(folder, `import-${process.pid}-${randomUUID()}.duckdb`);
  try {
    await removeLeftovers(folder);
    await lake.connection.run(`ATTACH ${sqlText(path)} AS staging; USE staging`);
    return await work(lake);
  } finally {
    lake.close();
    await rm(path, { force: true });
    await rm(`${path}.wal`, { force: true });
  }
}

/** Staging files of imports that were killed. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = namePattern.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
}
