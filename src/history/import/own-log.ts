/**
 * The service's own files: NDJSON of events, items and offers, as `nextbest simulate` writes them and as the shop's
 * systems may. What a line is, its keys tell: `type` → event, `offerId` and `benefit` → offer, `itemId` → item; or it is
 * wrapped: `{"kind": "item", "item": {…}}`. Lines are held to the domain's schemas, in SQL but for offers, of which a
 * shop has few.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Offer } from '../../domain/offer.ts';
import { type Lake, sqlText } from '../lake.ts';
import { sameItem } from './given-items.ts';
import { boolean, integer, missingOrValid, text } from './json-sql.ts';
import { validId } from './sql.ts';

/** Offers that one import may bring; more is a mistake in the file. */
const maxOffers = 100_000;

/** Makes `ownRows` (`pos, file, line, reason, kind, json`) of a table of raw records with the one column `json`. */
export async function sortOwnRows(connection: DuckDBConnection, records: string): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE ownRows AS
    SELECT pos, file, line, kind, json,
      CASE WHEN malformed THEN 'malformed' WHEN kind IS NULL THEN 'invalid' END AS reason
    FROM (
      SELECT * EXCLUDE (json), CASE wrapper WHEN 'none' THEN json
          ELSE coalesce(json_extract(json, '$.' || wrapper), json_merge_patch(json, '{"kind": null}')) END AS json,
        CASE WHEN wrapper <> 'none' THEN wrapper
          WHEN has_type THEN 'event' WHEN has_offer THEN 'offer' WHEN has_item THEN 'item' END AS kind
      FROM (
        SELECT pos, file, line, malformed, json,
          CASE WHEN json_extract_string(json, '$.kind') IN ('event', 'item', 'offer') THEN json_extract_string(json, '$.kind') ELSE 'none' END AS wrapper,
          json_exists(json, '$.type') AS has_type,
          json_exists(json, '$.offerId') AND json_exists(json, '$.benefit') AS has_offer,
          json_exists(json, '$.itemId') AS has_item
        FROM (SELECT pos, file, line, malformed, json::JSON AS json FROM ${records})))`);
}

const itemKeys = [
  'itemId',
  'name',
  'category',
  'brand',
  'priceMinor',
  'marginMinor',
  'inStock',
  'discontinued',
];

/** Makes `givenItems` of the items among `ownRows`: the last line of an id counts, and only where it says something new. */
export async function takeOwnItems(connection: DuckDBConnection, now: number): Promise<void> {
  const price = (name: string) => `${integer(`i.${name}`)} BETWEEN 0 AND 1000000000000`;
  const transform = JSON.stringify(Object.fromEntries(itemKeys.map((key) => [key, 'JSON'])));
  await connection.run(`CREATE OR REPLACE TABLE ownItems AS
    SELECT pos, ${text('i.itemId')} AS itemId,
      CASE WHEN ${[
        `json_type(json) = 'OBJECT'`,
        `list_has_all([${itemKeys.map(sqlText).join(', ')}], json_keys(json))`,
        `coalesce(${validId(text('i.itemId'))}, false)`,
        missingOrValid('i.name', `length(${text('i.name')}) <= 500`),
        missingOrValid('i.category', `length(${text('i.category')}) <= 200`),
        missingOrValid('i.brand', `length(${text('i.brand')}) <= 200`),
        missingOrValid('i.priceMinor', price('priceMinor')),
        missingOrValid('i.marginMinor', price('marginMinor')),
        missingOrValid('i.inStock', `${boolean('i.inStock')} IS NOT NULL`),
        missingOrValid('i.discontinued', `${boolean('i.discontinued')} IS NOT NULL`),
      ].join(' AND ')} THEN NULL ELSE 'invalid' END AS reason,
      json_merge_patch(json_object('itemId', ${text('i.itemId')}, 'name', coalesce(${text('i.name')}, ''),
          'category', coalesce(${text('i.category')}, '')),
        json_object('brand', i.brand, 'priceMinor', i.priceMinor, 'marginMinor', i.marginMinor),
        json_object('inStock', coalesce(${boolean('i.inStock')}, true), 'discontinued', coalesce(${boolean('i.discontinued')}, false)))::VARCHAR AS json
    FROM (SELECT pos, json, json_transform(json, ${sqlText(transform)}) AS i FROM ownRows WHERE kind = 'item' AND reason IS NULL)`);
  await connection.run(`UPDATE ownItems SET reason = 'duplicateRow' WHERE reason IS NULL
    AND pos NOT IN (SELECT max(pos) FROM ownItems WHERE reason IS NULL GROUP BY itemId)`);
  await connection.run(`CREATE OR REPLACE TABLE givenItems AS
    SELECT pos, itemId, greatest(make_timestamp(${now * 1000}), k.updatedAt + INTERVAL 1 MILLISECOND) AS updatedAt, i.json
    FROM ownItems i LEFT JOIN knownItems k USING (itemId)
    WHERE reason IS NULL AND NOT coalesce(k.given AND ${sameItem('i.json', 'k.json')}, false)`);
  await connection.run(
    `UPDATE ownItems SET reason = 'alreadyImported' WHERE reason IS NULL AND pos NOT IN (SELECT pos FROM givenItems)`,
  );
  await connection.run('UPDATE ownRows SET reason = i.reason FROM ownItems i WHERE ownRows.pos = i.pos');
}

/** Makes `newOffers` of the offers among `ownRows`, likewise. */
export async function takeOwnOffers(lake: Lake, now: number): Promise<void> {
  const { connection } = lake;
  await connection.run(
    'CREATE OR REPLACE TABLE newOffers (pos BIGINT, offerId VARCHAR, updatedAt TIMESTAMP, json VARCHAR)',
  );
  const reader = await connection.runAndReadAll(
    `SELECT pos::VARCHAR, json::VARCHAR FROM ownRows WHERE kind = 'offer' AND reason IS NULL ORDER BY ownRows.pos LIMIT ${maxOffers + 1}`,
  );
  const rows = reader.getRowsJson() as [string, string][];
  if (rows.length === 0) return;
  const known = new Map<string, { updatedAt: number; json: string | null }>();
  const earlier = await connection.runAndReadAll(
    `SELECT offerId, epoch_ms(max(updatedAt))::DOUBLE, arg_max(coalesce(json, ''), updatedAt) FROM ${lake.from('offers')} GROUP BY offerId`,
  );
  for (const [offerId, updatedAt, json] of earlier.getRowsJson() as [string, number, string][])
    known.set(offerId, { updatedAt, json });

  const reasons = new Map<string, string>();
  const latest = new Map<string, { pos: string; json: string }>();
  for (const [index, [pos, json]] of rows.entries()) {
    const parsed = Offer.safeParse(JSON.parse(json));
    if (!parsed.success || index >= maxOffers) {
      reasons.set(pos, 'invalid');
      continue;
    }
    const before = latest.get(parsed.data.offerId);
    if (before !== undefined) reasons.set(before.pos, 'duplicateRow');
    latest.set(parsed.data.offerId, { pos, json: JSON.stringify(parsed.data) });
  }
  const values: string[] = [];
  for (const [offerId, { pos, json }] of latest) {
    const before = known.get(offerId);
    if (before !== undefined && sameOffer(before.json, json)) {
      reasons.set(pos, 'alreadyImported');
      continue;
    }
    const at = Math.max(now, (before?.updatedAt ?? 0) + 1);
    values.push(`(${pos}, ${sqlText(offerId)}, make_timestamp(${Math.floor(at) * 1000}), ${sqlText(json)})`);
  }
  if (values.length > 0) await connection.run(`INSERT INTO newOffers VALUES ${values.join(', ')}`);
  if (reasons.size > 0)
    await connection.run(`UPDATE ownRows SET reason = v.reason
      FROM (VALUES ${[...reasons].map(([pos, reason]) => `(${pos}, '${reason}')`).join(', ')}) v(pos, reason) WHERE ownRows.pos = v.pos`);
}

/** Both through the schema, so that they compare by what they say. */
function sameOffer(before: string | null, after: string): boolean {
  if (before === null || before === '') return false;
  const parsed = Offer.safeParse(JSON.parse(before));
  return parsed.success && JSON.stringify(parsed.data) === after;
}
