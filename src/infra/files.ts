/** Files that appear whole or not at all, and survive a power cut once they have appeared. */
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../domain/errors.ts';

/**
 * Makes a folder where it is missing. Throws a UsageError that names it, and the setting that it comes from, where that
 * cannot be or nothing may be written into it.
 */
export async function ensureFolder(path: string, setting: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true, ...(mode !== undefined && { mode }) });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (err) {
    const { code, message } = err as NodeJS.ErrnoException;
    const cause =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'there is a file in its place'
        : code === 'EACCES' || code === 'EPERM'
          ? 'this user may not write there'
          : code === 'EROFS'
            ? 'the file system is read-only'
            : message;
    throw new UsageError(
      `The folder ${path} cannot be used: ${cause}. Set ${setting} to a folder that may be written to.`,
      { cause: err },
    );
  }
}

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

/** Whether there is a file or folder of that name; false also where this user may not look. */
export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
