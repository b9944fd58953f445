/** Events of the service's own log, held to the domain's `EventInput` in SQL. Null counts as absent. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CHANNELS, LOYALTY_TIERS } from '../../domain/channel.ts';
import { EVENT_TYPES, EventInput, EventLine, type EventType } from '../../domain/event.ts';
import { OFFER_OUTCOMES } from '../../domain/offer.ts';
import { type Lake, sqlText } from '../lake.ts';
import { boolean, integer, missingOrValid, number, present, text } from './json-sql.ts';
import { instant, validId } from './sql.ts';

const list = (values: readonly string[]) => values.map(sqlText).join(', ');
const money = (json: string) => `${integer(json)} BETWEEN 0 AND 1000000000000`;
const textUpTo = (json: string, max: number, min = 0) => `length(${text(json)}) BETWEEN ${min} AND ${max}`;
const oneOf = (json: string, values: readonly string[]) => `${text(json)} IN (${list(values)})`;

const TYPES_WITH_LINES: readonly EventType[] = ['purchase', 'return', 'view', 'addToCart'];
const lineKeys = Object.keys(EventLine.shape);
const commonKeys = [
  'type',
  'eventId',
  'customerId',
  'sessionId',
  'occurredAt',
  'channel',
  'currency',
  'orderId',
  'lines',
];

/** The keys that each type of event may have, as the domain says. */
const keysOfType = new Map(
  EventInput.options.map((option) => [option.shape.type.value as EventType, Object.keys(option.shape)]),
);
const allKeys = [...new Set([...keysOfType.values()].flat())];

/** What each type asks of its own fields. */
const TYPE_RULES: Partial<Record<EventType, readonly string[]>> = {
  purchase: [missingOrValid('e.orderId', textUpTo('e.orderId', 128, 1))],
  return: [missingOrValid('e.orderId', textUpTo('e.orderId', 128, 1))],
  rating: [
    present(`${number('e.rating')} BETWEEN 1 AND 5`),
    missingOrValid('e.itemId', validId(text('e.itemId'))),
  ],
  contact: [
    missingOrValid('e.complaint', oneOf('e.complaint', ['opened', 'resolved'])),
    missingOrValid('e.topic', textUpTo('e.topic', 100)),
  ],
  delivery: [
    present(`${boolean('e.late')} IS NOT NULL`),
    missingOrValid('e.orderId', textUpTo('e.orderId', 128)),
  ],
  customerUpdated: [
    present(`json_type(e.attributes) = 'OBJECT'`),
    present(`list_has_all(['loyaltyTier', 'consent', 'segment'], json_keys(e.attributes))`),
    missingOrValid(`(e.attributes->'loyaltyTier')`, oneOf(`(e.attributes->'loyaltyTier')`, LOYALTY_TIERS)),
    missingOrValid(`(e.attributes->'segment')`, textUpTo(`(e.attributes->'segment')`, 100)),
    missingOrValid(
      `(e.attributes->'consent')`,
      `regexp_full_match((e.attributes->'consent')::VARCHAR, '\\{(\\s*"(${CHANNELS.join('|')})"\\s*:\\s*(true|false)\\s*,?)*\\s*\\}')`,
    ),
  ],
  offerOutcome: [
    present(textUpTo('e.decisionId', 64, 1)),
    present(validId(text('e.offerId'))),
    present(oneOf('e.outcome', OFFER_OUTCOMES)),
    missingOrValid('e.valueMinor', money('e.valueMinor')),
  ],
};

/** Makes `newLines` (the lake's columns and `pos`) of the events among `ownRows`, and says of the others why not. */
export async function takeOwnEvents(lake: Lake, options: { now: number; currency: string }): Promise<void> {
  const { connection } = lake;
  await readEvents(connection, options);
  await readLinesOfEvents(connection);
  await connection.run(`UPDATE ownEvents SET reason = l.reason
    FROM (SELECT pos, arg_min(reason, line) AS reason FROM ownLines WHERE reason IS NOT NULL GROUP BY pos) l
    WHERE ownEvents.pos = l.pos AND ownEvents.reason IS NULL`);
  await connection.run(`UPDATE ownEvents SET reason = 'duplicateRow' WHERE reason IS NULL AND pos NOT IN (
    SELECT min(pos) FROM ownEvents WHERE reason IS NULL GROUP BY eventId)`);
  await connection.run(`UPDATE ownEvents SET reason = 'alreadyImported' WHERE reason IS NULL
    AND eventId IN (SELECT eventId FROM ${lake.from('events')})`);
  await connection.run(`CREATE OR REPLACE TABLE newLines AS
    SELECT eventId, coalesce(l.line, 0) AS line, type, customerId, sessionId, occurredAt, channel, orderId, l.itemId,
      CASE WHEN l.itemId IS NOT NULL THEN coalesce(l.category, c.category, '') END AS category,
      l.quantity, l.unitPriceMinor, l.discountMinor, detail, e.pos
    FROM ownEvents e LEFT JOIN ownLines l ON l.pos = e.pos LEFT JOIN catalogue c ON c.itemId = l.itemId
    WHERE e.reason IS NULL`);
  await connection.run('UPDATE ownRows SET reason = e.reason FROM ownEvents e WHERE ownRows.pos = e.pos');
}

async function readEvents(
  connection: DuckDBConnection,
  options: { now: number; currency: string },
): Promise<void> {
  const shape = JSON.stringify(Object.fromEntries(allKeys.map((key) => [key, 'JSON'])));
  const allowed = [...keysOfType]
    .map(([type, keys]) => `WHEN ${sqlText(type)} THEN [${list(keys)}]`)
    .join(' ');
  const typeRules = Object.entries(TYPE_RULES).map(
    ([type, rules]) =>
      `WHEN ${text('e.type')} = ${sqlText(type)} AND NOT (${rules.join(' AND ')}) THEN 'invalid'`,
  );
  const at = text('e.occurredAt');
  const withZone = `regexp_matches(${at}, '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d.*(Z|[+-]\\d\\d:?\\d\\d)$')`;
  const ownKeys = JSON.stringify(Object.fromEntries(commonKeys.map((key) => [key, null])));
  const latest = `make_timestamp(${(options.now + 86_400_000) * 1000})`;
  await connection.run(`CREATE OR REPLACE TABLE ownEvents AS
    SELECT pos, type, customerId, sessionId, occurredAt, channel, orderId, detail,
      coalesce(givenId, 'nextbest:' || md5(json::VARCHAR) || ':' || row_number() OVER (PARTITION BY md5(json::VARCHAR) ORDER BY pos)) AS eventId,
      CASE
        WHEN json_type(json) <> 'OBJECT' THEN 'invalid'
        WHEN type IS NULL OR type NOT IN (${list(EVENT_TYPES)}) THEN 'badType'
        WHEN NOT list_has_all(CASE type ${allowed} END, json_keys(json)) THEN 'invalid'
        WHEN givenId IS NOT NULL AND NOT ${validId('givenId')} THEN 'invalid'
        WHEN NOT (coalesce(${validId('customerId')}, true) AND coalesce(${validId('sessionId')}, true)) OR mistyped THEN 'badCustomer'
        WHEN customerId IS NULL AND sessionId IS NULL THEN 'noCustomer'
        WHEN occurredAt IS NULL OR occurredAt < make_timestamp(0) OR occurredAt > ${latest} THEN 'badDate'
        WHEN NOT coalesce(channel IN (${list(CHANNELS)}), false) THEN 'badChannel'
        WHEN NOT coalesce(currency = ${sqlText(options.currency)}, true) THEN 'wrongCurrency'
        ELSE typeFault END AS reason
    FROM (
      SELECT pos, json, ${text('e.type')} AS type, ${text('e.eventId')} AS givenId, ${text('e.customerId')} AS customerId,
        ${text('e.sessionId')} AS sessionId, ${text('e.orderId')} AS orderId,
        -- An id that is there but no text.
        NOT (${['eventId', 'customerId', 'sessionId', 'currency'].map((key) => missingOrValid(`e.${key}`, `${text(`e.${key}`)} IS NOT NULL`)).join(' AND ')}) AS mistyped,
        CASE WHEN json_type(e.occurredAt) IN ('UBIGINT', 'BIGINT') THEN
            CASE WHEN ${integer('e.occurredAt')} BETWEEN 0 AND 8640000000000000 THEN make_timestamp(${integer('e.occurredAt')} * 1000) END
          WHEN ${withZone} THEN ${instant(at)} END AS occurredAt,
        CASE WHEN e.channel IS NULL OR json_type(e.channel) = 'NULL' THEN 'web' ELSE ${text('e.channel')} END AS channel,
        ${text('e.currency')} AS currency,
        CASE ${typeRules.join(' ')} END AS typeFault,
        CASE WHEN ${text('e.type')} NOT IN (${list([...TYPES_WITH_LINES, 'visit'])})
          THEN nullif(json_merge_patch(json, ${sqlText(ownKeys)})::VARCHAR, '{}') END AS detail
      FROM (SELECT pos, json, json_transform(json, ${sqlText(shape)}) AS e FROM ownRows WHERE kind = 'event' AND reason IS NULL))`);
}

/** Makes `ownLines`: the lines of the events that have some, each with its fault. */
async function readLinesOfEvents(connection: DuckDBConnection): Promise<void> {
  const shape = JSON.stringify(Object.fromEntries(lineKeys.map((key) => [key, 'JSON'])));
  await connection.run(`CREATE OR REPLACE TABLE ownLines AS
    SELECT pos, line, ${text('l.itemId')} AS itemId, ${text('l.category')} AS category,
      TRY_CAST(coalesce(${integer('l.quantity')}, 1) AS INTEGER) AS quantity, ${integer('l.unitPriceMinor')} AS unitPriceMinor,
      ${integer('l.discountMinor')} AS discountMinor,
      CASE
        WHEN json IS NULL OR json_type(json) <> 'OBJECT' OR NOT list_has_all([${list(lineKeys)}], json_keys(json)) THEN 'invalid'
        WHEN NOT ${present(validId(text('l.itemId')))} THEN 'badItem'
        WHEN NOT ${missingOrValid('l.quantity', `${integer('l.quantity')} BETWEEN 1 AND 1000000`)} THEN 'badQuantity'
        WHEN NOT (${missingOrValid('l.unitPriceMinor', money('l.unitPriceMinor'))} AND ${missingOrValid('l.discountMinor', money('l.discountMinor'))}) THEN 'badPrice'
        WHEN NOT ${missingOrValid('l.category', textUpTo('l.category', 200))} THEN 'invalid' END AS reason
    FROM (
      SELECT pos, line, json, json_transform(json, ${sqlText(shape)}) AS l FROM (
        -- No list, or one of the wrong length, is one line that is no object.
        SELECT pos, unnest(lines) AS json, unnest(range(len(lines)))::INTEGER AS line FROM (
          SELECT e.pos, CASE WHEN len(lines) BETWEEN 1 AND 500 THEN lines ELSE [NULL] END AS lines FROM (
            SELECT e.pos, json_extract(r.json, '$.lines[*]') AS lines FROM ownEvents e JOIN ownRows r ON r.pos = e.pos
            WHERE e.reason IS NULL AND e.type IN (${list(TYPES_WITH_LINES)})) e)))`);
}
