/** Decisions of lists, which are stored by frames that they share, as any other decision. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DecisionFrame, frameIdOf, unframed } from '../domain/framed-decision.ts';
import { type Lake, pathPattern, sqlText } from './lake.ts';

/** Name of the part that holds a frame, without its ending. */
export function framePart(frameId: string): string {
  return `frame-${frameId}`;
}

/** Decisions may be imported: what they name is no path. */
function isFrameId(text: string): boolean {
  return /^[0-9a-f]{1,64}$/.test(text);
}

/**
 * Takes JSON as the lake's decisions have it, and answers domain `Decision`s, parsed as JSON. Frames are read when the first decision by
 * each comes, and kept for as long as this is.
 */
export function createUnframer(lake: Lake, connection: DuckDBConnection) {
  const frames = new Map<string, DecisionFrame | undefined>();

  async function readFrame(frameId: string): Promise<DecisionFrame | undefined> {
    // By its name: a shop whose offers change all day has as many frames as lists.
    const path = join(lake.folder('frames'), `${framePart(frameId)}.parquet`);
    if (!isFrameId(frameId) || !existsSync(path)) return undefined;
    const reader = await connection.runAndReadAll(
      `SELECT "json" FROM read_parquet(${sqlText(pathPattern(path))})`,
    );
    return DecisionFrame.safeParse(JSON.parse(String(reader.value(0, 0)))).data;
  }

  return {
    async unframe(texts: readonly string[]): Promise<unknown[]> {
      const stored = texts.map((text): unknown => JSON.parse(text));
      const ids = stored.map(frameIdOf);
      for (const id of ids) if (id !== undefined && !frames.has(id)) frames.set(id, await readFrame(id));
      return stored.map((one, at) => unframed(one, frames.get(ids[at] ?? '')));
    },
  };
}
