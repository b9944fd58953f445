/**
 * The service's own files: NDJSON of events, items, offers and decisions, as `nextbest simulate` writes them and as the shop's
 * systems may. What a line is, its keys tell: `type` → event, `offerId` and `benefit` → offer, `decisionId` and `placements` →
 * decision,
 * `itemId` → item; or it is
 * wrapped: `{"kind": "item", "item": {…}}`. Lines are held to the domain's schemas, in SQL but for offers, of which a
 * shop has few.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { Offer } from '../../domain/offer.ts';
import { type Lake, sqlText } from '../lake.ts';
import { sameItem } from './given-items.ts';
import { boolean, integer, type JsonField, jsonFields, missingOrValid, present, text } from './json-sql.ts';
import { instant, validId } from './sql.ts';

/** Offers that one import may bring; more is a mistake in the file. */
const maxOffers = 100_000;

/** Makes `ownRows` (`pos, file, line, reason, kind, json`) of a table of raw records with the one column `json`. */
export async function sortOwnRows(connection: DuckDBConnection, records: string): Promise<void> {
  const { select, field } = jsonFields('json', [
    'kind',
    'type',
    'offerId',
    'benefit',
    'decisionId',
    'placements',
    'itemId',
  ]);
  const has = (path: string) => `${field(path).type} IS NOT NULL`;
  await connection.run(`CREATE OR REPLACE TABLE ownRows AS
    SELECT pos, file, line, CASE WHEN malformed THEN 'malformed' WHEN kind IS NULL THEN 'invalid' END AS reason, kind,
      CASE WHEN NOT wrapped THEN json
        ELSE coalesce(json_extract(json, '$.' || kind), json_merge_patch(json, '{"kind": null}')) END AS json
    FROM (
      SELECT *, CASE WHEN wrapped THEN ${text(field('kind'))} WHEN ${has('type')} THEN 'event'
          WHEN ${has('offerId')} AND ${has('benefit')} THEN 'offer' WHEN ${has('decisionId')} AND ${has('placements')} THEN 'decision'
          WHEN ${has('itemId')} THEN 'item' END AS kind
      FROM (
        SELECT *, coalesce(${text(field('kind'))} IN ('event', 'item', 'offer', 'decision'), false) AS wrapped
        FROM (SELECT pos, file, line, malformed, json::JSON AS json, ${select} FROM ${records})))`);
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
  'description',
  'tags',
  'addedAt',
];

/** An array of at most 50 texts of 1 to 100 characters. */
function isTags({ type, value }: JsonField): string {
  const isTag = `json_type(tag) = 'VARCHAR' AND length(json_extract_string(tag, '$')) BETWEEN 1 AND 100`;
  const tags = `json_extract(TRY_CAST(${value} AS JSON), '$[*]')`;
  return `(${type} = 'ARRAY' AND len(${tags}) <= 50 AND len(list_filter(${tags}, lambda tag: ${isTag})) = len(${tags}))`;
}

/** ISO 8601 with its zone, a day that there is. */
function isInstant(field: JsonField): string {
  const written = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)`;
  return `(regexp_full_match(${text(field)}, '${written}') AND ${instant(text(field))} IS NOT NULL)`;
}

/** Makes `givenItems` of the items among `ownRows`: the last line of an id counts, and only where it says something new. */
export async function takeOwnItems(connection: DuckDBConnection, now: number): Promise<void> {
  const { select, field } = jsonFields('json', itemKeys);
  const upTo = (key: string, max: number) =>
    missingOrValid(field(key), `length(${text(field(key))}) <= ${max}`);
  const price = (key: string) =>
    missingOrValid(field(key), `${integer(field(key))} BETWEEN 0 AND 1000000000000`);
  const flag = (key: string) => missingOrValid(field(key), `${boolean(field(key))} IS NOT NULL`);
  await connection.run(`CREATE OR REPLACE TABLE ownItems AS
    SELECT pos, ${text(field('itemId'))} AS itemId,
      CASE WHEN ${[
        `json_type(json) = 'OBJECT'`,
        `list_has_all([${itemKeys.map(sqlText).join(', ')}], json_keys(json))`,
        present(validId(text(field('itemId')))),
        upTo('name', 500),
        upTo('category', 200),
        upTo('brand', 200),
        price('priceMinor'),
        price('marginMinor'),
        flag('inStock'),
        flag('discontinued'),
        upTo('description', 10_000),
        missingOrValid(field('tags'), isTags(field('tags'))),
        missingOrValid(field('addedAt'), isInstant(field('addedAt'))),
      ].join(' AND ')} THEN NULL ELSE 'invalid' END AS reason,
      json_merge_patch(
        json_object('itemId', ${text(field('itemId'))}, 'name', coalesce(${text(field('name'))}, ''),
          'category', coalesce(${text(field('category'))}, '')),
        -- A merge with null leaves the key out.
        json_object('brand', ${text(field('brand'))}, 'priceMinor', ${integer(field('priceMinor'))},
          'marginMinor', ${integer(field('marginMinor'))}, 'description', ${text(field('description'))},
          'tags', CASE WHEN ${field('tags').type} = 'ARRAY' THEN TRY_CAST(${field('tags').value} AS JSON) END,
          'addedAt', ${text(field('addedAt'))}),
        json_object('inStock', coalesce(${boolean(field('inStock'))}, true),
          'discontinued', coalesce(${boolean(field('discontinued'))}, false)))::VARCHAR AS json
    FROM (SELECT pos, json, ${select} FROM ownRows WHERE kind = 'item' AND reason IS NULL)`);
  await connection.run(`CREATE OR REPLACE TABLE givenItems AS
    SELECT pos, itemId, greatest(make_timestamp(${now * 1000}), k.updatedAt + INTERVAL 1 MILLISECOND) AS updatedAt, i.json
    FROM ownItems i LEFT JOIN knownItems k USING (itemId)
    WHERE reason IS NULL AND pos IN (SELECT max(pos) FROM ownItems WHERE reason IS NULL GROUP BY itemId)
      AND NOT coalesce(k.given AND ${sameItem('i.json', 'k.json')}, false)`);
}

/** Makes `newOffers` of the offers among `ownRows`, likewise, and `offerReasons` (`pos, reason`) of the others. */
export async function takeOwnOffers(lake: Lake, now: number): Promise<void> {
  const { connection } = lake;
  await connection.run(
    'CREATE OR REPLACE TABLE newOffers (pos BIGINT, offerId VARCHAR, updatedAt TIMESTAMP, json VARCHAR)',
  );
  await connection.run('CREATE OR REPLACE TABLE offerReasons (pos BIGINT, reason VARCHAR)');
  const reader = await connection.runAndReadAll(
    `SELECT pos::VARCHAR, json::VARCHAR FROM ownRows WHERE kind = 'offer' AND reason IS NULL ORDER BY ownRows.pos LIMIT ${maxOffers + 1}`,
  );
  const rows = reader.getRowsJson() as [string, string][];
  if (rows.length === 0) return;
  if (rows.length > maxOffers)
    throw new UsageError(
      `The files hold more than ${maxOffers} offers. Are they really offers? Import them in several commands if so.`,
    );
  const known = new Map<string, { updatedAt: number; json: string | null }>();
  const earlier = await connection.runAndReadAll(
    `SELECT offerId, epoch_ms(max(updatedAt))::DOUBLE, arg_max(coalesce(json, ''), updatedAt) FROM ${lake.from('offers')} GROUP BY offerId`,
  );
  for (const [offerId, updatedAt, json] of earlier.getRowsJson() as [string, number, string][])
    known.set(offerId, { updatedAt, json });

  const reasons = new Map<string, string>();
  const latest = new Map<string, { pos: string; json: string }>();
  for (const [pos, json] of rows) {
    const parsed = Offer.safeParse(JSON.parse(json));
    if (!parsed.success) {
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
    await connection.run(
      `INSERT INTO offerReasons VALUES ${[...reasons].map(([pos, reason]) => `(${pos}, '${reason}')`).join(', ')}`,
    );
}

/** The reasons of all rows, as a query of `file, line, reason`. */
export const ownVerdicts = `
  SELECT file, line, CASE
      WHEN r.reason IS NOT NULL THEN r.reason
      WHEN kind = 'event' THEN e.reason
      WHEN kind = 'offer' THEN o.reason
      WHEN kind = 'decision' THEN d.reason
      WHEN i.reason IS NOT NULL THEN i.reason
      WHEN g.pos IS NOT NULL THEN NULL
      WHEN i.pos < last.pos THEN 'duplicateRow' ELSE 'alreadyImported' END AS reason
  FROM ownRows r LEFT JOIN ownEvents e ON e.pos = r.pos LEFT JOIN offerReasons o ON o.pos = r.pos
  LEFT JOIN decisionReasons d ON d.pos = r.pos
  LEFT JOIN ownItems i ON i.pos = r.pos LEFT JOIN givenItems g ON g.pos = r.pos
  LEFT JOIN (SELECT itemId, max(pos) AS pos FROM ownItems WHERE reason IS NULL GROUP BY itemId) last ON last.itemId = i.itemId`;

/** Both through the schema, so that they compare by what they say. */
function sameOffer(before: string | null, after: string): boolean {
  if (before === null || before === '') return false;
  const parsed = Offer.safeParse(JSON.parse(before));
  return parsed.success && JSON.stringify(parsed.data) === after;
}
