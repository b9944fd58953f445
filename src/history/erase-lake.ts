/**
 * Erasing from the lake, and from everybody's scores. A part that holds rows of whoever is erased is written anew without them,
 * as the next generation of its name (part-names.ts): whoever is in the middle of reading the old file goes on with it, for
 * DuckDB opens files as it comes to them, and one that changed under its name would be read as damage. `removeSuperseded` ends
 * the old.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CustomerId, SessionId } from '../domain/ids.ts';
import { streamIdParts } from '../domain/stream-id.ts';
import { writeAtomically } from '../infra/files.ts';
import { LAKE_TABLES, type Lake, listParts, pathPattern, sqlText, writePart } from './lake.ts';
import { nextGeneration, partsToRead, streamPartsOf, supersededParts } from './part-names.ts';
import { scoresFolder, snapshotIds, snapshotParts } from './score-snapshots.ts';

/** Whose rows go: what happened until `until` (milliseconds since 1970), and all that had been written by then. */
export type ErasedSubject = { customerId: CustomerId; sessionIds: readonly SessionId[]; until: number };

const tables = ['events', 'decisions', 'merges'] as const;
type ErasedTable = (typeof tables)[number];
const timeColumn = {
  events: 'occurredAt',
  decisions: 'decidedAt',
  merges: 'mergedAt',
} as const satisfies Record<ErasedTable, string>;

/** Sessions that the customer was known in, by what the lake has. */
export async function linkedSessions(lake: Lake, customerId: CustomerId): Promise<SessionId[]> {
  const connection = await lake.connect();
  try {
    const sessions = await connection.runAndReadAll(
      `SELECT DISTINCT "sessionId" FROM (
         SELECT "sessionId" FROM ${lake.from('events')} WHERE "customerId" = $1
         UNION ALL SELECT "sessionId" FROM ${lake.from('merges')} WHERE "customerId" = $1
         UNION ALL SELECT "sessionId" FROM ${lake.from('decisions')} WHERE "customerId" = $1)
       WHERE "sessionId" IS NOT NULL ORDER BY 1`,
      [customerId],
    );
    return sessions.getRows().map(([id]) => id as SessionId);
  } finally {
    connection.closeSync();
  }
}

/** Ids that the lake links with a customer: the sessions that the customer was known in, and the decisions. */
export async function linkedIds(
  lake: Lake,
  erased: ErasedSubject,
): Promise<{ sessionIds: SessionId[]; decisionIds: string[] }> {
  const known = await linkedSessions(lake, erased.customerId);
  const sessionIds = [...new Set([...erased.sessionIds, ...known])];
  const connection = await lake.connect();
  try {
    await fillErased(connection, [{ ...erased, sessionIds }]);
    const decisions = await connection.runAndReadAll(
      `SELECT DISTINCT "decisionId" FROM ${lake.from('decisions')} t WHERE ${isTheirs('decisions', '-1')} ORDER BY 1`,
    );
    return { sessionIds, decisionIds: decisions.getRows().map(([id]) => String(id)) };
  } finally {
    connection.closeSync();
  }
}

/** Rows of the lake that are to go, by table. */
export async function countErasable(
  lake: Lake,
  erased: readonly ErasedSubject[],
): Promise<Record<ErasedTable, number>> {
  const counts = { events: 0, decisions: 0, merges: 0 };
  for (const table of tables)
    for (const { rows } of await partsWithThem(lake, table, erased)) counts[table] += rows;
  return counts;
}

/** Of which of the customers does the lake hold anything from after the erasure? */
export async function withLaterRows(lake: Lake, erased: readonly ErasedSubject[]): Promise<string[]> {
  const connection = await lake.connect();
  try {
    await fillErased(connection, erased);
    const reader = await connection.runAndReadAll(
      `SELECT DISTINCT t."customerId" FROM ${lake.from('events')} t JOIN erased e ON e.customerId = t."customerId"
       WHERE epoch_ms(t."occurredAt") > e.until`,
    );
    return reader.getRows().map(([id]) => String(id));
  } finally {
    connection.closeSync();
  }
}

/**
 * Writes every part anew that holds such rows; answers how many rows are gone, by table. Each part is written within `locked`,
 * which keeps the drain and the merging of parts away meanwhile.
 */
export async function eraseFromLake(
  lake: Lake,
  erased: readonly ErasedSubject[],
  locked: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Record<ErasedTable, number>> {
  const gone = { events: 0, decisions: 0, merges: 0 };
  for (const table of tables) {
    // Parts that are merged while this looks are found by looking again.
    for (let rounds = 0; rounds < roundsMax; rounds++) {
      const found = await partsWithThem(lake, table, erased);
      if (found.length === 0) break;
      for (const { file } of found) gone[table] += await locked(() => rewrite(lake, table, file, erased));
    }
  }
  return gone;
}
const roundsMax = 10;

async function rewrite(
  lake: Lake,
  table: ErasedTable,
  file: string,
  erased: readonly ErasedSubject[],
): Promise<number> {
  if (!partsToRead(await listParts(lake, table)).includes(file)) return 0;
  const connection = await lake.connect();
  try {
    await fillErased(connection, erased);
    const through = await writtenThrough(lake, table, file);
    const path = sqlText(join(pathPattern(lake.folder(table)), file));
    const counted = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE FROM read_parquet(${path}, hive_partitioning = false) t WHERE ${isTheirs(table, String(through))}`,
    );
    // A part of an earlier version may lack columns.
    const columns = LAKE_TABLES[table].map(([name, type]) => `NULL::${type} AS "${name}"`).join(', ');
    await writePart(
      { ...lake, connection },
      table,
      nextGeneration(file),
      `SELECT * FROM (SELECT ${columns} WHERE false UNION ALL BY NAME
         SELECT * FROM read_parquet(${path}, hive_partitioning = false)) t WHERE NOT ${isTheirs(table, String(through))}`,
    );
    return Number(counted.value(0, 0));
  } finally {
    connection.closeSync();
  }
}

async function partsWithThem(
  lake: Lake,
  table: ErasedTable,
  erased: readonly ErasedSubject[],
): Promise<{ file: string; rows: number }[]> {
  const files = partsToRead(await listParts(lake, table));
  if (files.length === 0) return [];
  const connection = await lake.connect();
  try {
    await fillErased(connection, erased);
    await connection.run('CREATE TEMP TABLE part_times (part VARCHAR, through DOUBLE)');
    const appender = await connection.createAppender('part_times');
    for (const file of files) {
      appender.appendVarchar(file);
      appender.appendDouble(await writtenThrough(lake, table, file));
      appender.endRow();
    }
    appender.closeSync();
    const paths = files.map((file) => sqlText(join(pathPattern(lake.folder(table)), file))).join(', ');
    const reader = await connection.runAndReadAll(
      `SELECT p.part, count(*)::DOUBLE FROM read_parquet([${paths}], union_by_name = true, filename = true, hive_partitioning = false) t
       JOIN part_times p ON p.part = parse_filename(t.filename)
       WHERE ${isTheirs(table, 'p.through')} GROUP BY p.part ORDER BY p.part`,
    );
    return reader.getRows().map(([file, rows]) => ({ file: String(file), rows: Number(rows) }));
  } finally {
    connection.closeSync();
  }
}

/**
 * Until when rows may have come into the part, milliseconds since 1970: the stream's by their ids, others by the file's time.
 */
async function writtenThrough(lake: Lake, table: ErasedTable, file: string): Promise<number> {
  const [part] = streamPartsOf([file]);
  if (part !== undefined) return streamIdParts(part.last)[0];
  // A later generation is younger than its rows: then their own time decides.
  return (await stat(join(lake.folder(table), file))).mtimeMs;
}

async function fillErased(connection: DuckDBConnection, erased: readonly ErasedSubject[]): Promise<void> {
  await connection.run('CREATE OR REPLACE TEMP TABLE erased (customerId VARCHAR, until DOUBLE)');
  await connection.run('CREATE OR REPLACE TEMP TABLE erased_sessions (sessionId VARCHAR, until DOUBLE)');
  const customers = await connection.createAppender('erased');
  const sessions = await connection.createAppender('erased_sessions');
  for (const { customerId, sessionIds, until } of erased) {
    customers.appendVarchar(customerId);
    customers.appendDouble(until);
    customers.endRow();
    for (const sessionId of sessionIds) {
      sessions.appendVarchar(sessionId);
      sessions.appendDouble(until);
      sessions.endRow();
    }
  }
  customers.closeSync();
  sessions.closeSync();
}

/** SQL: is the row `t` one of theirs? `through`: until when rows may have come into its part. Never null. */
function isTheirs(table: ErasedTable, through: string): string {
  const old = `(epoch_ms(t."${timeColumn[table]}") <= e.until OR ${through} <= e.until)`;
  return `(EXISTS (SELECT 1 FROM erased e WHERE e.customerId = t."customerId" AND ${old})
    OR (t."customerId" IS NULL AND EXISTS (SELECT 1 FROM erased_sessions e WHERE e.sessionId = t."sessionId" AND ${old})))`;
}

/**
 * Ends the files that a later generation took the place of at `before` (milliseconds since 1970) or earlier. Answers how many.
 */
export async function removeSuperseded(
  lake: Lake,
  dataDir: string | undefined,
  before: number,
): Promise<number> {
  let removed = 0;
  const remove = async (folder: string) => {
    const files = await readdir(folder).catch(() => []);
    for (const file of supersededParts(files)) {
      const later = `${nextGeneration(file)}.parquet`;
      const { mtimeMs } = await stat(join(folder, later)).catch(() => ({ mtimeMs: 0 }));
      if (mtimeMs > before) continue;
      await rm(join(folder, file), { force: true });
      removed++;
    }
  };
  for (const table of tables) await remove(lake.folder(table));
  if (dataDir !== undefined)
    for (const id of await snapshotIds(dataDir)) await remove(join(scoresFolder(dataDir), id));
  return removed;
}

/** Erases lines of everybody's scores; `erase` false: only counts them. A score is of the night: all before is theirs. */
export async function eraseFromScores(
  lake: Lake,
  dataDir: string,
  customerIds: readonly CustomerId[],
  erase: boolean,
): Promise<number> {
  let found = 0;
  for (const id of await snapshotIds(dataDir)) {
    const folder = join(scoresFolder(dataDir), id);
    for (const file of partsToRead(snapshotParts(folder))) {
      const rows = await eraseFromFile(lake, join(folder, file), 'customerId', customerIds, erase, () =>
        join(folder, `${nextGeneration(file)}.parquet`),
      );
      found += rows;
    }
  }
  return found;
}

/** Rows of a Parquet file with such an id; with `erase`, writes the file without them to `target`. */
export async function eraseFromFile(
  lake: Lake,
  path: string,
  column: string,
  customerIds: readonly CustomerId[],
  erase: boolean,
  target: () => string = () => path,
): Promise<number> {
  if (customerIds.length === 0) return 0;
  const connection = await lake.connect();
  try {
    const from = `read_parquet(${sqlText(pathPattern(path))}, hive_partitioning = false)`;
    const isTheir = `coalesce("${column}" IN (${customerIds.map(sqlText).join(', ')}), false)`;
    const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${from} WHERE ${isTheir}`);
    const rows = Number(counted.value(0, 0));
    if (rows > 0 && erase)
      await writeAtomically(target(), async (temporary) => {
        await connection.run(
          `COPY (SELECT * FROM ${from} WHERE NOT ${isTheir}) TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd)`,
        );
      });
    return rows;
  } finally {
    connection.closeSync();
  }
}
