/**
 * Parts of the lake that cannot be read: cut off by a copy that was broken off, or spoilt on the disk. What they hold cannot be
 * told, so nothing that needs all of the lake goes on without them (a rebuild would take their events out of records, a
 * training would not know of them): it fails, names the file, and is tried again until the part has been put back from a
 * backup, or taken away by somebody who knows what that means. Only the drain goes on: events must not pile up behind it.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { LAKE_TABLES, type Lake, type LakeTable, listParts, pathPattern, sqlText } from './lake.ts';

/** A Parquet file begins and ends with it. */
const magic = Buffer.from('PAR1');
const leastBytes = 12;

/** Paths of those whose ends are not a Parquet file's. Reads eight bytes of each. */
export async function cutOffParts(lake: Lake): Promise<string[]> {
  const cutOff: string[] = [];
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[])
    for (const file of await listParts(lake, table)) {
      const path = join(lake.folder(table), file);
      // One that is gone was merged into another in this moment.
      if (!(await hasBothEnds(path).catch(() => true))) cutOff.push(path);
    }
  return cutOff;
}

async function hasBothEnds(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size < leastBytes) return false;
    const ends = Buffer.alloc(2 * magic.length);
    await handle.read(ends, 0, magic.length, 0);
    await handle.read(ends, magic.length, magic.length, size - magic.length);
    return ends.equals(Buffer.concat([magic, magic]));
  } finally {
    await handle.close();
  }
}

/**
 * As DuckDB 1.5 says it of a file that is cut off or spoilt (its Parquet reader, and Thrift's within it), and of one that the disk
 * does not give. A disk that is full is another matter.
 */
const saysUnreadable =
  /^(Invalid Input Error: (File .* too small to be a Parquet file|No magic bytes found|Failed to read file|[^\n]*[Pp]arquet)|Invalid Error: (TProtocolException|TTransportException|don't know what type|Out of buffer)|IO Error: (?!.*No space left))/;

/** Does the error of a query say that a Parquet file cannot be read, and not that the query is wrong? */
export function isUnreadablePart(thrown: unknown): boolean {
  return thrown instanceof Error && saysUnreadable.test(thrown.message);
}

/** Names of the parts of `events` whose ids DuckDB cannot read. Reads that column of all of them. */
export async function unreadableEventParts(lake: Lake): Promise<Set<string>> {
  const unreadable = new Set<string>();
  const connection = await lake.connect();
  try {
    for (const file of await listParts(lake, 'events')) {
      const path = sqlText(join(pathPattern(lake.folder('events')), file));
      await connection
        .runAndReadAll(`SELECT count("eventId"), count("customerId") FROM read_parquet([${path}])`)
        .catch(() => unreadable.add(file));
    }
  } finally {
    connection.closeSync();
  }
  return unreadable;
}
