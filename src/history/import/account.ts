/** The account of an import's rows: each is accepted, or rejected for exactly one reason, and none is lost. */
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { sqlText } from '../lake.ts';
import type { ImportOptions, ImportOutcome, ImportReport } from './import-options.ts';
import type { InputFile } from './input-file.ts';
import { REASONS, type Reason } from './preset.ts';

export type Account = Pick<ImportReport, 'rowsRead' | 'accepted' | 'rejected'> & {
  /** Rejected rows that the list of rejects names. */
  listed: number;
};

/**
 * Counts the verdicts and holds them against what the files' readers counted by themselves. Throws where a file has
 * more or fewer verdicts than rows: a fault of the import, and nothing is to be written then.
 */
export async function accountOf(
  connection: DuckDBConnection,
  { rows, rowsRead }: Pick<ImportOutcome, 'rows' | 'rowsRead'>,
  files: readonly Pick<InputFile, 'path'>[],
): Promise<Account> {
  const verdicts = await connection.runAndReadAll(
    `SELECT file, reason, count(*)::DOUBLE FROM (${rows}) GROUP BY file, reason`,
  );
  const counts = new Map<string | null, number>();
  const judged = new Map<number, number>();
  for (const [file, reason, count] of verdicts.getRowsJson() as [number, string | null, number][]) {
    if (reason !== null && !Object.hasOwn(REASONS, reason)) continue;
    counts.set(reason, (counts.get(reason) ?? 0) + count);
    judged.set(file, (judged.get(file) ?? 0) + count);
  }
  for (const file of new Set([...rowsRead.keys(), ...judged.keys()])) {
    const [read, accounted] = [rowsRead.get(file) ?? 0, judged.get(file) ?? 0];
    if (read !== accounted)
      throw new Error(
        `${files[file]?.path} has ${read} rows, but ${accounted} are accounted for. Nothing was imported. This is a fault of nextbest: please report it.`,
      );
  }
  const rejected: Partial<Record<Reason, number>> = {};
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const count = counts.get(reason) ?? 0;
    if (count > 0) rejected[reason] = count;
  }
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, count) => total + count, 0);
  return {
    rowsRead: sum(rowsRead.values()),
    accepted: counts.get(null) ?? 0,
    rejected,
    listed: sum(Object.values(rejected)) - (rejected.alreadyImported ?? 0),
  };
}

/**
 * File, line and reason, and what is wrong where that is known; never the row itself, which may hold a customer's data. Rows that the lake has already are
 * counted, but there is nothing to mend about them: a nightly export of everything would list millions.
 */
export async function writeRejects(
  connection: DuckDBConnection,
  { rows, faults }: Pick<ImportOutcome, 'rows' | 'faults'>,
  files: readonly Pick<InputFile, 'path'>[],
  options: ImportOptions,
): Promise<string> {
  const time = new Date(options.now).toISOString().replace(/[-:]|\.\d+/g, '');
  const path = options.rejectsPath ?? join(options.dataDir, 'rejects', `${options.preset}-${time}.ndjson`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'w')).close();
  } catch (err) {
    throw new UsageError(
      `The list of rejected rows cannot be written to ${path} (${err instanceof Error ? err.message : String(err)}). Name another file with --rejects.`,
    );
  }
  const names = files.map(({ path: file }, number) => `(${number}, ${sqlText(file)})`).join(', ');
  await connection.run(`COPY (
    SELECT f.path AS file, r.line, r.reason${faults === undefined ? '' : ', w.fault'}
    FROM (${rows}) r JOIN (VALUES ${names}) f(number, path) ON f.number = r.file
    ${faults === undefined ? '' : `LEFT JOIN ${faults} w ON w.file = r.file AND w.line = r.line`}
    WHERE r.reason <> 'alreadyImported' ORDER BY r.file, r.line) TO ${sqlText(path)} (FORMAT json)`);
  return path;
}
