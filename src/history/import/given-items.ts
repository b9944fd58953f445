/** Rows of a product table become catalogue entries. What the table does not say (stock, margin …) stays as it was. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { sqlText } from '../lake.ts';
import type { ItemSource } from './preset.ts';
import { validId } from './sql.ts';

/** An item's JSON as a struct, so that entries compare by what they say and not by how they are written. */
function comparable(json: string): string {
  return `json_transform(${json}, '{"itemId":"VARCHAR","name":"VARCHAR","category":"VARCHAR","brand":"VARCHAR","priceMinor":"BIGINT","marginMinor":"BIGINT","inStock":"BOOLEAN","discontinued":"BOOLEAN","description":"VARCHAR","tags":["VARCHAR"],"addedAt":"VARCHAR"}')`;
}

/** SQL condition: two JSON texts of items say the same. */
export function sameItem(a: string, b: string): string {
  return `(${comparable(a)} IS NOT DISTINCT FROM ${comparable(b)})`;
}

/** Makes `itemRows` of a table of raw records: what each row means, and why it is not taken. */
export async function mapItemRows(
  connection: DuckDBConnection,
  source: ItemSource,
  records: string,
  minorUnits: number,
): Promise<void> {
  const { fields } = source;
  const own = (source.rules ?? [])
    .map(({ reason, when }) => `WHEN ${when} THEN ${sqlText(reason)}`)
    .join(' ');
  await connection.run(`CREATE OR REPLACE TABLE itemRows AS
    SELECT pos, file, line, itemId, left(name, 500) AS name, left(category, 200) AS category, left(brand, 200) AS brand,
      priceMinor, coalesce(reason, CASE WHEN row_number() OVER (PARTITION BY itemId, reason ORDER BY pos DESC) > 1 THEN 'duplicateRow' END) AS reason
    FROM (SELECT *, CASE WHEN malformed THEN 'malformed' WHEN itemId IS NULL THEN 'noItem'
        WHEN NOT ${validId('itemId')} THEN 'badItem' ELSE ownReason END AS reason
      FROM (SELECT r.pos, r.file, r.line, r.malformed, ${fields.itemId} AS itemId, ${fields.name} AS name,
          ${fields.category ?? 'NULL'} AS category, ${fields.brand ?? 'NULL'} AS brand,
          round(TRY_CAST(${fields.price ?? 'NULL'} AS DECIMAL(16, 6)) * ${minorUnits}::DECIMAL(4, 0))::BIGINT AS priceMinor,
          ${own === '' ? 'NULL::VARCHAR' : `CASE ${own} END`} AS ownReason
        FROM ${records} r))`);
}

/**
 * Makes the table `catalogue` in which items of orders and events are looked up: `given` (a query of `itemId, category,
 * priceMinor, nonProduct`) before what the lake knows.
 */
export async function makeCatalogue(connection: DuckDBConnection, given: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE catalogue AS
    WITH given AS (
      SELECT itemId, any_value(category) AS category, any_value(priceMinor) AS priceMinor, bool_or(nonProduct) AS nonProduct FROM (${given}) GROUP BY itemId)
    SELECT * FROM given UNION ALL
    SELECT itemId, nullif(json_extract_string(json, '$.category'), ''), TRY_CAST(json_extract(json, '$.priceMinor') AS BIGINT), false FROM knownItems
    WHERE json IS NOT NULL AND itemId NOT IN (SELECT itemId FROM given)`);
}

/** The products of this import, and what its table knows to be none, as a query for `makeCatalogue`. */
export const catalogueOfItemRows = `
  SELECT itemId, category, priceMinor, coalesce(reason = 'nonProduct', false) AS nonProduct FROM itemRows
  WHERE itemId IS NOT NULL AND (reason IS NULL OR reason = 'nonProduct')`;

/**
 * Makes `givenItems` (the lake's columns and `pos`) of the rows that say something that the lake lacks. Prices
 * that the table lacks come from the orders of this import: the median of what was paid per piece.
 */
export async function makeGivenItems(connection: DuckDBConnection, now: number): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE givenItems AS
    WITH prices AS (
      SELECT itemId, quantile_disc(unitPriceMinor, 0.5) AS priceMinor FROM rows
      WHERE type = 'purchase' AND unitPriceMinor > 0 AND reason IS NULL GROUP BY itemId),
    merged AS (
      SELECT r.pos, r.itemId, k.updatedAt AS previousAt, k.given, k.json AS before, json_merge_patch(
        -- What was only inferred counts no more, but for the price.
        CASE WHEN k.given AND k.json IS NOT NULL THEN k.json ELSE json_merge_patch(
          json_object('itemId', r.itemId, 'inStock', true, 'discontinued', false),
          CASE WHEN json_exists(k.json, '$.priceMinor') THEN json_object('priceMinor', json_extract(k.json, '$.priceMinor')) ELSE '{}' END) END,
        json_object('name', coalesce(r.name, ''), 'category', coalesce(r.category, '')),
        CASE WHEN r.brand IS NULL THEN '{}' ELSE json_object('brand', r.brand) END,
        CASE WHEN coalesce(r.priceMinor, p.priceMinor) IS NULL THEN '{}'
             ELSE json_object('priceMinor', coalesce(r.priceMinor, p.priceMinor)) END)::VARCHAR AS json
      FROM itemRows r LEFT JOIN knownItems k USING (itemId) LEFT JOIN prices p USING (itemId) WHERE r.reason IS NULL)
    SELECT pos, itemId, greatest(make_timestamp(${now * 1000}), previousAt + INTERVAL 1 MILLISECOND) AS updatedAt, json
    FROM merged WHERE NOT coalesce(given AND ${sameItem('json', 'before')}, false)`);
}

/** The reasons of all rows of product tables, as a query of `file, line, reason`. */
export const itemVerdicts = `
  SELECT file, line, CASE WHEN reason IS NULL AND pos NOT IN (SELECT pos FROM givenItems) THEN 'alreadyImported' ELSE reason END AS reason
  FROM itemRows`;
