/**
 * Physical lines of a text file as a table (`line` from 1, `text`), read by DuckDB. Lines rather than CSV records: a
 * quote that is never closed then costs its own line and not the rest of the file, and every row has its line number.
 */
import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { pathPattern, sqlText } from '../lake.ts';
import { copyPlainly, type OnScan, scanText, type TextFile } from './scan-text.ts';

export type ReadOptions = {
  /** A path for a copy of the text, should it need one; deleted afterwards. */
  scratchFile: string;
  onScan?: OnScan;
};

/**
 * Fills `table` with the lines that are text (NULL: an empty line) and `brokenTable` with the numbers of those that
 * are not: bytes that are no text in the encoding, or more than 2 MB without an end. Answers how many lines after the
 * header hold something, as counted in the file itself.
 */
export async function readLines(
  connection: DuckDBConnection,
  file: TextFile,
  table: string,
  brokenTable: string,
  { scratchFile, onScan }: ReadOptions,
): Promise<number> {
  const { lines, needsCopy } = await scanText(file, onScan);
  if (needsCopy) await copyPlainly(file, scratchFile);
  try {
    await splitLines(connection, file, needsCopy ? scratchFile : undefined, table, brokenTable);
  } finally {
    if (needsCopy) await rm(scratchFile, { force: true });
  }
  return lines;
}

async function splitLines(
  connection: DuckDBConnection,
  file: TextFile,
  copy: string | undefined,
  table: string,
  brokenTable: string,
): Promise<void> {
  const given = file.format === 'csv' ? file.encoding : 'utf-8';
  const encoding = copy !== undefined && given === 'utf-16' ? 'utf-8' : given;
  const compression = copy === undefined && file.compressed ? 'gzip' : 'none';
  await connection.run('DROP TABLE IF EXISTS temp.reject_errors; DROP TABLE IF EXISTS temp.reject_scans');
  // One column, no quotes, and a delimiter that the text does not hold: what is left of the CSV reader is its line splitting.
  await connection.run(`CREATE OR REPLACE TABLE ${table} AS
    SELECT row_number() OVER () AS line, text FROM read_csv(${sqlText(pathPattern(copy ?? file.path))}, auto_detect = false,
      header = false, columns = {'text': 'VARCHAR'}, delim = '\x1f', quote = '', escape = '', strict_mode = false,
      encoding = '${encoding}', compression = '${compression}', hive_partitioning = false, store_rejects = true, rejects_limit = 0)`);
  await connection.run(
    `CREATE OR REPLACE TABLE ${brokenTable} AS SELECT DISTINCT line::BIGINT AS line FROM temp.reject_errors`,
  );
  const broken = await connection.runAndReadAll(`SELECT count(*) FROM ${brokenTable}`);
  if (Number(broken.value(0, 0)) === 0) return;
  // Broken lines were left out above: whatever follows the k-th of them (on line b) stands k lines further down.
  await connection.run(`CREATE OR REPLACE TABLE ${table} AS
    SELECT l.line + coalesce(b.k, 0) AS line, l.text FROM ${table} l
    ASOF LEFT JOIN (SELECT line - k AS before, max(k) AS k
      FROM (SELECT line, row_number() OVER (ORDER BY line) AS k FROM ${brokenTable}) GROUP BY before) b
    ON l.line > b.before`);
}
