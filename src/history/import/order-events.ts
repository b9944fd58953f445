/** Accepted rows of orders become events: one `purchase` (or `return`, `view` …) an order, one lake row a line. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Lake, sqlText } from '../lake.ts';
import type { Reason } from './preset.ts';

/** An order's number belongs to the customer of its first accepted row. */
export async function refuseOtherCustomers(connection: DuckDBConnection): Promise<void> {
  await refuse(
    connection,
    'otherCustomer',
    `SELECT r.pos FROM rows r JOIN (
       SELECT orderKey, arg_min(customerId, pos) AS owner FROM rows WHERE reason IS NULL
       GROUP BY orderKey HAVING min(customerId) <> max(customerId)) o USING (orderKey)
     WHERE r.reason IS NULL AND r.customerId <> o.owner`,
  );
}

/**
 * Exports overlap: a line that an earlier file of this import has too is a duplicate. Lines that are alike within one
 * file are not (a till rings up the same article twice): the n-th of them repeats the n-th of another file.
 */
export async function refuseRepeatsAcrossFiles(connection: DuckDBConnection): Promise<void> {
  const line = 'orderKey, itemId, type, quantity, unitPriceMinor, discountMinor, occurredAt';
  await refuse(
    connection,
    'duplicateRow',
    `SELECT pos FROM (
       SELECT pos, file, ${line}, row_number() OVER (PARTITION BY file, ${line} ORDER BY pos) AS nth
       FROM rows WHERE reason IS NULL)
     QUALIFY row_number() OVER (PARTITION BY ${line}, nth ORDER BY file) > 1`,
  );
}

/** The table is written anew: updates of many rows take DuckDB a hundred times as long. */
async function refuse(connection: DuckDBConnection, reason: Reason, positions: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE refused AS ${positions}`);
  const refused = await connection.runAndReadAll('SELECT count(*) FROM refused');
  if (Number(refused.value(0, 0)) === 0) return;
  await connection.run(`CREATE OR REPLACE TABLE rows AS
    SELECT * REPLACE (CASE WHEN pos IN (SELECT pos FROM refused) THEN '${reason}' ELSE reason END AS reason) FROM rows`);
}

/** The reasons of all rows of orders, as a query of `file, line, reason`. */
export const orderVerdicts = `
  SELECT file, line, CASE WHEN reason IS NULL AND pos NOT IN (SELECT pos FROM newLines) THEN 'alreadyImported' ELSE reason END AS reason
  FROM rows`;

/**
 * Makes `newLines` (the lake's columns and `pos`, the row that each came from) of the rows that are still accepted, as
 * far as the lake lacks them. An event's id is `<preset>:<order>`, with
 * `:return` for what came back, so that the same order gives the same event whenever it is read.
 */
export async function makeOrderEvents(lake: Lake, preset: string): Promise<void> {
  const { connection } = lake;
  const prefix = sqlText(`${preset}:`);
  await connection.run(`CREATE OR REPLACE TABLE lines AS
    SELECT ${prefix} || CASE type WHEN 'purchase' THEN orderKey WHEN 'return' THEN orderKey || ':return'
                        ELSE type || ':' || orderKey END AS eventId,
      pos, type, customerId, occurredAt, channel, orderId, itemId, category, quantity, unitPriceMinor, discountMinor
    FROM rows WHERE reason IS NULL
    UNION ALL
    SELECT ${prefix} || orderKey || ':return', pos, 'return', customerId, returnedAt, channel, orderId, itemId, category,
      returned, unitPriceMinor, nullif(round(discountMinor * returned / quantity), 0)::BIGINT
    FROM rows WHERE reason IS NULL AND returned > 0`);
  await connection.run(`CREATE OR REPLACE TABLE knownEvents AS
    SELECT DISTINCT eventId FROM ${lake.from('events')} WHERE starts_with(eventId, ${prefix})`);
  await connection.run(`CREATE OR REPLACE TABLE newLines AS
    WITH events AS (
      SELECT eventId, min(occurredAt) AS occurredAt, arg_min(channel, pos) AS channel FROM lines
      WHERE eventId NOT IN (SELECT eventId FROM knownEvents) GROUP BY eventId)
    SELECT eventId, (row_number() OVER (PARTITION BY eventId ORDER BY pos) - 1)::INTEGER AS line, type, customerId,
      NULL::VARCHAR AS sessionId, e.occurredAt, e.channel, orderId, itemId, l.category, quantity,
      CASE WHEN type IN ('purchase', 'return') THEN coalesce(unitPriceMinor, c.priceMinor) ELSE unitPriceMinor END AS unitPriceMinor,
      discountMinor, NULL::VARCHAR AS detail, pos
    FROM lines l JOIN events e USING (eventId) LEFT JOIN catalogue c USING (itemId)`);
}

/**
 * Makes `newSegments`: a `customerUpdated` event for each customer with a segment, from the first order that names it.
 * The id holds customer and segment, so that a customer who moves gets another event and one who stays does not.
 */
export async function makeSegmentEvents(lake: Lake, preset: string): Promise<void> {
  const prefix = sqlText(`${preset}:customer:`);
  await lake.connection.run(`CREATE OR REPLACE TABLE newSegments AS
    WITH stays AS (
      SELECT ${prefix} || md5(customerId || chr(0) || segment) AS eventId, customerId, segment,
        min(occurredAt) AS occurredAt, arg_min(channel, pos) AS channel
      FROM rows WHERE reason IS NULL AND segment IS NOT NULL GROUP BY customerId, segment)
    SELECT eventId, 0 AS line, 'customerUpdated' AS type, customerId, NULL::VARCHAR AS sessionId, occurredAt, channel,
      NULL::VARCHAR AS orderId, NULL::VARCHAR AS itemId, NULL::VARCHAR AS category, NULL::INTEGER AS quantity,
      NULL::BIGINT AS unitPriceMinor, NULL::BIGINT AS discountMinor,
      json_object('attributes', json_object('segment', segment))::VARCHAR AS detail
    FROM stays WHERE eventId NOT IN (
      SELECT eventId FROM ${lake.from('events')} WHERE starts_with(eventId, ${prefix}))`);
}
