/** Files that appear whole or not at all, and survive a power cut once they have appeared. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Flushes a file or folder to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Lets `write` fill a temporary file (or folder) beside `path`, then moves it into place in one step. */
export async function writeAtomically(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${process.pid}-${Math.round(performance.now() * 1000)}.tmp`;
  try {
    await write(temporary);
    await syncPath(temporary);
    await rename(temporary, path);
    await syncPath(dirname(path));
  } catch (err) {
    await rm(temporary, { recursive: true, force: true });
    throw err;
  }
}
