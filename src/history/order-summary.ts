/**
 * What each customer bought up to an instant, and what after it, as typed arrays for the models of a customer base. DuckDB
 * sums up: orders never become objects. An errand is a chain of orders less than `errandHours` apart, as in the record.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ItemMargins } from '../algorithms/customer-value/customer-value-model.ts';
import { errandHours } from '../algorithms/errand.ts';
import { dayMs } from '../domain/time.ts';
import { type Lake, queryChunks } from './lake.ts';

/** One row for each customer who had bought by `asOf`, in the order of their ids. */
export type OrderSummary = {
  /** Errands before `asOf`; at least 1. */
  errands: Float64Array;
  /** Whole days from the first order to the last errand, and to `asOf`; recency is 0 where there is one errand. */
  recencyDays: Float64Array;
  ageDays: Float64Array;
  /** Of an errand: what was paid, less cost, less what came back. Minor units. */
  averageMarginMinor: Float64Array;
  /** From `asOf` up to `until`. */
  laterErrands: Float64Array;
  laterMarginMinor: Float64Array;
};

/** Milliseconds since 1970; events from `until` on are not seen. */
export type SummaryRange = { asOf: number; until: number };

export type OrderSummaries = {
  summaryOf: (range: SummaryRange) => Promise<OrderSummary>;
  /**
   * Of customers with three errands and more before `until`, the share of the last gap in the last two: the mean of its
   * squared distance from one half, and how many there are.
   */
  gapShares: (until: number) => Promise<{ variance: number; customers: number }>;
  /** Of so many customers, or all if there are fewer; always the same ones. */
  sampleCustomers: (count: number) => Promise<string[]>;
  close: () => void;
};

/** Reads the orders before `until` once; the answers come out of a table that DuckDB spills to disk. */
export async function openOrderSummaries(
  lake: Lake,
  margins: ItemMargins,
  until: number,
): Promise<OrderSummaries> {
  const connection = await lake.connect();
  try {
    await createShares(connection, margins);
    await connection.run(linesTable(lake, margins.assumedShare, until));
    await connection.run(`
      CREATE TEMP TABLE moments AS
      SELECT *, coalesce(boughtAt - lag(boughtAt) OVER (PARTITION BY customerId ORDER BY boughtAt) >= INTERVAL ${errandHours} HOUR, true) AS starts
      FROM (SELECT customerId, boughtAt, sum(paid) AS paid, sum(cost) AS cost FROM order_lines WHERE NOT returned GROUP BY ALL)`);
    await connection.run(`
      CREATE TEMP TABLE returns AS
      SELECT customerId, boughtAt, sum(paid) AS paid FROM order_lines WHERE returned GROUP BY ALL`);
    await connection.run('DROP TABLE order_lines');
  } catch (err) {
    connection.closeSync();
    throw err;
  }
  return {
    summaryOf: (range) => summaryOf(connection, range),
    gapShares: (before) => gapShares(connection, before),
    sampleCustomers: async (count) => {
      const reader = await connection.runAndReadAll(
        `SELECT customerId FROM (SELECT DISTINCT customerId FROM moments)
         ORDER BY hash(customerId), customerId LIMIT ${Math.ceil(count)}`,
      );
      return reader.getRows().map(([id]) => String(id));
    },
    close: () => connection.closeSync(),
  };
}

async function createShares(connection: DuckDBConnection, { known }: ItemMargins): Promise<void> {
  await connection.run('CREATE TEMP TABLE item_shares (itemId VARCHAR, share DOUBLE)');
  const appender = await connection.createAppender('item_shares');
  for (const [itemId, { share }] of known) {
    appender.appendVarchar(itemId);
    appender.appendDouble(share);
    appender.endRow();
  }
  appender.closeSync();
}

/** Whole minor units, so that a sum does not depend on its order. A line that stands in the lake twice counts once. */
function linesTable(lake: Lake, assumedShare: number, until: number): string {
  const money = 'coalesce("unitPriceMinor", 0) * coalesce(quantity, 1)';
  return `
    CREATE TEMP TABLE order_lines AS
    SELECT customerId, boughtAt, returned, gross - discount AS paid,
      round(gross * (1 - coalesce(share, ${assumedShare})))::BIGINT AS cost
    FROM (
      SELECT "customerId" AS customerId, "occurredAt" AS boughtAt, "eventId", line, any_value("itemId") AS itemId,
        any_value(type) = 'return' AS returned, any_value(${money}) AS gross,
        any_value(coalesce("discountMinor", 0)) AS discount
      FROM ${lake.from('events')}
      WHERE type IN ('purchase', 'return') AND "customerId" IS NOT NULL AND "occurredAt" < ${instant(until)}
      GROUP BY ALL
    ) LEFT JOIN item_shares USING (itemId)`;
}

async function summaryOf(connection: DuckDBConnection, { asOf, until }: SummaryRange): Promise<OrderSummary> {
  const past = `boughtAt < ${instant(asOf)}`;
  const later = `boughtAt >= ${instant(asOf)} AND boughtAt < ${instant(until)}`;
  const sum = (column: string, when: string) => `coalesce(sum(${column}) FILTER (${when}), 0)::DOUBLE`;
  const query = `
    WITH bought AS (
      SELECT customerId, count(*) FILTER (starts AND ${past})::DOUBLE AS errands,
        epoch_ms(min(boughtAt))::DOUBLE AS firstAt, epoch_ms(max(boughtAt) FILTER (starts AND ${past}))::DOUBLE AS lastAt,
        ${sum('paid', past)} AS paid, ${sum('cost', past)} AS cost,
        count(*) FILTER (starts AND ${later})::DOUBLE AS laterErrands,
        ${sum('paid', later)} AS laterPaid, ${sum('cost', later)} AS laterCost
      FROM moments GROUP BY customerId HAVING min(boughtAt) < ${instant(asOf)}
    ), back AS (
      SELECT customerId, ${sum('paid', past)} AS returned, ${sum('paid', later)} AS laterReturned
      FROM returns GROUP BY customerId
    )
    SELECT errands, firstAt, lastAt, paid, cost, coalesce(returned, 0), laterErrands, laterPaid, laterCost,
      coalesce(laterReturned, 0)
    FROM bought LEFT JOIN back USING (customerId) ORDER BY customerId`;
  const counted = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER FROM (SELECT 1 FROM moments GROUP BY customerId HAVING min(boughtAt) < ${instant(asOf)})`,
  );
  const customers = Number(counted.value(0, 0));
  const column = () => new Float64Array(customers);
  const summary: OrderSummary = {
    errands: column(),
    recencyDays: column(),
    ageDays: column(),
    averageMarginMinor: column(),
    laterErrands: column(),
    laterMarginMinor: column(),
  };
  let filled = 0;
  for await (const chunk of queryChunks(connection, query)) {
    const values = Array.from({ length: chunk.columnCount }, (_, c) => chunk.getColumnVector(c));
    for (let r = 0; r < chunk.rowCount; r++, filled++) {
      const at = (c: number) => Number(values[c]!.getItem(r));
      const [errands, firstAt, lastAt] = [at(0), at(1), at(2)];
      const recencyDays = errands === 1 ? 0 : Math.round((lastAt - firstAt) / dayMs);
      summary.errands[filled] = errands;
      summary.recencyDays[filled] = recencyDays;
      summary.ageDays[filled] = Math.max(recencyDays, Math.round((asOf - firstAt) / dayMs));
      summary.averageMarginMinor[filled] = keptMargin(at(3), at(4), at(5)) / errands;
      summary.laterErrands[filled] = at(6);
      summary.laterMarginMinor[filled] = keptMargin(at(7), at(8), at(9));
    }
  }
  return summary;
}

/** What came back takes its share of the margin with it. */
function keptMargin(paid: number, cost: number, returned: number): number {
  return paid > 0 ? (paid - cost) * (1 - Math.min(1, returned / paid)) : paid - cost;
}

async function gapShares(connection: DuckDBConnection, until: number) {
  const reader = await connection.runAndReadAll(`
    WITH latest AS (
      SELECT max(boughtAt, 3) AS times FROM moments WHERE starts AND boughtAt < ${instant(until)} GROUP BY customerId HAVING count(*) >= 3
    ), gaps AS (SELECT epoch(times[1] - times[2]) AS one, epoch(times[1] - times[3]) AS two FROM latest)
    SELECT avg((one / two - 0.5) ** 2)::DOUBLE, count(*)::DOUBLE FROM gaps`);
  const [variance, customers] = (reader.getRows()[0] ?? []) as (number | null)[];
  return { variance: variance ?? Number.NaN, customers: customers ?? 0 };
}

function instant(ms: number): string {
  return `make_timestamp(${BigInt(Math.ceil(ms)) * 1000n})`;
}
