/**
 * Everybody's scores as of one instant, as plain files:
 *
 *   <dataDir>/scores/<id>/part-<n>.parquet   one row a customer (SCORE_COLUMNS)
 *   <dataDir>/scores/<id>/snapshot.json      what the snapshot says of itself
 *
 * A snapshot appears whole (written apart, flushed, renamed) and never changes; its id sorts by age. The newest counts, and
 * the one before it is kept for those who are in the middle of reading it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { ModelVersion } from '../domain/manifest.ts';
import { syncPath, writeAtomically } from '../infra/files.ts';
import { pathPattern, sqlText } from './lake.ts';
import { partsToRead } from './part-names.ts';

/** Ids are made as those of model versions are: the time, then a random tail. */
export const SnapshotId = ModelVersion;
export type SnapshotId = z.output<typeof SnapshotId>;

const TEXT_COLUMNS = ['customerId', 'riskBand', 'valueTier', 'rfmSegment'] as const;
const NUMBER_COLUMNS = [
  /** Probability of no purchase within `horizonDays`; null without a churn model. */
  'risk',
  'horizonDays',
  /** Null without a customer value model. */
  'valueMinor',
  'lowMinor',
  'highMinor',
  'valueHorizonDays',
  'expectedPurchases',
  /** Milliseconds since 1970. */
  'nextPurchaseAt',
  'earliestAt',
  'latestAt',
  'lastOrderAt',
  'orders',
  'spendMinor',
  /** Channels on which she may be addressed, a bit each (`offers/may-address.ts`). */
  'addressable',
] as const;
/** In the order of the files. */
export const SCORE_COLUMNS = [...TEXT_COLUMNS, ...NUMBER_COLUMNS] as const;
export type ScoreRow = Record<(typeof TEXT_COLUMNS)[number], string | null> & { customerId: string } & Record<
    (typeof NUMBER_COLUMNS)[number],
    number | null
  >;

/** Rows by columns, as they go from thread to thread. */
export type ScoreBatch = {
  rows: number;
  /** A list for each of TEXT_COLUMNS. */
  texts: readonly (readonly (string | null)[])[];
  /** One column of NUMBER_COLUMNS after the other; NaN = null. */
  numbers: Float64Array;
};

export function scoreBatch(rows: readonly ScoreRow[]): ScoreBatch {
  const numbers = new Float64Array(rows.length * NUMBER_COLUMNS.length);
  NUMBER_COLUMNS.forEach((name, c) => {
    for (const [r, row] of rows.entries()) numbers[c * rows.length + r] = row[name] ?? Number.NaN;
  });
  return { rows: rows.length, texts: TEXT_COLUMNS.map((name) => rows.map((row) => row[name])), numbers };
}

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

export type SnapshotWriter = { add: (batch: ScoreBatch) => Promise<void> };

/**
 * Lets `fill` add the customers, then puts the snapshot in place and clears those that are older than the one before it.
 * Where `fill` fails, nothing is seen of it.
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
  let appender: DuckDBAppender | undefined;
  let inPart = 0;
  let written = 0;
  let parts = 0;
  async function open(): Promise<DuckDBAppender> {
    const columns = [
      ...TEXT_COLUMNS.map((name) => `"${name}" VARCHAR`),
      ...NUMBER_COLUMNS.map((name) => `"${name}" DOUBLE`),
    ];
    await connection.run(`CREATE OR REPLACE TEMP TABLE score_part (${columns.join(', ')})`);
    return connection.createAppender('score_part');
  }
  async function flush(): Promise<void> {
    appender ??= await open();
    appender.closeSync();
    appender = undefined;
    const path = join(folder, `part-${String(parts++).padStart(4, '0')}.parquet`);
    await connection.run(`COPY score_part TO ${sqlText(path)} (FORMAT parquet, COMPRESSION zstd)`);
    await connection.run('DROP TABLE score_part');
    await syncPath(path);
    written += inPart;
    inPart = 0;
  }
  return {
    add: async (batch: ScoreBatch): Promise<void> => {
      appender ??= await open();
      append(appender, batch);
      inPart += batch.rows;
      if (inPart >= rowsInPart) await flush();
    },
    /** Answers how many rows there are. A snapshot of nobody has one part, too. */
    finish: async (): Promise<number> => {
      if (inPart > 0 || parts === 0) await flush();
      return written;
    },
  };
}

function append(appender: DuckDBAppender, { rows, texts, numbers }: ScoreBatch): void {
  for (let r = 0; r < rows; r++) {
    for (const column of texts) {
      const text = column[r];
      if (text === null || text === undefined) appender.appendNull();
      else appender.appendVarchar(text);
    }
    for (let c = 0; c < NUMBER_COLUMNS.length; c++) {
      const number = numbers[c * rows + r] ?? Number.NaN;
      if (Number.isNaN(number)) appender.appendNull();
      else appender.appendDouble(number);
    }
    appender.endRow();
  }
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
  const folder = join(scoresFolder(dataDir), SnapshotId.parse(id));
  const paths = partsToRead(snapshotParts(folder)).map((file) => sqlText(join(pathPattern(folder), file)));
  // One that has been cleared in this moment: the query fails as one for a file does that has gone.
  const files = paths.length > 0 ? paths : [sqlText(join(pathPattern(folder), 'part-*.parquet'))];
  return `read_parquet([${files.join(', ')}], hive_partitioning = false)`;
}

/** Names of the files with rows, superseded ones among them. */
export function snapshotParts(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => name.startsWith('part-') && name.endsWith('.parquet')).sort();
}

export function scoresFolder(dataDir: string): string {
  return join(dataDir, 'scores');
}

/** Newest first. */
export async function snapshotIds(dataDir: string): Promise<SnapshotId[]> {
  return idsIn(scoresFolder(dataDir));
}

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
