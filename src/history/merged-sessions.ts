/**
 * Sessions of guests who have logged in: until now `lake.from('events')` joined their rows with the customers at each reading;
 * this writes the customers into the rows, but for events that the customer has told herself under the same id. Decisions stay
 * the guests' as they were logged: as long as there are any of a session, it is kept whose it is, for whoever erases the customer or
 * puts her ledgers back. To be called under the drain's lock.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { dayMs } from '../domain/time.ts';
import { type Lake, listParts, pathPattern, sqlText, writePart } from './lake.ts';
import { generationOf, nextGeneration, partsToRead, supersededParts } from './part-names.ts';

/** Answers how many rows it has written the customer into. */
export async function attributeMerged(lake: Lake, now: number): Promise<number> {
  const merges = await listParts(lake, 'merges');
  if (merges.length === 0) return 0;
  const connection = await lake.connect();
  let rows = 0;
  try {
    await connection.run(`CREATE TEMP TABLE merged AS SELECT "sessionId", arg_min("customerId", "mergedAt") AS "customerId"
      FROM ${lake.from('merges')} GROUP BY "sessionId"`);
    const parts = partsToRead(await listParts(lake, 'events')).map((file) => ({
      file,
      rows: rowsOf(lake, [file]),
    }));
    if (parts.length > 0)
      await findRepeated(
        connection,
        rowsOf(
          lake,
          parts.map(({ file }) => file),
        ),
      );
    for (const { file, rows: part } of parts) {
      const counted = await connection.runAndReadAll(
        `SELECT count(*)::DOUBLE FROM ${part} WHERE "customerId" IS NULL AND "sessionId" IN (SELECT "sessionId" FROM merged)`,
      );
      const count = Number(counted.value(0, 0));
      if (count === 0) continue;
      rows += count;
      const query = `SELECT e.* REPLACE (coalesce(e."customerId", m."customerId") AS "customerId") FROM ${part} e
        LEFT JOIN merged m ON e."customerId" IS NULL AND e."sessionId" = m."sessionId"
        WHERE NOT (e."customerId" IS NULL AND (e."sessionId", e."eventId", e.type) IN (SELECT ("sessionId", "eventId", type) FROM repeated))`;
      await writePart({ ...lake, connection }, 'events', nextGeneration(file), query);
    }
    await forgetMerges({ ...lake, connection }, now);
  } finally {
    connection.closeSync();
  }
  return rows;
}

function rowsOf(lake: Lake, files: readonly string[]): string {
  const paths = files.map((file) => sqlText(join(pathPattern(lake.folder('events')), file)));
  return `read_parquet([${paths.join(', ')}], union_by_name = true, hive_partitioning = false)`;
}

/**
 * Told by the guest, and again by the customer who did not know whether it had arrived: one event, as in her record. Of another
 * type it is another event, under an id that should have been its own: neither is lost here.
 */
async function findRepeated(connection: DuckDBConnection, events: string): Promise<void> {
  await connection.run(`CREATE TEMP TABLE repeated AS
    SELECT DISTINCT "sessionId", "eventId", type FROM
      (SELECT m.*, e."eventId", e.type FROM ${events} e JOIN merged m ON e."sessionId" = m."sessionId" WHERE e."customerId" IS NULL)
      SEMI JOIN (SELECT "customerId", "eventId", type FROM ${events}) USING ("customerId", "eventId", type)`);
}

/** Those of which no decision tells; the young ones stay for those who are in the middle of a question that names them. */
async function forgetMerges(lake: Lake, now: number): Promise<void> {
  const files = await listParts(lake, 'merges');
  const over = new Set<string | undefined>();
  for (const file of partsToRead(files)) {
    const path = join(lake.folder('merges'), file);
    if ((await stat(path)).mtimeMs >= now - dayMs) continue;
    const needed = `SELECT * FROM read_parquet(${sqlText(pathPattern(path))}, hive_partitioning = false) SEMI JOIN
      (SELECT "sessionId" FROM ${lake.from('decisions')} WHERE "customerId" IS NULL) USING ("sessionId")`;
    const counted = await lake.connection.runAndReadAll(
      `SELECT (SELECT count(*)::DOUBLE FROM (${needed})),
        (SELECT count(*)::DOUBLE FROM read_parquet(${sqlText(pathPattern(path))}, hive_partitioning = false))`,
    );
    const [kept, all] = [Number(counted.value(0, 0)), Number(counted.value(1, 0))];
    if (kept === 0) over.add(generationOf(file)?.base);
    else if (kept < all) await writePart(lake, 'merges', nextGeneration(file), needed);
  }
  // The latest generation last: without it, the one before would be read again.
  for (const file of [...supersededParts(files), ...partsToRead(files)])
    if (over.has(generationOf(file)?.base)) await rm(join(lake.folder('merges'), file), { force: true });
}
