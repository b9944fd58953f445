/**
 * The Parquet lake: purchase history as plain files that DuckDB, Spark, Trino or Athena read as they are.
 *
 *   <dataDir>/lake/events/*.parquet   one row a line of an event (an event without lines has one row, line 0)
 *   <dataDir>/lake/items/*.parquet    catalogue, one row a change; the latest `updatedAt` of an id counts
 *   <dataDir>/lake/offers/*.parquet   offers, likewise
 *   <dataDir>/lake/decisions/*.parquet  decisions on offers; rows with the same decisionId are the same decision
 *   <dataDir>/lake/frames/frame-<frameId>.parquet   what decisions of lists share, a row each: never merged, never removed
 *   <dataDir>/lake/merges/*.parquet   guests who have logged in: their sessions' rows count for the customer, until a night
 *                                     writes those rows anew with the customer's id
 *
 * Parts are written by `writePart` and never changed; what is erased leaves by a new generation of its part (part-names.ts).
 * `stream-<first>-<last>.parquet` holds that range of ids of the event stream, `import-<hash>.parquet` the outcome of an
 * import.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import { ensureFolder, writeAtomically } from '../infra/files.ts';
import { partsToRead, type WantedParts } from './part-names.ts';
import { removeOldSpills, spillPrefix } from './spill.ts';

export const LAKE_TABLES = {
  events: [
    ['eventId', 'VARCHAR'],
    /** Position of the line within its event, from 0. */
    ['line', 'INTEGER'],
    ['type', 'VARCHAR'],
    ['customerId', 'VARCHAR'],
    ['sessionId', 'VARCHAR'],
    /** UTC. */
    ['occurredAt', 'TIMESTAMP'],
    ['channel', 'VARCHAR'],
    ['orderId', 'VARCHAR'],
    ['itemId', 'VARCHAR'],
    ['category', 'VARCHAR'],
    ['quantity', 'INTEGER'],
    ['unitPriceMinor', 'BIGINT'],
    ['discountMinor', 'BIGINT'],
    /** JSON object of the fields that only this type of event has (`rating`, `attributes`, `outcome` …), or null. */
    ['detail', 'VARCHAR'],
  ],
  items: [
    ['itemId', 'VARCHAR'],
    ['updatedAt', 'TIMESTAMP'],
    /** JSON of domain `Item`; null = deleted. */
    ['json', 'VARCHAR'],
  ],
  offers: [
    ['offerId', 'VARCHAR'],
    ['updatedAt', 'TIMESTAMP'],
    /** JSON of domain `Offer`; null = deleted. */
    ['json', 'VARCHAR'],
  ],
  decisions: [
    ['decisionId', 'VARCHAR'],
    ['customerId', 'VARCHAR'],
    ['sessionId', 'VARCHAR'],
    /** UTC. */
    ['decidedAt', 'TIMESTAMP'],
    ['channel', 'VARCHAR'],
    ['campaign', 'VARCHAR'],
    /** JSON of domain `Decision`, or of one as `framed-decision.ts` has it. */
    ['json', 'VARCHAR'],
  ],
  frames: [
    ['frameId', 'VARCHAR'],
    /** JSON of domain `DecisionFrame`. */
    ['json', 'VARCHAR'],
  ],
  merges: [
    ['sessionId', 'VARCHAR'],
    ['customerId', 'VARCHAR'],
    /** UTC. */
    ['mergedAt', 'TIMESTAMP'],
  ],
} as const satisfies Record<string, readonly (readonly [string, string])[]>;
export type LakeTable = keyof typeof LAKE_TABLES;

export type Lake = {
  connection: DuckDBConnection;
  /** Another connection to the same DuckDB, with temporary tables of its own. The caller closes it. */
  connect: () => Promise<DuckDBConnection>;
  folder: (table: LakeTable) => string;
  /**
   * SQL that reads a table of the lake as it is now: `FROM ${lake.from('events')}`. An empty lake reads as no rows. With
   * `wanted`, parts of the event stream that it does not want are left out.
   */
  from: (table: LakeTable, wanted?: WantedParts) => string;
  close: () => void;
};

export type LakeLimits = { threads?: number; memoryMb?: number };

/**
 * Opens the lake of a data folder with a DuckDB of its own; the folders are made where they are missing. Throws a
 * UsageError where nothing may be written there.
 */
export async function openLake(dataDir: string, limits: LakeLimits = {}): Promise<Lake> {
  const root = join(dataDir, 'lake');
  const folder = (table: LakeTable) => join(root, table);
  for (const table of Object.keys(LAKE_TABLES) as LakeTable[]) await ensureFolder(folder(table), 'DATA_DIR');
  const temporary = join(dataDir, 'tmp');
  await ensureFolder(temporary, 'DATA_DIR');
  await removeOldSpills(temporary, Date.now());
  // One of its own: two DuckDBs that spill into the same folder overwrite each other's pages. DuckDB makes it and removes it.
  const spill = join(temporary, `${spillPrefix}${process.pid}-${randomUUID()}`);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(limits.threads ?? 2),
    memory_limit: `${limits.memoryMb ?? 1024}MB`,
    temp_directory: spill,
    // Nothing is to be fetched at run time; what is needed is inside the package.
    autoinstall_known_extensions: 'false',
  });
  const connect = async () => {
    const connection = await instance.connect();
    // Not among the options above: ICU, which knows the setting, is loaded only once the instance stands.
    await connection.run("SET TimeZone = 'UTC'");
    return connection;
  };
  const connection = await connect();
  return {
    connection,
    connect,
    folder,
    from: (table, wanted) =>
      table === 'events'
        ? ofCustomers(fromTable(folder(table), table, wanted), folder('merges'))
        : fromTable(folder(table), table, wanted),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Events, with those of guests who have logged in as the customer's. */
function ofCustomers(events: string, merges: string): string {
  if (!existsSync(merges) || !readdirSync(merges).some(isPart)) return events;
  return `(SELECT e.* REPLACE (coalesce(e."customerId", m."customerId") AS "customerId") FROM ${events} e
    LEFT JOIN (SELECT "sessionId", arg_min("customerId", "mergedAt") AS "customerId" FROM ${fromTable(merges, 'merges', undefined)}
      GROUP BY "sessionId") m ON e."customerId" IS NULL AND e."sessionId" = m."sessionId")`;
}

function fromTable(folder: string, table: LakeTable, wanted: WantedParts | undefined): string {
  const files = partsToRead(existsSync(folder) ? readdirSync(folder).filter(isPart) : [], wanted);
  if (files.length === 0) {
    const nothing = LAKE_TABLES[table].map(([name, type]) => `NULL::${type} AS "${name}"`).join(', ');
    return `(SELECT ${nothing} WHERE false)`;
  }
  // By name: a pattern would also find parts that have been merged into another and not been deleted yet.
  const paths = files.map((file) => sqlText(join(pathPattern(folder), file)));
  return `read_parquet([${paths.join(', ')}], union_by_name = true, hive_partitioning = false)`;
}

function isPart(name: string): boolean {
  return name.endsWith('.parquet');
}

/** Names of a table's parts, sorted. */
export async function listParts(lake: Lake, table: LakeTable): Promise<string[]> {
  return (await readdir(lake.folder(table))).filter(isPart).sort();
}

/** Writes the rows of a query (with the table's columns) as one part; it appears whole or not at all. */
export async function writePart(lake: Lake, table: LakeTable, name: string, query: string): Promise<void> {
  await writeParts(lake, [{ table, name, query }]);
}

/** Zstandard's own default. */
const usualLevel = 3;
/** Decisions are long and much alike: the lowest level makes them as small in half the time. */
const compressionLevels: Partial<Record<LakeTable, number>> = { decisions: 1 };

export type LakePart = { table: LakeTable; name: string; query: string };

/**
 * Writes several parts that belong together. All of them are on the disk before the first appears under its name; the
 * first of the list appears last.
 */
export async function writeParts(lake: Lake, parts: readonly LakePart[]): Promise<void> {
  const [first, ...rest] = parts;
  if (first === undefined) return;
  const names = LAKE_TABLES[first.table].map(([column]) => `"${column}"`).join(', ');
  await writeAtomically(join(lake.folder(first.table), `${first.name}.parquet`), async (temporary) => {
    await lake.connection.run(
      `COPY (SELECT ${names} FROM (${first.query})) TO ${sqlText(temporary)}
        (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${compressionLevels[first.table] ?? usualLevel})`,
    );
    await writeParts(lake, rest);
  });
}

/** The rows of a query in chunks of some thousands, as they come: a result need not fit into memory. */
export async function* queryChunks(
  connection: DuckDBConnection,
  query: string,
): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(query);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk;
  }
}

/** A string as a SQL literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A path as DuckDB's readers take it, which expand patterns: `orders[1].csv` would be read as `orders1.csv`. */
export function pathPattern(path: string): string {
  return resolve(path).replace(/[[*?]/g, '[$&]');
}
