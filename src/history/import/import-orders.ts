/** Imports order files of a preset: read, map, make events, infer the catalogue. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { type MatchedFile, matchFile } from './columns.ts';
import {
  catalogueOfItemRows,
  itemVerdicts,
  makeCatalogue,
  makeGivenItems,
  mapItemRows,
} from './given-items.ts';
import { defaultDiscontinuedAfterDays, type ImportContext, type ImportOutcome } from './import-options.ts';
import { eventsPart, givenItemsPart } from './imported-parts.ts';
import { inferItems, inferredPrefix } from './item-inference.ts';
import {
  makeOrderEvents,
  makeSegmentEvents,
  orderVerdicts,
  refuseOtherCustomers,
  refuseRepeatsAcrossFiles,
} from './order-events.ts';
import { fillOrders, mapOrderRows } from './order-rows.ts';
import type { ItemSource, OrderSource, Preset, Source } from './preset.ts';
import { reading } from './progress.ts';
import { appendRecords, createRecordTable } from './read-records.ts';
import { refuseErased } from './refuse-erased.ts';
import { hashedId } from './sql.ts';

const EMPTY_ITEM_ROWS = `CREATE OR REPLACE TABLE itemRows AS SELECT NULL::BIGINT AS pos, NULL::INTEGER AS file,
  NULL::BIGINT AS line, NULL::VARCHAR AS itemId, NULL::VARCHAR AS name, NULL::VARCHAR AS category, NULL::VARCHAR AS brand,
  NULL::BIGINT AS priceMinor, NULL::VARCHAR AS reason WHERE false`;

export async function importOrders(preset: Preset, context: ImportContext): Promise<ImportOutcome> {
  const { lake, files, options, progress } = context;
  const { connection } = lake;
  const hint = preset.name === 'generic' ? 'Name them by flags, such as --customer "Client no".' : '';
  const matched = files.map((file) => matchFile(preset, file, hint));
  for (const { file, source } of matched)
    if (source.kind === 'ignored')
      options.say?.(`${file.path} is left out: it is the file of ${source.name}, and ${source.because}.`);

  const orderSource = preset.sources.find((source) => source.kind === 'orders');
  if (orderSource === undefined) throw new Error(`The preset ${preset.name} has no source of orders`);
  const rowsRead = new Map<number, number>();
  const has = await readSource(context, matched, orderSource, 'orderRecords', rowsRead);
  const itemSource = preset.sources.find((source) => source.kind === 'items');
  if (itemSource === undefined) await connection.run(EMPTY_ITEM_ROWS);
  else {
    await readSource(context, matched, itemSource, 'itemRecords', rowsRead);
    await mapItemRows(
      connection,
      itemSource,
      'itemRecords',
      minorUnitsOf(preset.currency ?? options.currency),
    );
  }
  await makeCatalogue(connection, catalogueOfItemRows);

  progress('sorting rows', 0.6);
  await fillOrders(connection, 'orderRecords', orderSource);
  await mapOrderRows(connection, orderSource, 'orderRecords', has, {
    now: options.now,
    minorUnits: minorUnitsOf(preset.currency ?? options.currency),
    currency: preset.currency === undefined ? options.currency : undefined,
    customerId: options.hashCustomers === true ? hashedId : (sql) => sql,
  });
  await refuseForeignCurrency(connection, options.currency);
  await refuseOtherCustomers(connection);
  const orderFiles = matched.filter(({ source }) => source.kind === 'orders').length;
  if (orderFiles > 1) await refuseRepeatsAcrossFiles(connection);

  await refuseErased(lake, options.dataDir, 'rows', { subject: 'customerId', time: 'occurredAt' });

  progress('making events', 0.75);
  await makeOrderEvents(lake, preset.name);
  await makeSegmentEvents(lake, preset.name);

  progress('making the catalogue', 0.85);
  await makeGivenItems(connection, options.now);
  await inferItems(lake, preset.name, options.discontinuedAfterDays ?? defaultDiscontinuedAfterDays);
  if (preset.currency !== undefined && preset.currency !== options.currency)
    options.say?.(
      `The amounts of this log are in ${preset.currency} and are kept as they are. Set CURRENCY=${preset.currency}, so that the service names them rightly.`,
    );
  return {
    rows: `${orderVerdicts} UNION ALL ${itemVerdicts}`,
    rowsRead,
    parts: [
      eventsPart('SELECT * EXCLUDE (pos) FROM newLines UNION ALL BY NAME SELECT * FROM newSegments'),
      givenItemsPart,
      {
        table: 'items',
        prefix: inferredPrefix,
        query: 'SELECT * FROM inferredItems',
        key: ['itemId', 'updatedAt', 'json'],
      },
    ],
  };
}

/** Reads the files of a source into a table of raw records, and notes their rows; answers the columns that they have. */
async function readSource(
  context: ImportContext,
  matched: readonly MatchedFile[],
  source: OrderSource | ItemSource,
  table: string,
  rowsRead: Map<number, number>,
): Promise<Set<string>> {
  const { connection } = context.lake;
  const names = columnsOf(source);
  const has = new Set<string>();
  await createRecordTable(connection, table, names);
  for (const [number, { file, source: own, columns }] of matched.entries()) {
    if (own !== source) continue;
    for (const name of columns.keys()) has.add(name);
    const rows = await reading(context, number, (reader) =>
      appendRecords(connection, file, number, columns, table, names, reader),
    );
    rowsRead.set(number, rows);
  }
  return has.size > 0 ? has : new Set(names);
}

function columnsOf(source: Source): string[] {
  return [...Object.keys(source.columns), ...Object.keys(source.optional ?? {})];
}

/** Minor units in a major one, by ISO 4217. */
function minorUnitsOf(currency: string): number {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
    .maximumFractionDigits;
  return 10 ** (digits ?? 2);
}

/** One row in a foreign currency is an exception and rejected; nothing but foreign rows is a wrong setting. */
async function refuseForeignCurrency(connection: DuckDBConnection, currency: string): Promise<void> {
  const reader = await connection.runAndReadAll(`SELECT count(*) FILTER (reason IS NULL)::DOUBLE,
    count(*) FILTER (reason = 'wrongCurrency')::DOUBLE, mode(currency) FILTER (reason = 'wrongCurrency') FROM rows`);
  const [right, foreign, theirs] = reader.getRowsJson()[0] as [number, number, string | null];
  if (right === 0 && foreign > 0)
    throw new UsageError(
      `All orders are in ${theirs}, but the shop's currency is ${currency}. Run the command with CURRENCY=${theirs}, and keep it set for every other command.`,
    );
}
