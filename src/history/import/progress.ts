/** Progress while a file is read: DuckDB tells how far its scan is. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import type { ImportContext } from './import-options.ts';
import { refuseBrokenGzip } from './input-file.ts';

const pollMs = 250;

/** Share of the whole import that is reading. */
const readingShare = 0.6;

/** Runs the reading of file `number` and reports its share of the bytes meanwhile. */
export async function reading(
  context: ImportContext,
  number: number,
  read: () => Promise<void>,
): Promise<void> {
  const { files, lake, progress } = context;
  const sizes = files.map(({ bytes }) => bytes);
  const total = Math.max(
    1,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  );
  const before = sizes.slice(0, number).reduce((sum, bytes) => sum + bytes, 0);
  const file = files[number];
  const path = file?.path ?? '';
  await lake.connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false');
  let furthest = 0;
  const timer = setInterval(() => {
    // Several statements a file: each begins at nothing again. The last tenth is for the ones after the scan.
    furthest = Math.max(furthest, Math.min(90, lake.connection.progress.percentage) / 100);
    progress(`reading ${path}`, (readingShare * (before + furthest * (sizes[number] ?? 0))) / total);
  }, pollMs);
  try {
    const check = file?.compressed === true ? refuseBrokenGzip(file.path) : undefined;
    // Both to their end: the connection must be at rest before it is closed.
    for (const outcome of await Promise.allSettled([check, read()]))
      if (outcome.status === 'rejected') throw outcome.reason;
  } catch (err) {
    const message = err instanceof Error ? err.message : String(err);
    // A file that breaks off, or is not what its name says; anything else is a fault of ours and keeps its stack.
    if (!/^(IO Error|Invalid Input Error|Invalid Error)/.test(message)) throw err;
    throw new UsageError(`${path} cannot be read to its end. Is it complete? (${message})`);
  } finally {
    clearInterval(timer);
    await lake.connection.run('SET enable_progress_bar = false');
  }
}

export function shareRead({ files }: ImportContext, number: number): number {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const until = files.slice(0, number + 1).reduce((sum, { bytes }) => sum + bytes, 0);
  return (readingShare * until) / Math.max(1, total);
}

/** Rows that file `number` brought. */
export async function rowsOf(connection: DuckDBConnection, table: string, number: number): Promise<number> {
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE FROM ${table} WHERE file = ${number}`,
  );
  return Number(reader.value(0, 0));
}
