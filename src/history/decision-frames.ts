/** Decisions of lists, which are stored by frames that they share, as any other decision. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { DecisionFrame, frameIdOf, unframed } from '../domain/framed-decision.ts';
import { type Lake, sqlText } from './lake.ts';

/**
 * Takes JSON as the lake's decisions have it, and answers domain `Decision`s, parsed as JSON. Frames are read when the first decision by
 * each comes, and kept: there are as many as a list has met changes of the shop's offers.
 */
export function createUnframer(lake: Lake, connection: DuckDBConnection) {
  const frames = new Map<string, DecisionFrame | undefined>();

  async function readFrames(frameIds: readonly string[]): Promise<void> {
    for (const frameId of frameIds) frames.set(frameId, undefined);
    const reader = await connection.runAndReadAll(
      `SELECT DISTINCT "frameId", "json" FROM ${lake.from('frames')} WHERE "frameId" IN (${frameIds.map(sqlText).join(', ')})`,
    );
    for (const [frameId, json] of reader.getRows())
      frames.set(String(frameId), DecisionFrame.safeParse(JSON.parse(String(json))).data);
  }

  return {
    async unframe(texts: readonly string[]): Promise<unknown[]> {
      const stored = texts.map((text): unknown => JSON.parse(text));
      const ids = stored.map(frameIdOf);
      const wanted = new Set(ids.filter((id) => id !== undefined && !frames.has(id)));
      if (wanted.size > 0) await readFrames([...wanted] as string[]);
      return stored.map((one, at) => unframed(one, frames.get(ids[at] ?? '')));
    },
  };
}
