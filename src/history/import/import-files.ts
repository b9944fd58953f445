/**
 * Imports a shop's files into the lake. Every row that is read is accepted, or rejected for exactly one reason; what the
 * lake has already is left alone, so that the same file imported twice changes nothing. Rows never become JavaScript
 * objects: all of it is SQL on DuckDB tables, which spill to the disk.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { type Lake, type LakePart, writeParts } from '../lake.ts';
import { accountOf, writeRejects } from './account.ts';
import type { ImportContext, ImportOptions, ImportReport, NewPart } from './import-options.ts';
import { importOrders } from './import-orders.ts';
import { importOwnLog, isOwnFile } from './import-own-log.ts';
import { openInputs } from './input-file.ts';
import { loadKnownItems } from './item-inference.ts';
import { checkGenericOptions } from './presets/generic.ts';
import { findPreset, OWN_PRESET } from './presets.ts';
import { withStaging } from './staging.ts';

/** Throws a UsageError for what the person can cure: files, columns, presets, currency. Nothing is written then. */
export async function importFiles(options: ImportOptions): Promise<ImportReport> {
  const preset =
    options.preset === OWN_PRESET ? undefined : findPreset(options.preset, options.generic ?? {});
  if (options.paths.length === 0) throw new UsageError('Name at least one file to import.');
  return withStaging(options.dataDir, async (lake, scratchFile) => {
    const files = await openInputs(
      options.paths,
      options.encoding ?? 'utf-8',
      lake.connection,
      preset === undefined ? isOwnFile : undefined,
    );
    await checkGenericOptions(lake.connection, options.generic ?? {});
    await loadKnownItems(lake);
    const progress = progressReporter(options);
    const context: ImportContext = { lake, files, options, scratchFile, progress };
    const outcome = preset === undefined ? await importOwnLog(context) : await importOrders(preset, context);
    progress('writing', 0.95);
    const account = await accountOf(lake.connection, outcome, files);
    const rejectsFile =
      account.listed === 0 ? undefined : await writeRejects(lake.connection, outcome, files, options);
    const { gained, parts } = await partsWithRows(lake.connection, outcome.parts);
    const linesWithoutPrice = await unpricedLines(lake.connection);
    await writeParts(lake, parts);
    const lastEventAt = await lastEvent(lake);
    progress('done', 1);
    const { rowsRead, accepted, rejected } = account;
    return { rowsRead, accepted, rejected, linesWithoutPrice, rejectsFile, lastEventAt, ...gained };
  });
}

async function unpricedLines(connection: DuckDBConnection): Promise<number> {
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE FROM newLines WHERE type IN ('purchase', 'return') AND unitPriceMinor IS NULL`,
  );
  return reader.getRowsJson()[0]?.[0] as number;
}

async function lastEvent(lake: Lake): Promise<number | undefined> {
  const reader = await lake.connection.runAndReadAll(
    `SELECT epoch_ms(max(occurredAt))::DOUBLE FROM ${lake.from('events')}`,
  );
  return (reader.getRowsJson()[0]?.[0] as number | null | undefined) ?? undefined;
}

/** A part's name comes from what is in it: the same outcome has the same name, and another never does. */
async function partsWithRows(
  connection: DuckDBConnection,
  parts: readonly NewPart[],
): Promise<{ gained: Pick<ImportReport, 'events' | 'items' | 'offers' | 'decisions'>; parts: LakePart[] }> {
  const gained = { events: 0, items: 0, offers: 0, decisions: 0 };
  const filled: LakePart[] = [];
  for (const { table, prefix, query, key, orderBy } of parts) {
    const columns = key.map((name) => `"${name}"`);
    // Of each row's text as one: DuckDB's hash of several columns is linear, and equal pairs of lines cancel each other out.
    const row = `concat_ws(chr(31), ${columns.map((name) => `${name}::VARCHAR`).join(', ')})`;
    const reader = await connection.runAndReadAll(
      `SELECT count(DISTINCT ${columns[0]})::DOUBLE, lpad(lower(to_hex(bit_xor(md5_number(${row})))), 32, '0') FROM (${query})`,
    );
    const [count, hash] = reader.getRowsJson()[0] as [number, string];
    if (count === 0) continue;
    gained[table] += count;
    const order = orderBy === undefined ? '' : ` ORDER BY ${orderBy}`;
    filled.push({ table, name: `${prefix}${hash}`, query: `SELECT * FROM (${query})${order}` });
  }
  return { gained, parts: filled };
}

function progressReporter(options: ImportOptions): ImportContext['progress'] {
  const startedAt = performance.now();
  let read = 0;
  return (stage, share, rows = 0) => {
    read += rows;
    const perSecond = Math.round(read / Math.max(0.001, (performance.now() - startedAt) / 1000));
    const speed = read === 0 ? '' : ` · ${read} rows · ${perSecond} rows/s`;
    options.onProgress?.({ share, stage: `${stage}${speed}` });
  };
}
