/**
 * One import at a time may write to a lake: two that overlap would each take the orders of both. The lock is DuckDB's own
 * on a database file in which nothing is kept: the operating system ends it with its process, however that dies.
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { sqlText } from '../lake.ts';

/** The operating system's lock does not keep a process from itself. */
const held = new Set<string>();

/**
 * Takes the lock for as long as the DuckDB of the connection is open; call the answer once it is closed. Throws a
 * UsageError where another import has it.
 */
export async function lockImports(connection: DuckDBConnection, dataDir: string): Promise<() => void> {
  const path = join(await realpath(join(dataDir, 'lake')), 'import.lock');
  if (held.has(path)) throw busy(dataDir, process.pid);
  held.add(path);
  try {
    await connection.run(`ATTACH ${sqlText(path)} AS import_lock (TYPE duckdb)`);
  } catch (err) {
    held.delete(path);
    const message = err instanceof Error ? err.message : String(err);
    if (/could not set lock/i.test(message)) throw busy(dataDir, /PID (\d+)/.exec(message)?.[1]);
    if (/not a valid DuckDB/.test(message))
      throw new UsageError(`The lock ${path} is broken. Delete the file while no import is running.`);
    throw err;
  }
  return () => {
    held.delete(path);
  };
}

function busy(dataDir: string, pid: number | string | undefined): UsageError {
  return new UsageError(
    `Another import is writing to the lake of ${dataDir}${pid === undefined ? '' : ` (process ${pid})`}. Start this one when it has ended.`,
  );
}
