/** Entries of the event stream as parts of the lake. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBAppender, type DuckDBConnection, DuckDBTimestampValue } from '@duckdb/node-api';
import type { ShopEvent } from '../domain/event.ts';
import type { CatalogueChange, DecisionEntry, MergeEntry } from '../domain/log-entry.ts';
import { framePart } from './decision-frames.ts';
import { LAKE_TABLES, type Lake, type LakeTable, sqlText, writePart } from './lake.ts';
import { eventToRows } from './lake-rows.ts';

export type DrainedEntries = {
  events: ShopEvent[];
  catalogue: CatalogueChange[];
  decisions: DecisionEntry['decision'][];
  merges?: readonly MergeEntry[];
};

/** A value of a row; numbers go into INTEGER and BIGINT columns, times are milliseconds since 1970. */
type Value = string | number | null;

/**
 * Writes each kind as a part of that name into its table; a table without rows gets none. Events come last: their part is
 * what tells that the range has been drained.
 */
export async function writeEntries(lake: Lake, name: string, entries: DrainedEntries): Promise<void> {
  const rows: Record<LakeTable, Value[][]> = {
    events: [],
    items: [],
    offers: [],
    decisions: [],
    frames: [],
    merges: [],
  };
  for (const change of entries.catalogue) addChange(rows, change);
  for (const decision of entries.decisions) {
    const { decisionId, customerId = null, sessionId = null, channel, campaign = null } = decision;
    const decidedAt = Date.parse(decision.decidedAt);
    const json = JSON.stringify(decision);
    rows.decisions.push([decisionId, customerId, sessionId, decidedAt, channel, campaign, json]);
  }
  for (const { sessionId, customerId, at } of entries.merges ?? [])
    rows.merges.push([sessionId, customerId, at]);
  for (const event of entries.events)
    for (const row of eventToRows(event)) rows.events.push(LAKE_TABLES.events.map(([column]) => row[column]));

  const connection = await lake.connect();
  try {
    for (const table of ['items', 'offers', 'decisions', 'merges', 'events'] as const) {
      if (rows[table].length === 0) continue;
      await fill(connection, table, rows[table]);
      await writePart({ ...lake, connection }, table, name, `SELECT * FROM drained_${table}`);
    }
  } finally {
    connection.closeSync();
  }
}

/** A decision as a row of the lake. */
export type DecisionRow = {
  decisionId: string;
  customerId: string;
  /** Milliseconds since 1970. */
  decidedAt: number;
  channel: string;
  campaign: string | null;
  /** As the lake has it. */
  json: string;
};

/** Decisions that do not come by the event stream, until they are a part: they wait in DuckDB, and not as objects. */
export type DecisionsPart = {
  /** `frames`: those by which they are written, JSON by id. */
  add: (decisions: readonly DecisionRow[], frames: ReadonlyMap<string, string>) => void;
  /** Makes them a part of that name, which appears whole or not at all, and not before their frames. Ends this. */
  write: (name: string) => Promise<void>;
  /** Forgets them, where they have not been written. */
  discard: () => void;
};

export async function openDecisionsPart(lake: Lake): Promise<DecisionsPart> {
  const connection = await lake.connect();
  let open = true;
  const discard = () => {
    if (open) connection.closeSync();
    open = false;
  };
  try {
    const { append, done } = await openTable(connection, 'decisions');
    let count = 0;
    const frames = new Map<string, string>();
    return {
      add: (decisions, theirFrames) => {
        for (const [frameId, json] of theirFrames) frames.set(frameId, json);
        for (const { decisionId, customerId, decidedAt, channel, campaign, json } of decisions)
          append([decisionId, customerId, null, decidedAt, channel, campaign, json]);
        count += decisions.length;
      },
      write: async (name) => {
        try {
          done();
          for (const [frameId, json] of frames) await writeFrame(frameId, json, { ...lake, connection });
          if (count > 0)
            await writePart({ ...lake, connection }, 'decisions', name, 'SELECT * FROM drained_decisions');
        } finally {
          discard();
        }
      },
      discard,
    };
  } catch (err) {
    discard();
    throw err;
  }
}

/** Once: what has the same id says the same. */
async function writeFrame(frameId: string, json: string, lake: Lake): Promise<void> {
  const name = framePart(frameId);
  if (existsSync(join(lake.folder('frames'), `${name}.parquet`))) return;
  await writePart(
    lake,
    'frames',
    name,
    `SELECT ${sqlText(frameId)} AS "frameId", ${sqlText(json)} AS "json"`,
  );
}

function addChange(rows: Record<LakeTable, Value[][]>, change: CatalogueChange): void {
  switch (change.kind) {
    case 'item':
      rows.items.push([change.item.itemId, change.at, JSON.stringify(change.item)]);
      break;
    case 'itemDeleted':
      rows.items.push([change.itemId, change.at, null]);
      break;
    case 'offer':
      rows.offers.push([change.offer.offerId, change.at, JSON.stringify(change.offer)]);
      break;
    case 'offerDeleted':
      rows.offers.push([change.offerId, change.at, null]);
      break;
  }
}

async function fill(connection: DuckDBConnection, table: LakeTable, rows: readonly Value[][]): Promise<void> {
  const { append, done } = await openTable(connection, table);
  for (const row of rows) append(row);
  done();
}

/** A table of this connection's own, `drained_<table>`, which is filled row by row. */
async function openTable(connection: DuckDBConnection, table: LakeTable) {
  const columns = LAKE_TABLES[table];
  await connection.run(
    `CREATE TEMP TABLE drained_${table} (${columns.map(([name, type]) => `"${name}" ${type}`).join(', ')})`,
  );
  const appender = await connection.createAppender(`drained_${table}`);
  return {
    append: (row: readonly Value[]) => {
      for (let c = 0; c < columns.length; c++) appendValue(appender, columns[c]?.[1] ?? '', row[c] ?? null);
      appender.endRow();
    },
    done: () => appender.closeSync(),
  };
}

function appendValue(appender: DuckDBAppender, type: string, value: Value): void {
  if (value === null) appender.appendNull();
  else if (typeof value === 'string') appender.appendVarchar(value);
  else if (type === 'INTEGER') appender.appendInteger(value);
  else if (type === 'TIMESTAMP') appender.appendTimestamp(new DuckDBTimestampValue(BigInt(value) * 1000n));
  else appender.appendBigInt(BigInt(value));
}
