/** Progress while a file is read: first it is looked through, then DuckDB tells how far its scan is. */
import { UsageError } from '../../domain/errors.ts';
import type { ImportContext } from './import-options.ts';
import type { ReadOptions } from './read-lines.ts';

const pollMs = 250;

/** Share of the whole import that is reading. */
const readingShare = 0.6;
/** Share of reading a file that is looking through it. */
const lookingShare = 0.3;

/** Runs the reading of file `number`, which answers its rows, and reports share and rows meanwhile. */
export async function reading(
  context: ImportContext,
  number: number,
  read: (options: ReadOptions) => Promise<number>,
): Promise<number> {
  const { files, lake, progress, scratchFile } = context;
  const sizes = files.map(({ bytes }) => bytes);
  const total = Math.max(
    1,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
  );
  const before = sizes.slice(0, number).reduce((sum, bytes) => sum + bytes, 0);
  const size = sizes[number] ?? 0;
  const path = files[number]?.path ?? '';
  await lake.connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false');
  let looked = { share: 0, rows: 0 };
  let reported = 0;
  let furthest = 0;
  const report = (stage: string, share: number, rows: number) => {
    progress(`${stage} ${path}`, (readingShare * (before + share * size)) / total, rows - reported);
    reported = rows;
  };
  const timer = setInterval(() => {
    // Several statements a file: each begins at nothing again. The last tenth is for the ones after the scan.
    furthest = Math.max(furthest, Math.min(90, lake.connection.progress.percentage) / 100);
    report('reading', lookingShare * looked.share + (1 - lookingShare) * furthest, looked.rows);
  }, pollMs);
  try {
    const onScan = (share: number, rows: number) => {
      looked = { share, rows };
    };
    const rows = await read({ scratchFile, onScan });
    report('read', 1, rows);
    return rows;
  } catch (err) {
    const message = err instanceof Error ? err.message : String(err);
    // A file that is not what its name says; anything else is a fault of ours and keeps its stack.
    if (!/^(IO Error|Invalid Input Error|Invalid Error)/.test(message)) throw err;
    throw new UsageError(`${path} cannot be read to its end. Is it complete? (${message})`);
  } finally {
    clearInterval(timer);
    await lake.connection.run('SET enable_progress_bar = false');
  }
}
