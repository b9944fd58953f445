/** Rows of CSV, NDJSON and Parquet files as one table of text columns, each row with its file and line. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { pathPattern, sqlText } from '../lake.ts';
import type { FoundColumns } from './columns.ts';
import type { InputFile } from './input-file.ts';
import { type ReadOptions, readLines } from './read-lines.ts';
import { column } from './sql.ts';

/** Lines that one quoted value may span; a quote that is not closed by then is a fault of its line. */
const maxLinesOfARecord = 1000;

/**
 * A position that sorts rows as they were read: the file's number in the high bits, the line in the low ones.
 */
function position(fileNumber: number, line: string): string {
  return `(${fileNumber}::BIGINT << 40) + ${line}`;
}

/** Makes the empty table that `appendRecords` fills: `pos, file, line, malformed` and the source's columns. */
export async function createRecordTable(
  connection: DuckDBConnection,
  table: string,
  names: readonly string[],
): Promise<void> {
  const columns = names.map((name) => `, ${column(name)} VARCHAR`).join('');
  await connection.run(
    `CREATE OR REPLACE TABLE ${table} (pos BIGINT, file INTEGER, line BIGINT, malformed BOOLEAN${columns})`,
  );
}

/**
 * Appends a file's rows to a table of `createRecordTable`. Values are trimmed; empty ones are NULL. Answers how many rows
 * the file has, counted without that table: whoever loses one on the way is found out.
 */
export async function appendRecords(
  connection: DuckDBConnection,
  file: InputFile,
  fileNumber: number,
  found: FoundColumns,
  table: string,
  names: readonly string[],
  options: ReadOptions,
): Promise<number> {
  const insert = (rows: string, values: (name: string) => string, malformed: string) =>
    connection.run(`INSERT INTO ${table}
      SELECT ${position(fileNumber, 'line')}, ${fileNumber}, line, ${malformed}
        ${names.map((name) => `, nullif(trim(${values(name)}), '')`).join('')} FROM ${rows}`);

  if (file.format === 'parquet') {
    const path = sqlText(pathPattern(file.path));
    const value = (name: string) =>
      found.has(name) ? `${column(found.get(name) ?? '')}::VARCHAR` : 'NULL::VARCHAR';
    await insert(
      `(SELECT *, file_row_number + 1 AS line
        FROM read_parquet(${path}, file_row_number = true, hive_partitioning = false))`,
      value,
      'false',
    );
    const counted = await connection.runAndReadAll(
      `SELECT sum(num_rows)::DOUBLE FROM parquet_file_metadata(${path})`,
    );
    return Number(counted.value(0, 0));
  }

  let rows = await readLines(connection, file, 'text_lines', 'broken_lines', options);
  if (file.format === 'ndjson') {
    const value = (name: string) => {
      const key = found.get(name);
      return key === undefined ? 'NULL' : `json_extract_string(json, ${sqlText(`/${jsonPointer(key)}`)})`;
    };
    await insert(
      `(SELECT line, CASE WHEN json_type(json) = 'OBJECT' THEN json END AS json
        FROM (SELECT line, TRY_CAST(text AS JSON) AS json FROM text_lines WHERE trim(text) <> ''))`,
      value,
      'json IS NULL',
    );
  } else {
    const value = (name: string) => {
      const at = found.has(name) ? file.columns.indexOf(found.get(name) ?? '') + 1 : 0;
      return at === 0
        ? 'NULL::VARCHAR'
        : `CASE WHEN quoted AND starts_with(fields[${at}], '"')
             THEN replace(fields[${at}][2:-2], '""', '"') ELSE fields[${at}] END`;
    };
    const split = splitter(file, false);
    await insert(
      `(SELECT line, contains(text, '"') AS quoted, ${split('text')} AS fields FROM text_lines
        WHERE line > ${file.headerLines} AND trim(text) <> '')`,
      value,
      'fields IS NULL',
    );
    const malformed = `SELECT line FROM ${table} WHERE file = ${fileNumber} AND malformed`;
    const remedy = async (remedied: string) => {
      await connection.run(`DELETE FROM ${table} USING ${remedied} j
        WHERE file = ${fileNumber} AND ${table}.line BETWEEN j.line AND j.last`);
      await insert(`(SELECT line, true AS quoted, fields FROM ${remedied})`, value, 'false');
    };
    if (await joinCutLines(connection, malformed, split)) {
      await remedy('joined_lines');
      rows -= await continuationLines(connection);
    }
    if (await readLeniently(connection, malformed, splitter(file, true))) await remedy('lenient_lines');
  }
  const headerLines = file.format === 'csv' ? file.headerLines : 0;
  await insert(`(SELECT line FROM broken_lines WHERE line > ${headerLines})`, () => 'NULL::VARCHAR', 'true');
  await connection.run('DROP TABLE text_lines; DROP TABLE broken_lines');
  return rows;
}

/** A key as RFC 6901 writes it: unlike DuckDB's own paths, it may hold quotes. */
function jsonPointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * Appends the lines of an NDJSON file as they are, in the one column `json`; what is no JSON object is malformed. Answers
 * how many rows the file has, as `appendRecords` does.
 */
export async function appendJsonLines(
  connection: DuckDBConnection,
  file: InputFile & { format: 'ndjson' },
  fileNumber: number,
  table: string,
  options: ReadOptions,
): Promise<number> {
  const rows = await readLines(connection, file, 'text_lines', 'broken_lines', options);
  const insert = (source: string, json: string) =>
    connection.run(
      `INSERT INTO ${table} SELECT ${position(fileNumber, 'line')}, ${fileNumber}, line, ${json} IS NULL, ${json} FROM ${source}`,
    );
  await insert(
    `(SELECT line, CASE WHEN json_type(json) = 'OBJECT' THEN json::VARCHAR END AS json
      FROM (SELECT line, TRY_CAST(text AS JSON) AS json FROM text_lines WHERE trim(text) <> ''))`,
    'json',
  );
  await insert('broken_lines', 'NULL::VARCHAR');
  await connection.run('DROP TABLE text_lines; DROP TABLE broken_lines');
  return rows;
}

/**
 * SQL of a record's fields as a list, with their quotes; NULL where they are not as many as the header's, or misquoted.
 * Leniently, a value that does not begin with a quote may hold some (`6" NAILS`).
 */
function splitter(file: InputFile & { format: 'csv' }, lenient: boolean): (text: string) => string {
  const width = file.columns.length;
  const d = file.delimiter.replace(/[|.*+?^${}()[\]\\]/g, '\\$&');
  const unquoted = lenient ? `[^"${d}\\n][^${d}\\n]*|` : `[^"${d}\\n]*`;
  const value = `"(?:[^"]|"")*"|${unquoted}`;
  const record = sqlText(`(?:${d}(?:${value}))*`);
  const delimiter = sqlText(file.delimiter);
  // With a delimiter before the first value too, no match is empty: the search would step over what follows it.
  return (text) => `CASE WHEN contains(${text}, '"')
      THEN CASE WHEN regexp_full_match(${delimiter} || ${text}, ${record})
                 AND len(regexp_extract_all(${delimiter} || ${text}, ${sqlText(`${d}(${value})`)}, 1)) = ${width}
                THEN regexp_extract_all(${delimiter} || ${text}, ${sqlText(`${d}(${value})`)}, 1) END
      WHEN length(${text}) - length(replace(${text}, ${delimiter}, '')) = ${width - 1}
      THEN string_split(${text}, ${delimiter}) END`;
}

/**
 * A quoted value may hold line breaks: a line that is cut off inside quotes is joined with the lines up to the next such
 * line, and the outcome counts where it is a record; else each line stands for itself. Makes `joined_lines` (`line, last,
 * fields`); answers whether there are any.
 */
async function joinCutLines(
  connection: DuckDBConnection,
  malformed: string,
  split: (text: string) => string,
): Promise<boolean> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE cut_lines AS
    SELECT line, row_number() OVER (ORDER BY line) AS nth, lead(line) OVER (ORDER BY line) AS next
    FROM text_lines WHERE line IN (${malformed}) AND (length(text) - length(replace(text, '"', ''))) % 2 = 1`);
  // Of a chain of cut lines that each fit with the next, the 1st opens what the 2nd closes, the 3rd what the 4th closes.
  await connection.run(`CREATE OR REPLACE TEMP TABLE joined_lines AS
    WITH bodies AS (
      SELECT c.line, any_value(c.next) AS last, any_value(c.nth) AS nth,
        string_agg(coalesce(l.text, ''), chr(10) ORDER BY l.line) AS body
      FROM cut_lines c JOIN text_lines l ON l.line BETWEEN c.line AND c.next
      WHERE c.next - c.line <= ${maxLinesOfARecord} GROUP BY c.line),
    fitting AS (
      SELECT *, nth - row_number() OVER (ORDER BY nth) AS chain
      FROM (SELECT line, last, nth, ${split('body')} AS fields FROM bodies) WHERE fields IS NOT NULL)
    SELECT line, last, fields FROM (
      SELECT *, row_number() OVER (PARTITION BY chain ORDER BY nth) AS link FROM fitting) WHERE link % 2 = 1`);
  const joined = await connection.runAndReadAll('SELECT count(*) FROM joined_lines');
  return Number(joined.value(0, 0)) > 0;
}

/** Lines that belong to a record of `joined_lines` which began on an earlier one. */
async function continuationLines(connection: DuckDBConnection): Promise<number> {
  const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM text_lines l
    JOIN joined_lines j ON l.line > j.line AND l.line <= j.last WHERE trim(l.text) <> ''`);
  return Number(counted.value(0, 0));
}

/** Makes `lenient_lines` (`line, last, fields`) of the lines that were malformed for a quote inside a value only. */
async function readLeniently(
  connection: DuckDBConnection,
  malformed: string,
  split: (text: string) => string,
): Promise<boolean> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE lenient_lines AS
    SELECT line, line AS last, fields FROM (
      SELECT line, ${split('text')} AS fields FROM text_lines WHERE line IN (${malformed}) AND contains(text, '"'))
    WHERE fields IS NOT NULL`);
  const lenient = await connection.runAndReadAll('SELECT count(*) FROM lenient_lines');
  return Number(lenient.value(0, 0)) > 0;
}
