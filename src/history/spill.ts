/** Folders that DuckDB spills into: it removes them at the end, unless it was killed. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const spillPrefix = 'spill-';

/** By age and not by process id: the processes that share a data folder may be in containers of their own. */
const untouchedMs = 24 * 3600 * 1000;

/** Removes the spill folders in `<dataDir>/tmp` in which nothing was written for a day. `now`: milliseconds since 1970. */
export async function removeOldSpills(temporary: string, now: number): Promise<void> {
  for (const name of await readdir(temporary)) {
    if (!name.startsWith(spillPrefix)) continue;
    const folder = join(temporary, name);
    if (now - (await lastWritten(folder)) > untouchedMs) await rm(folder, { recursive: true, force: true });
  }
}

/** Infinity: it is gone by now. */
async function lastWritten(folder: string): Promise<number> {
  try {
    const paths = (await readdir(folder)).map((name) => join(folder, name));
    return Math.max(
      ...(await Promise.all([folder, ...paths].map(async (path) => (await stat(path)).mtimeMs))),
    );
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
