/** Rows of customers who have been erased, from before that: a shop's old export is not to bring them back. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { guestSubject } from '../../features/subject.ts';
import { erasedUntil, openErasureFiles } from '../../infra/erasure-files.ts';
import { type Lake, queryChunks, sqlText } from '../lake.ts';

/** As SQL: whose record the row is for. */
export const ownSubject = `coalesce("customerId", ${sqlText(guestSubject(''))} || "sessionId")`;

/** Sets the reason of such rows, among those of the table that had none, to `erased`. */
export async function refuseErased(
  { connection }: Pick<Lake, 'connection'>,
  dataDir: string,
  table: string,
  { subject, time }: { subject: string; time: string },
): Promise<void> {
  // Most shops have never erased anybody, and ids are hashed one by one.
  if (statSync(join(dataDir, 'erasures'), { throwIfNoEntry: false }) === undefined) return;
  const files = await openErasureFiles(dataDir);
  const until = await erasedUntil(files);
  if (until.size === 0) return;
  const found: [id: string, until: number][] = [];
  const query = `SELECT DISTINCT ${subject} FROM ${table} WHERE reason IS NULL AND ${subject} IS NOT NULL`;
  for await (const chunk of queryChunks(connection, query)) {
    const ids = chunk.getColumnVector(0);
    for (let r = 0; r < chunk.rowCount; r++) {
      const id = String(ids.getItem(r));
      const at = until.get(files.hash(id));
      if (at !== undefined) found.push([id, at]);
    }
  }
  if (found.length === 0) return;
  await connection.run('CREATE OR REPLACE TABLE erasedUntil (subject VARCHAR, until DOUBLE)');
  const appender = await connection.createAppender('erasedUntil');
  for (const [id, at] of found) {
    appender.appendVarchar(id);
    appender.appendDouble(at);
    appender.endRow();
  }
  appender.closeSync();
  await connection.run(`UPDATE ${table} SET reason = 'erased' WHERE reason IS NULL AND EXISTS (
    SELECT 1 FROM erasedUntil e WHERE e.subject = ${subject} AND epoch_ms(${time}) <= e.until)`);
}
