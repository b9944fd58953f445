/**
 * Sessions of guests who have logged in: until now `lake.from('events')` joined their rows with the customers at each reading;
 * this writes the customers into the rows. Decisions stay the guests' as they were logged: as long as there are any of a session,
 * it is kept whose it is, for whoever erases the customer or puts her ledgers back. To be called under the drain's lock.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
    for (const file of partsToRead(await listParts(lake, 'events'))) {
      const part = `read_parquet(${sqlText(join(pathPattern(lake.folder('events')), file))}, hive_partitioning = false)`;
      const counted = await connection.runAndReadAll(
        `SELECT count(*)::DOUBLE FROM ${part} WHERE "customerId" IS NULL AND "sessionId" IN (SELECT "sessionId" FROM merged)`,
      );
      const count = Number(counted.value(0, 0));
      if (count === 0) continue;
      rows += count;
      const query = `SELECT e.* REPLACE (coalesce(e."customerId", m."customerId") AS "customerId") FROM ${part} e
        LEFT JOIN merged m ON e."customerId" IS NULL AND e."sessionId" = m."sessionId"`;
      await writePart({ ...lake, connection }, 'events', nextGeneration(file), query);
    }
    await forgetMerges({ ...lake, connection }, now);
  } finally {
    connection.closeSync();
  }
  return rows;
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
