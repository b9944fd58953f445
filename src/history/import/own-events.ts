/** Events of the service's own log, held to the domain's `EventInput` in SQL. Null counts as absent. */

import type { DuckDBConnection } from '@duckdb/node-api';
import { CHANNELS, LOYALTY_TIERS } from '../../domain/channel.ts';
import {
  COMMUNITY_ACTIVITIES,
  EVENT_TYPES,
  EventInput,
  EventLine,
  type EventType,
  MARKETING_OUTCOMES,
  POINTS_CHANGES,
  RedeemedOffer,
  redeemedMax,
} from '../../domain/event.ts';
import { OFFER_OUTCOMES } from '../../domain/offer.ts';
import { dayMs } from '../../domain/time.ts';
import { type Lake, sqlText } from '../lake.ts';
import {
  boolean,
  integer,
  type JsonField,
  jsonFields,
  missingOrValid,
  number,
  present,
  text,
} from './json-sql.ts';
import { ownSubject, refuseErased } from './refuse-erased.ts';
import { instant, validId } from './sql.ts';

export type OwnEventOptions = {
  dataDir: string;
  /** Milliseconds since 1970: events from later than a day after it are refused. */
  now: number;
  /** The shop's currency. */
  currency: string;
};

const TYPES_WITH_LINES: readonly EventType[] = ['purchase', 'return', 'view', 'addToCart'];
/** Fields with columns of their own in the lake; the others of an event are its detail. */
const columnKeys = [
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
const eventFields = jsonFields('json', [
  ...new Set([...keysOfType.values()].flat().filter((key) => key !== 'lines')),
  'attributes.loyaltyTier',
  'attributes.consent',
  'attributes.segment',
  'attributes.timeZone',
]);
const lineFields = jsonFields('json', Object.keys(EventLine.shape));

const list = (values: readonly string[]) => values.map(sqlText).join(', ');
const of = (path: string) => eventFields.field(path);
const money = (field: JsonField) => `${integer(field)} BETWEEN 0 AND 1000000000000`;
const textUpTo = (field: JsonField, max: number, min = 0) =>
  `length(${text(field)}) BETWEEN ${min} AND ${max}`;
const oneOf = (field: JsonField, values: readonly string[]) => `${text(field)} IN (${list(values)})`;
const optional = (path: string, condition: (field: JsonField) => string) =>
  missingOrValid(of(path), condition(of(path)));
const required = (path: string, condition: (field: JsonField) => string) => present(condition(of(path)));
const consentOnly = `\\{(\\s*"(${CHANNELS.join('|')})"\\s*:\\s*(true|false)\\s*,?)*\\s*\\}`;

// DuckDB and the runtime know the same zones, whatever their case, but for one that is no place's.
const knownTimeZones = `SELECT lower(name) FROM pg_timezone_names() WHERE name <> 'Factory'`;

/** A list of the domain's `RedeemedOffer`. */
function redeemedOffers({ type, value }: JsonField): string {
  const field = (path: string): JsonField => ({
    type: `json_type(entry, '$.${path}')`,
    value: `json_extract_string(entry, '$.${path}')`,
  });
  const faulty = `NOT coalesce(json_type(entry) = 'OBJECT'
    AND list_has_all([${list(Object.keys(RedeemedOffer.shape))}], json_keys(entry))
    AND ${validId(text(field('offerId')))}
    AND (${field('decisionId').type} IS NULL OR ${textUpTo(field('decisionId'), 64, 1)})
    AND (${field('costMinor').type} IS NULL OR ${money(field('costMinor'))}), false)`;
  // Tried, not cast: DuckDB may work it out where the type is another, and text that is no JSON would end the import.
  const entries = `json_extract(TRY_CAST(${value} AS JSON), '$[*]')`;
  return `${type} = 'ARRAY' AND len(${entries}) BETWEEN 1 AND ${redeemedMax}
    AND len(list_filter(${entries}, lambda entry: ${faulty})) = 0`;
}

/** What each type asks of its own fields. */
const TYPE_RULES: Partial<Record<EventType, readonly string[]>> = {
  purchase: [optional('orderId', (id) => textUpTo(id, 128, 1)), optional('redeemed', redeemedOffers)],
  return: [optional('orderId', (id) => textUpTo(id, 128, 1))],
  rating: [
    required('rating', (rating) => `${number(rating)} BETWEEN 1 AND 5`),
    optional('itemId', (id) => validId(text(id))),
  ],
  contact: [
    optional('complaint', (complaint) => oneOf(complaint, ['opened', 'resolved'])),
    optional('topic', (topic) => textUpTo(topic, 100)),
  ],
  delivery: [
    required('late', (late) => `${boolean(late)} IS NOT NULL`),
    optional('orderId', (id) => textUpTo(id, 128)),
  ],
  nps: [required('score', (score) => `${integer(score)} BETWEEN 0 AND 10`)],
  loyaltyPoints: [
    required('change', (change) => oneOf(change, POINTS_CHANGES)),
    required('points', (points) => `${integer(points)} BETWEEN 1 AND 1000000000`),
    optional('orderId', (id) => textUpTo(id, 128, 1)),
  ],
  community: [
    required('activity', (activity) => oneOf(activity, COMMUNITY_ACTIVITIES)),
    optional('itemId', (id) => validId(text(id))),
    optional('topic', (topic) => textUpTo(topic, 100)),
  ],
  marketingContact: [
    required('channel', (channel) => oneOf(channel, CHANNELS)),
    required('outcome', (outcome) => oneOf(outcome, MARKETING_OUTCOMES)),
    optional('campaign', (campaign) => textUpTo(campaign, 200, 1)),
  ],
  customerUpdated: [
    required('attributes', ({ type }) => `${type} = 'OBJECT'`),
    present(
      `list_has_all(['loyaltyTier', 'consent', 'segment', 'timeZone'], json_keys(json, '$.attributes'))`,
    ),
    optional('attributes.loyaltyTier', (tier) => oneOf(tier, LOYALTY_TIERS)),
    optional('attributes.segment', (segment) => textUpTo(segment, 100)),
    optional('attributes.timeZone', (zone) => `lower(${text(zone)}) IN (${knownTimeZones})`),
    optional('attributes.consent', ({ value }) => `regexp_full_match(${value}, ${sqlText(consentOnly)})`),
  ],
  offerOutcome: [
    required('decisionId', (id) => textUpTo(id, 64, 1)),
    required('offerId', (id) => validId(text(id))),
    required('outcome', (outcome) => oneOf(outcome, OFFER_OUTCOMES)),
    optional('valueMinor', money),
    optional('costMinor', money),
  ],
};

/**
 * Makes `newLines` (the lake's columns and `pos`) of the events among `ownRows`, and `ownEvents` with what speaks against each.
 */
export async function takeOwnEvents(lake: Lake, options: OwnEventOptions): Promise<void> {
  const { connection } = lake;
  await readEvents(connection, options);
  await refuseErased(lake, options.dataDir, 'typedEvents', { subject: ownSubject, time: 'occurredAt' });
  await readLinesOfEvents(connection);
  await connection.run(`CREATE OR REPLACE TABLE ownEvents AS
    WITH judged AS (
      SELECT e.* EXCLUDE (reason), coalesce(e.reason, l.reason) AS reason FROM typedEvents e
      LEFT JOIN (SELECT pos, arg_min(reason, line) AS reason FROM ownLines WHERE reason IS NOT NULL GROUP BY pos) l USING (pos)),
    firsts AS (SELECT min(pos) AS pos FROM judged WHERE reason IS NULL GROUP BY eventId)
    SELECT * REPLACE (CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN pos NOT IN (SELECT pos FROM firsts) THEN 'duplicateRow'
        WHEN eventId IN (SELECT eventId FROM ${lake.from('events')}) THEN 'alreadyImported' END AS reason)
    FROM judged`);
  await connection.run(`CREATE OR REPLACE TABLE newLines AS
    SELECT eventId, coalesce(l.line, 0) AS line, type, customerId, sessionId, occurredAt, channel, orderId, l.itemId,
      CASE WHEN l.itemId IS NOT NULL THEN coalesce(l.category, c.category, '') END AS category,
      l.quantity, CASE WHEN type IN ('purchase', 'return') THEN coalesce(l.unitPriceMinor, c.priceMinor) ELSE l.unitPriceMinor END AS unitPriceMinor,
      l.discountMinor, detail, e.pos
    FROM ownEvents e LEFT JOIN ownLines l ON l.pos = e.pos LEFT JOIN catalogue c ON c.itemId = l.itemId
    WHERE e.reason IS NULL`);
}

/** Makes `typedEvents`: the events with their own fields, each with the first fault of these. */
async function readEvents(connection: DuckDBConnection, options: OwnEventOptions): Promise<void> {
  const allowed = [...keysOfType]
    .map(([type, keys]) => `WHEN ${sqlText(type)} THEN [${list(keys)}]`)
    .join(' ');
  const typeRules = Object.entries(TYPE_RULES).map(
    ([type, rules]) => `WHEN ${sqlText(type)} THEN ${rules.join(' AND ')}`,
  );
  const texts = ['eventId', 'customerId', 'sessionId', 'currency'].map((path) =>
    optional(path, (field) => `${text(field)} IS NOT NULL`),
  );
  const at = text(of('occurredAt'));
  const withZone = `regexp_matches(${at}, '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d.*(Z|[+-]\\d\\d:?\\d\\d)$')`;
  const noColumns = sqlText(JSON.stringify(Object.fromEntries(columnKeys.map((key) => [key, null]))));
  const latest = `make_timestamp(${(options.now + dayMs) * 1000})`;
  await connection.run(`CREATE OR REPLACE TABLE namedEvents AS
    SELECT pos, type, givenId, customerId, sessionId, occurredAt, channel, orderId, detail, fingerprint,
      CASE
        WHEN NOT isObject THEN 'invalid'
        WHEN type IS NULL OR type NOT IN (${list(EVENT_TYPES)}) THEN 'badType'
        WHEN NOT list_has_all(CASE type ${allowed} END, keys) THEN 'invalid'
        WHEN givenId IS NOT NULL AND NOT ${validId('givenId')} THEN 'invalid'
        WHEN mistyped OR NOT (coalesce(${validId('customerId')}, true) AND coalesce(${validId('sessionId')}, true)) THEN 'badCustomer'
        WHEN customerId IS NULL AND sessionId IS NULL THEN 'noCustomer'
        WHEN occurredAt IS NULL OR occurredAt < make_timestamp(0) OR occurredAt > ${latest} THEN 'badDate'
        WHEN NOT coalesce(channel IN (${list(CHANNELS)}), false) THEN 'badChannel'
        WHEN NOT coalesce(currency = ${sqlText(options.currency)}, true) THEN 'wrongCurrency'
        WHEN NOT typeHolds THEN 'invalid' END AS reason
    FROM (
      SELECT pos, json_type(json) = 'OBJECT' AS isObject, json_keys(json) AS keys,
        ${text(of('type'))} AS type, ${text(of('eventId'))} AS givenId, ${text(of('customerId'))} AS customerId,
        ${text(of('sessionId'))} AS sessionId, ${text(of('orderId'))} AS orderId, ${text(of('currency'))} AS currency,
        -- A text that is something else.
        NOT (${texts.join(' AND ')}) AS mistyped,
        CASE WHEN ${of('occurredAt').type} IN ('UBIGINT', 'BIGINT') THEN
            CASE WHEN ${integer(of('occurredAt'))} BETWEEN 0 AND 8640000000000000 THEN make_timestamp(${integer(of('occurredAt'))} * 1000) END
          WHEN ${withZone} THEN ${instant(at)} END AS occurredAt,
        CASE WHEN coalesce(${of('channel').type}, 'NULL') = 'NULL' THEN 'web' ELSE ${text(of('channel'))} END AS channel,
        coalesce(CASE ${text(of('type'))} ${typeRules.join(' ')} END, true) AS typeHolds,
        CASE WHEN ${text(of('type'))} NOT IN (${list([...TYPES_WITH_LINES, 'visit'])}) OR ${of('redeemed').type} = 'ARRAY'
          THEN nullif(json_merge_patch(json, ${noColumns})::VARCHAR, '{}') END AS detail,
        CASE WHEN ${text(of('eventId'))} IS NULL THEN md5(json::VARCHAR) END AS fingerprint
      FROM (SELECT pos, json, ${eventFields.select} FROM ownRows WHERE kind = 'event' AND reason IS NULL))`);
  // An event without an id is named by what it says; the n-th that says the same is another event.
  await connection.run(`CREATE OR REPLACE TABLE typedEvents AS
    SELECT * EXCLUDE (givenId, fingerprint), givenId AS eventId FROM namedEvents WHERE givenId IS NOT NULL
    UNION ALL BY NAME
    SELECT * EXCLUDE (givenId, fingerprint),
      'nextbest:' || fingerprint || ':' || row_number() OVER (PARTITION BY fingerprint ORDER BY pos) AS eventId
    FROM namedEvents WHERE givenId IS NULL`);
  await connection.run('DROP TABLE namedEvents');
}

/** Makes `ownLines`: the lines of the events that have some, each with its fault. */
async function readLinesOfEvents(connection: DuckDBConnection): Promise<void> {
  const { field, select } = lineFields;
  const optionalOf = (path: string, condition: (field: JsonField) => string) =>
    missingOrValid(field(path), condition(field(path)));
  await connection.run(`CREATE OR REPLACE TABLE ownLines AS
    SELECT pos, line, ${text(field('itemId'))} AS itemId, ${text(field('category'))} AS category,
      TRY_CAST(coalesce(${integer(field('quantity'))}, 1) AS INTEGER) AS quantity,
      ${integer(field('unitPriceMinor'))} AS unitPriceMinor, ${integer(field('discountMinor'))} AS discountMinor,
      CASE
        WHEN json IS NULL OR json_type(json) <> 'OBJECT' OR NOT list_has_all([${list(Object.keys(EventLine.shape))}], json_keys(json)) THEN 'invalid'
        WHEN NOT ${present(validId(text(field('itemId'))))} THEN 'badItem'
        WHEN NOT ${optionalOf('quantity', (quantity) => `${integer(quantity)} BETWEEN 1 AND 1000000`)} THEN 'badQuantity'
        WHEN NOT (${optionalOf('unitPriceMinor', money)} AND ${optionalOf('discountMinor', money)}) THEN 'badPrice'
        WHEN NOT ${optionalOf('category', (category) => textUpTo(category, 200))} THEN 'invalid' END AS reason
    FROM (
      SELECT pos, line, json, ${select} FROM (
        SELECT pos, unnest(lines) AS json, unnest(range(len(lines)))::INTEGER AS line FROM (
          -- No list, or one of the wrong length, is one line that is no object.
          SELECT pos, CASE WHEN len(lines) BETWEEN 1 AND 500 THEN lines ELSE [NULL] END AS lines FROM (
            SELECT e.pos, json_extract(r.json, '$.lines[*]') AS lines FROM typedEvents e JOIN ownRows r ON r.pos = e.pos
            WHERE e.reason IS NULL AND e.type IN (${list(TYPES_WITH_LINES)})))))`);
}
