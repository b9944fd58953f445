/**
 * Everybody's scores as of one instant, as plain files:
 *
 *   <dataDir>/scores/<id>/part-<n>.parquet   one row a customer (SCORE_COLUMNS)
 *   <dataDir>/scores/<id>/snapshot.json      what the snapshot says of itself
 *
 * A snapshot appears whole (written apart, flushed, renamed) and never changes; its id sorts by age. The newest counts, and
 * the one before it is kept for those who are in the middle of reading it.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { ModelVersion } from '../domain/manifest.ts';
import { syncPath, writeAtomically } from '../infra/files.ts';
import { pathPattern, sqlText } from './lake.ts';

/** Ids are made as those of model versions are: the time, then a random tail. */
export const SnapshotId = ModelVersion;
export type SnapshotId = z.output<typeof SnapshotId>;

export const SCORE_COLUMNS = [
  ['customerId', 'VARCHAR'],
  /** Probability of no purchase within `horizonDays`; null without a churn model. */
  ['risk', 'DOUBLE'],
  ['horizonDays', 'DOUBLE'],
  ['riskBand', 'VARCHAR'],
  /** Null without a customer value model. */
  ['valueMinor', 'DOUBLE'],
  ['lowMinor', 'DOUBLE'],
  ['highMinor', 'DOUBLE'],
  ['valueHorizonDays', 'DOUBLE'],
  ['expectedPurchases', 'DOUBLE'],
  ['valueTier', 'VARCHAR'],
  ['rfmSegment', 'VARCHAR'],
  /** Milliseconds since 1970. */
  ['nextPurchaseAt', 'DOUBLE'],
  ['earliestAt', 'DOUBLE'],
  ['latestAt', 'DOUBLE'],
  ['lastOrderAt', 'DOUBLE'],
  ['orders', 'DOUBLE'],
  ['spendMinor', 'DOUBLE'],
] as const satisfies readonly (readonly [string, 'VARCHAR' | 'DOUBLE'])[];
export type ScoreColumn = (typeof SCORE_COLUMNS)[number][0];
/** In the order of SCORE_COLUMNS. */
export type ScoreRow = readonly (string | number | null)[];

export const Snapshot = z.object({
  id: SnapshotId,
  /** The instant that the scores are of. */
  scoredAt: z.iso.datetime(),
  customers: z.int().min(0),
  /** Versions that scored; null: none was served. */
  models: z.object({ churn: z.string().nullable(), customerValue: z.string().nullable() }),
});
export type Snapshot = z.output<typeof Snapshot>;

const kept = 2;
const leftoverAgeMs = 24 * 3600 * 1000;
const rowsInPart = 100_000;

export type SnapshotWriter = {
  add: (row: ScoreRow) => void | Promise<void>;
};

/**
 * Lets `fill` add the customers one by one, then puts the snapshot in place and clears those that are older than the one
 * before it. Where `fill` fails, nothing is seen of it.
 */
export async function writeSnapshot(
  connection: DuckDBConnection,
  dataDir: string,
  about: Omit<Snapshot, 'customers'>,
  fill: (writer: SnapshotWriter) => Promise<void>,
): Promise<Snapshot> {
  const folder = scoresFolder(dataDir);
  await mkdir(folder, { recursive: true });
  let snapshot: Snapshot | undefined;
  await writeAtomically(join(folder, about.id), async (temporary) => {
    await mkdir(temporary);
    const parts = createPartWriter(connection, temporary);
    await fill({ add: parts.add });
    snapshot = Snapshot.parse({ ...about, customers: await parts.finish() });
    const path = join(temporary, 'snapshot.json');
    await writeFile(path, `${JSON.stringify(snapshot, null, 2)}\n`);
    await syncPath(path);
  });
  await clearOld(folder);
  if (snapshot === undefined) throw new Error('a snapshot was not written');
  return snapshot;
}

function createPartWriter(connection: DuckDBConnection, folder: string) {
  let rows: ScoreRow[] = [];
  let written = 0;
  let parts = 0;
  async function flush(): Promise<void> {
    const batch = rows;
    rows = [];
    if (batch.length === 0 && parts > 0) return;
    const columns = SCORE_COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(', ');
    await connection.run(`CREATE OR REPLACE TEMP TABLE score_part (${columns})`);
    const appender = await connection.createAppender('score_part');
    for (const row of batch) {
      for (let c = 0; c < SCORE_COLUMNS.length; c++) {
        const value = row[c];
        if (value === null || value === undefined) appender.appendNull();
        else if (typeof value === 'string') appender.appendVarchar(value);
        else appender.appendDouble(value);
      }
      appender.endRow();
    }
    appender.closeSync();
    const path = join(folder, `part-${String(parts++).padStart(4, '0')}.parquet`);
    await connection.run(`COPY score_part TO ${sqlText(path)} (FORMAT parquet, COMPRESSION zstd)`);
    await connection.run('DROP TABLE score_part');
    await syncPath(path);
    written += batch.length;
  }
  return {
    add: (row: ScoreRow): void | Promise<void> => {
      rows.push(row);
      return rows.length >= rowsInPart ? flush() : undefined;
    },
    /** Answers how many rows there are. */
    finish: async (): Promise<number> => {
      await flush();
      return written;
    },
  };
}

/** The newest snapshot, or the one of this id; undefined where there is none. */
export async function readSnapshot(dataDir: string, id?: SnapshotId): Promise<Snapshot | undefined> {
  const folder = scoresFolder(dataDir);
  const ids = id === undefined ? await idsIn(folder) : [SnapshotId.parse(id)];
  for (const one of ids) {
    const text = await readFile(join(folder, one, 'snapshot.json'), 'utf8').catch(() => undefined);
    const parsed = text === undefined ? undefined : Snapshot.safeParse(parseJson(text));
    if (parsed?.success) return parsed.data;
  }
  return undefined;
}

/** SQL that reads the rows of a snapshot. */
export function fromSnapshot(dataDir: string, id: SnapshotId): string {
  const folder = pathPattern(join(scoresFolder(dataDir), SnapshotId.parse(id)));
  return `read_parquet(${sqlText(join(folder, 'part-*.parquet'))}, hive_partitioning = false)`;
}

function scoresFolder(dataDir: string): string {
  return join(dataDir, 'scores');
}

/** Newest first. */
async function idsIn(folder: string): Promise<SnapshotId[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => SnapshotId.safeParse(name).success)
    .sort()
    .reverse();
}

async function clearOld(folder: string): Promise<void> {
  for (const id of (await idsIn(folder)).slice(kept))
    await rm(join(folder, id), { recursive: true, force: true });
  for (const entry of await readdir(folder)) {
    if (!entry.endsWith('.tmp')) continue;
    const path = join(folder, entry);
    // What a killed process left; younger ones may be another process's work.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - leftoverAgeMs) await rm(path, { recursive: true, force: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
