/** Which events the lake has already, by subject and event id. */
import type { ShopEvent } from '../domain/event.ts';
import { guestSubject, subjectOf } from '../features/subject.ts';
import { type Lake, queryChunks, sqlText } from './lake.ts';

/**
 * Those of the events that the lake holds, whatever instant it has them at. Parts that reach the stream id `streamBefore`
 * are not looked into, nor are those `without`. Reads the column of event ids once; memory holds the events asked for.
 */
export async function eventsInLake<T extends { event: ShopEvent }>(
  lake: Lake,
  asked: readonly T[],
  streamBefore: string,
  without: ReadonlySet<string> = new Set(),
): Promise<Set<T>> {
  const known = new Set<T>();
  if (asked.length === 0) return known;
  const connection = await lake.connect();
  try {
    await connection.run('CREATE TEMP TABLE asked (number INTEGER, eventId VARCHAR, subject VARCHAR)');
    const appender = await connection.createAppender('asked');
    asked.forEach(({ event }, number) => {
      appender.appendInteger(number);
      appender.appendVarchar(event.eventId);
      appender.appendVarchar(subjectOf(event));
      appender.endRow();
    });
    appender.closeSync();
    const query = `SELECT DISTINCT number FROM asked JOIN ${lake.from('events', { streamBefore, without })} events
       ON events."eventId" = asked.eventId
         AND coalesce("customerId", ${sqlText(guestSubject(''))} || "sessionId") = asked.subject
       ORDER BY number`;
    for await (const chunk of queryChunks(connection, query)) {
      const numbers = chunk.getColumnVector(0);
      for (let r = 0; r < chunk.rowCount; r++) known.add(asked[Number(numbers.getItem(r))]!);
    }
    return known;
  } finally {
    connection.closeSync();
  }
}
