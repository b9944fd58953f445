/** Parts of the lake that came out of the event stream: how far they reach, which of them can go, and their merging. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAllIds, compareStreamIds } from '../domain/stream-id.ts';
import { LAKE_TABLES, type Lake, type LakeTable, listParts, sqlText, writePart } from './lake.ts';
import { partsWithinOthers, type StreamPart, streamPartName, streamPartsOf } from './part-names.ts';

async function listStreamParts(lake: Lake, table: LakeTable): Promise<StreamPart[]> {
  return streamPartsOf(await listParts(lake, table));
}

/**
 * The last id of the stream whose event is in the lake, by the names of the parts. Only those of `events` count: they are
 * written last, and a repeated row of another table does no harm.
 */
export async function lastIdInLake(lake: Lake): Promise<string> {
  let last = beforeAllIds;
  for (const part of await listStreamParts(lake, 'events'))
    if (compareStreamIds(part.last, last) > 0) last = part.last;
  return last;
}

/**
 * Takes away what a drain left that was killed or overtaken: half-written files, and parts whose range lies within that of
 * another (two drains that did not know of each other begin at the same entry, so that one holds all of the other's; a
 * merged part holds those that it was made of).
 */
export async function removeLeftovers(lake: Lake): Promise<number> {
  let removed = 0;
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[]) {
    const folder = lake.folder(table);
    const files = partsWithinOthers(await listStreamParts(lake, table)).map(({ file }) => file);
    for (const file of await readdir(folder))
      if (file.startsWith('stream-') && file.endsWith('.tmp')) files.push(file);
    for (const file of files) await rm(join(folder, file), { recursive: true, force: true });
    removed += files.length;
  }
  return removed;
}

/** From so many parts on, reading the lake takes noticeably longer for their number. */
const partsMax = 100;

/**
 * Merges the parts of the stream into one a table where there are many. To be called under the drain's lock. The merged part
 * appears before those that it was made of go; `lake.from` reads it alone as soon as it is there. (Whoever reads the folder
 * by a pattern of their own may see rows twice for as long as the old parts take to delete.)
 */
export async function mergeParts(lake: Lake): Promise<void> {
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[]) {
    const parts = await listStreamParts(lake, table);
    if (parts.length <= partsMax) continue;
    parts.sort((a, b) => compareStreamIds(a.first, b.first));
    const files = parts.map(({ file }) => sqlText(join(lake.folder(table), file))).join(', ');
    const name = streamPartName(parts[0]!.first, parts.at(-1)!.last);
    await writePart(lake, table, name, `SELECT * FROM read_parquet([${files}], union_by_name = true)`);
  }
  await removeLeftovers(lake);
}
