/** Imports the service's own NDJSON: items and offers first, since events take their categories from the items. */
import { UsageError } from '../../domain/errors.ts';
import { makeCatalogue } from './given-items.ts';
import type { ImportContext, ImportOutcome } from './import-options.ts';
import { eventsPart, givenItemsPart, importPrefix } from './imported-parts.ts';
import { takeOwnDecisions } from './own-decisions.ts';
import { takeOwnEvents } from './own-events.ts';
import { nameOwnFaults } from './own-faults.ts';
import { ownVerdicts, sortOwnRows, takeOwnItems, takeOwnOffers } from './own-log.ts';
import { reading } from './progress.ts';
import { appendJsonLines, createRecordTable } from './read-records.ts';

/** The files that a simulation's folder is imported by; what else is in it (its truth) is no part of the log. */
export function isOwnFile(name: string): boolean {
  return /^(items|offers|customers|events|decisions)\.(ndjson|jsonl)(\.gz)?$/.test(name);
}

export async function importOwnLog(context: ImportContext): Promise<ImportOutcome> {
  const { lake, files, options, progress } = context;
  const { connection } = lake;
  const rowsRead = new Map<number, number>();
  await createRecordTable(connection, 'ownRecords', ['json']);
  for (const [number, file] of files.entries()) {
    if (file.format !== 'ndjson')
      throw new UsageError(
        `${file.path}: the preset nextbest takes NDJSON (.ndjson, .jsonl, .gz of them). For a table of orders, use --preset generic.`,
      );
    const rows = await reading(context, number, (reader) =>
      appendJsonLines(connection, file, number, 'ownRecords', reader),
    );
    rowsRead.set(number, rows);
  }
  progress('sorting rows', 0.6);
  await sortOwnRows(connection, 'ownRecords');
  await takeOwnItems(connection, options.now);
  await takeOwnOffers(lake, options.now);
  await takeOwnDecisions(lake, options);
  await makeCatalogue(
    connection,
    `SELECT itemId, nullif(json_extract_string(json, '$.category'), '') AS category,
       TRY_CAST(json_extract(json, '$.priceMinor') AS BIGINT) AS priceMinor, false AS nonProduct
     FROM ownItems WHERE reason IS NULL`,
  );
  progress('making events', 0.75);
  await takeOwnEvents(lake, options);
  await nameOwnFaults(connection, ownVerdicts);
  return {
    rows: ownVerdicts,
    faults: 'ownFaults',
    rowsRead,
    parts: [
      eventsPart('SELECT * EXCLUDE (pos) FROM newLines'),
      givenItemsPart,
      {
        table: 'offers',
        prefix: importPrefix,
        query: 'SELECT * EXCLUDE (pos) FROM newOffers',
        key: ['offerId', 'updatedAt', 'json'],
      },
      {
        table: 'decisions',
        prefix: importPrefix,
        query: 'SELECT * EXCLUDE (pos) FROM newDecisions',
        key: ['decisionId', 'json'],
        orderBy: 'customerId, decidedAt, decisionId',
      },
    ],
  };
}
