/** A data folder of its own, files in it, and what the lake holds after an import. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { importFiles } from '../../../src/history/import/import-files.ts';
import type { ImportOptions, ImportReport } from '../../../src/history/import/import-options.ts';
import { type LakeTable, openLake } from '../../../src/history/lake.ts';

export type Row = Record<string, unknown>;
export type Reject = { file: string; line: number; reason: string; fault?: string | null };

export type Shop = {
  dataDir: string;
  /** Writes a file (compressed where its name ends in .gz) and answers its path. */
  file: (name: string, text: string | Buffer) => Promise<string>;
  run: (preset: string, paths: readonly string[], more?: Partial<ImportOptions>) => Promise<ImportReport>;
  /** Rows of a table of the lake, sorted. */
  lake: (table: LakeTable) => Promise<Row[]>;
  /** The latest entry of each item. */
  items: () => Promise<Record<string, Row>>;
  rejects: (report: ImportReport) => Promise<Reject[]>;
  /** Every file below the lake's folder with its size: what "changes nothing" means. */
  parts: () => Promise<string[]>;
  sql: (query: string) => Promise<Row[]>;
};

export const NOW = Date.parse('2026-06-01T00:00:00Z');

export async function openShop(): Promise<Shop> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-import-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const sql = async (query: string) => {
    const lake = await openLake(dataDir);
    try {
      return (await lake.connection.runAndReadAll(query)).getRowObjectsJson() as Row[];
    } finally {
      lake.close();
    }
  };
  const lakeRows = async (table: LakeTable) => {
    const lake = await openLake(dataDir);
    try {
      const order = table === 'events' ? 'eventId, line' : 'ALL';
      const reader = await lake.connection.runAndReadAll(
        `SELECT * FROM ${lake.from(table)} ORDER BY ${order}`,
      );
      return reader.getRowObjectsJson() as Row[];
    } finally {
      lake.close();
    }
  };
  return {
    dataDir,
    file: async (name, text) => {
      const path = join(dataDir, name);
      await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text);
      return path;
    },
    run: (preset, paths, more = {}) =>
      importFiles({ dataDir, preset, paths, currency: 'EUR', now: NOW, ...more }),
    lake: lakeRows,
    items: async () => {
      const latest: Record<string, Row> = {};
      const rows = await lakeRows('items');
      rows.sort((a, b) => String(a.updatedAt).localeCompare(String(b.updatedAt)));
      for (const { itemId, json } of rows)
        if (json !== null) latest[String(itemId)] = JSON.parse(String(json)) as Row;
      return latest;
    },
    rejects: async ({ rejectsFile }) => {
      if (rejectsFile === undefined) return [];
      const text = await readFile(rejectsFile, 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Reject);
    },
    parts: async () => {
      const names = await readdir(join(dataDir, 'lake'), { recursive: true });
      return names.filter((name) => name.endsWith('.parquet')).sort();
    },
    sql,
  };
}

/** Sum of everything that an import says of its rows. */
export function accountedFor(report: ImportReport): number {
  return report.accepted + Object.values(report.rejected).reduce((sum, count) => sum + count, 0);
}
