/**
 * A catalogue out of a log, where nobody gives one: name (the one that is written most often), category and brand
 * (likewise), price (median of the item's last three months of sales) and whether it is still sold.
 *
 * Discontinued is an inference too: a log does not say that an article was taken out of the assortment, only that it
 * sells no more. Without a sale in the last `discontinuedAfterDays` days of the log, or with the log's own word for it
 * after its last sale, an item counts as discontinued: it is kept for history and never recommended.
 */
import { join } from 'node:path';
import { type Lake, pathPattern, sqlText } from '../lake.ts';

/** Parts that hold inferred items start with this: what a person or a shop system says outweighs them. */
export const inferredPrefix = 'inferred-';

const priceWindowDays = 90;

/** Makes `knownItems`: the latest entry of each item in the lake, with `given` = not (only) inferred. */
export async function loadKnownItems(lake: Lake): Promise<void> {
  const parts = sqlText(join(pathPattern(lake.folder('items')), '*.parquet'));
  const nothing = `SELECT NULL::VARCHAR AS itemId, NULL::TIMESTAMP AS updatedAt, NULL::VARCHAR AS json, false AS given WHERE false`;
  const has = await lake.connection.runAndReadAll(`SELECT count(*) FROM glob(${parts})`);
  await lake.connection.run(
    `CREATE OR REPLACE TABLE knownItems AS ${
      Number(has.value(0, 0)) === 0
        ? nothing
        : `SELECT itemId, nullif(arg_max(coalesce(json, ''), updatedAt), '') AS json, max(updatedAt) AS updatedAt,
           bool_or(NOT starts_with(parse_filename(filename), '${inferredPrefix}')) AS given
         FROM read_parquet(${parts}, union_by_name = true, filename = true, hive_partitioning = false) GROUP BY itemId`
    }`,
  );
}

/**
 * Makes `inferredItems` (the lake's columns): entries for items that no catalogue gives and whose entry is new or
 * changed. Reads `rows` (those of guests and those that the lake has are evidence too), `itemRows`, `knownItems` and the
 * lake's sales.
 */
export async function inferItems(lake: Lake, preset: string, discontinuedAfterDays: number): Promise<void> {
  const { connection } = lake;
  const sold = `type = 'purchase' AND (reason IS NULL OR (reason = 'noCustomer' AND fault IS NULL))`;
  await connection.run(`CREATE OR REPLACE TABLE givenIds AS SELECT itemId FROM knownItems WHERE given
    UNION SELECT itemId FROM itemRows WHERE itemId IS NOT NULL`);
  await connection.run(`CREATE OR REPLACE TABLE sales AS
    SELECT itemId, itemName, category, brand, occurredAt, unitPriceMinor FROM rows
    WHERE ${sold} AND itemId NOT IN (SELECT itemId FROM givenIds)`);
  await connection.run(`CREATE OR REPLACE TABLE earlierSales AS
    SELECT itemId, max(occurredAt) AS lastSold, max(occurredAt) FILTER (starts_with(eventId, ${sqlText(`${preset}:`)})) AS lastOfLog
    FROM ${lake.from('events')} WHERE type = 'purchase' GROUP BY itemId`);
  const word = (name: string) => `(SELECT itemId, ${name} FROM (
      SELECT itemId, ${name}, row_number() OVER (PARTITION BY itemId ORDER BY count(*) DESC, max(occurredAt) DESC, ${name}) AS nth
      FROM sales WHERE nullif(${name}, '') IS NOT NULL GROUP BY itemId, ${name}) WHERE nth = 1)`;
  await connection.run(`CREATE OR REPLACE TABLE inferredItems AS
    WITH log AS (
      SELECT greatest((SELECT max(occurredAt) FROM rows WHERE ${sold}), (SELECT max(lastOfLog) FROM earlierSales)) AS until),
    last AS (SELECT itemId, max(occurredAt) AS lastSold FROM sales GROUP BY itemId),
    prices AS (
      SELECT s.itemId, quantile_disc(unitPriceMinor, 0.5) AS priceMinor FROM sales s JOIN last USING (itemId)
      WHERE unitPriceMinor > 0 AND occurredAt >= lastSold - INTERVAL ${priceWindowDays} DAY GROUP BY s.itemId),
    marks AS (SELECT itemId, max(occurredAt) AS markedAt FROM rows WHERE discontinued GROUP BY itemId),
    previous AS (
      SELECT itemId, updatedAt, json AS before, json_extract_string(json, '$.name') AS name,
        json_extract_string(json, '$.category') AS category, json_extract_string(json, '$.brand') AS brand,
        TRY_CAST(json_extract_string(json, '$.priceMinor') AS BIGINT) AS priceMinor
      FROM knownItems WHERE json IS NOT NULL AND itemId NOT IN (SELECT itemId FROM givenIds)),
    items AS (
      SELECT coalesce(l.itemId, p.itemId) AS itemId, p.updatedAt AS previousAt, p.before,
        -- A log from before what is known already adds what is missing and changes nothing else.
        coalesce(e.lastSold > l.lastSold, false) AND p.itemId IS NOT NULL AS isOlder,
        greatest(l.lastSold, e.lastSold) AS lastSold, m.markedAt,
        n.itemName, c.category, b.brand, pr.priceMinor,
        p.name AS oldName, p.category AS oldCategory, p.brand AS oldBrand, p.priceMinor AS oldPriceMinor
      FROM last l FULL JOIN previous p ON p.itemId = l.itemId
      LEFT JOIN earlierSales e ON e.itemId = coalesce(l.itemId, p.itemId)
      LEFT JOIN ${word('itemName')} n ON n.itemId = l.itemId
      LEFT JOIN ${word('category')} c ON c.itemId = l.itemId
      LEFT JOIN ${word('brand')} b ON b.itemId = l.itemId
      LEFT JOIN prices pr ON pr.itemId = l.itemId
      LEFT JOIN marks m ON m.itemId = coalesce(l.itemId, p.itemId)),
    entries AS (
      SELECT itemId, before, greatest(log.until, previousAt + INTERVAL 1 MILLISECOND) AS updatedAt,
        json_merge_patch(json_object('itemId', itemId,
          'name', coalesce(CASE WHEN isOlder THEN oldName END, itemName, oldName, ''),
          'category', coalesce(CASE WHEN isOlder THEN oldCategory END, category, oldCategory, ''),
          'inStock', true,
          'discontinued', coalesce(markedAt >= lastSold, false)
            ${discontinuedAfterDays > 0 ? `OR coalesce(lastSold < log.until - INTERVAL ${discontinuedAfterDays} DAY, false)` : ''}),
          -- A merge with null leaves the key out.
          json_object('brand', coalesce(CASE WHEN isOlder THEN oldBrand END, brand, oldBrand),
            'priceMinor', coalesce(CASE WHEN isOlder THEN oldPriceMinor END, priceMinor, oldPriceMinor)))::VARCHAR AS json
      FROM items, log WHERE log.until IS NOT NULL)
    SELECT itemId, updatedAt, json FROM entries WHERE json IS DISTINCT FROM before`);
}
