/**
 * Rows of orders: what each means, and the first reason, if any, for which it is not taken. One SQL statement a step;
 * a row's `reason` stays NULL as long as nothing speaks against it.
 */

import type { DuckDBConnection } from '@duckdb/node-api';
import { CHANNELS } from '../../domain/channel.ts';
import { dayMs } from '../../domain/time.ts';
import { sqlText } from '../lake.ts';
import type { OrderFields, OrderSource, RowRule } from './preset.ts';
import { column, validId } from './sql.ts';

export type OrderRowOptions = {
  /** Milliseconds since 1970: rows from later than a day after it are refused. */
  now: number;
  /** Minor units in a major one: 100 for EUR, 1 for JPY. */
  minorUnits: number;
  /** Rows in another currency are refused; undefined: the log has one currency and its column is not read. */
  currency: string | undefined;
  /** SQL of the customer's id, from that of the preset's. */
  customerId: (sql: string) => string;
};

/** Fills, in a table of raw records, the order's columns that lines after its first leave empty. */
export async function fillOrders(
  connection: DuckDBConnection,
  table: string,
  source: OrderSource,
): Promise<void> {
  const fill = source.fillOrder;
  if (fill === undefined) return;
  const order = column(fill.orderId);
  // A line that cannot be read may have begun an order: what follows it must not fall to the order before.
  await connection.run(`CREATE OR REPLACE TABLE ${table} AS
    SELECT * REPLACE (CASE WHEN ${order} = chr(0) THEN NULL ELSE ${order} END AS ${order}) FROM (
      SELECT * REPLACE (CASE WHEN malformed THEN NULL ELSE
        last_value(CASE WHEN malformed THEN chr(0) ELSE ${order} END IGNORE NULLS) OVER (PARTITION BY file ORDER BY pos) END AS ${order})
      FROM ${table})`);
  const filled = fill.columns.map(
    (name) => `coalesce(r.${column(name)}, f.${column(name)}) AS ${column(name)}`,
  );
  const firsts = fill.columns.map(
    (name) => `arg_min(${column(name)}, pos) FILTER (${column(name)} IS NOT NULL) AS ${column(name)}`,
  );
  await connection.run(`CREATE OR REPLACE TABLE ${table} AS
    SELECT r.* REPLACE (${filled.join(', ')}) FROM ${table} r
    LEFT JOIN (SELECT file, ${order}, ${firsts.join(', ')} FROM ${table} WHERE ${order} IS NOT NULL GROUP BY ALL) f
      ON f.file = r.file AND f.${order} = r.${order}`);
}

/**
 * Makes the table `rows` of a table of raw records. `fault` is the reason apart from a missing customer: a guest's row
 * still tells that its item is sold. `catalogue` (`itemId, category, nonProduct`) gives categories where rows have none.
 */
export async function mapOrderRows(
  connection: DuckDBConnection,
  source: OrderSource,
  records: string,
  has: ReadonlySet<string>,
  options: OrderRowOptions,
): Promise<void> {
  const fields = source.fields(has);
  const own = source.rules ?? [];
  const rules = rowRules(fields, own, options);
  const firstFault = rules.map(({ reason, when }) => `WHEN ${when} THEN '${reason}'`).join('\n        ');
  const orderKey =
    fields.orderId === undefined
      ? 'md5(customerId || chr(0) || CASE WHEN isfinite(occurredAt) THEN epoch_ms(occurredAt) END)'
      : // Doubled, so that an order called `7:return` is not taken for the return of order 7.
        `replace(orderId, ':', '::')`;
  await connection.run(`CREATE OR REPLACE TABLE rows AS
    SELECT pos, file, line,
      CASE WHEN malformed THEN 'malformed' WHEN customerId IS NULL THEN 'noCustomer' ELSE fault END AS reason,
      fault, orderId, ${orderKey} AS orderKey, customerId, itemId,
      left(itemName, 500) AS itemName, left(category, 200) AS category, left(brand, 200) AS brand,
      occurredAt, type, TRY_CAST(quantity AS INTEGER) AS quantity, unitPriceMinor,
      CASE WHEN unitPriceMinor IS NOT NULL THEN nullif(least(discountMinor, quantity * unitPriceMinor), 0) END::BIGINT AS discountMinor,
      channel, left(segment, 100) AS segment,
      CASE WHEN type = 'purchase' THEN TRY_CAST(least(returned, quantity) AS INTEGER) ELSE 0 END AS returned,
      CASE WHEN isfinite(returnedAt) THEN returnedAt ELSE occurredAt END AS returnedAt, currency, discontinued
    FROM (
      SELECT *, CASE WHEN malformed THEN 'malformed'
        ${firstFault} END AS fault
      FROM (${meaningSql(fields, own, records, options)}))`);
}

/** The meaning of each row, in steps: the preset's own SQL, then pieces and money, then the type. */
function meaningSql(
  fields: OrderFields,
  own: readonly RowRule[],
  records: string,
  options: OrderRowOptions,
): string {
  const or = (sql: string | undefined, otherwise: string) => (sql === undefined ? otherwise : `(${sql})`);
  const toMinor = `${options.minorUnits}::DECIMAL(4, 0)`;
  const wholeLine = fields.lineTotal !== undefined;
  const price = fields.lineTotal ?? fields.unitPrice;
  return `
    SELECT *,
      -- A quantity that is no whole number, or of which a piece costs next to nothing, is a measure: kilograms, litres.
      CASE WHEN isMeasure THEN 1 ELSE pieces END AS quantity,
      CASE WHEN isMeasure THEN round(${wholeLine ? 'abs(price)' : 'price * pieces'} * ${toMinor}) ELSE round(exactUnitMinor) END::BIGINT AS unitPriceMinor,
      CASE WHEN givenType = 'purchase' AND signedQuantity < 0 THEN 'return' ELSE givenType END AS type
    FROM (
      SELECT *, coalesce(pieces <> trunc(pieces) OR (exactUnitMinor > 0 AND exactUnitMinor < 0.5), false) AS isMeasure
      FROM (
        SELECT *, abs(signedQuantity) AS pieces,
          ${wholeLine ? `abs(price) * ${toMinor} / nullif(abs(signedQuantity), 0)` : `price * ${toMinor}`} AS exactUnitMinor,
          round(abs(discount) * ${toMinor}) AS discountMinor
        FROM (
          SELECT r.pos, r.file, r.line, r.malformed,
            ${or(fields.orderId, 'NULL::VARCHAR')} AS orderId,
            ${options.customerId(`(${fields.customerId})`)} AS customerId,
            ${or(fields.itemId, 'NULL')} AS itemId,
            ${or(fields.occurredAt, 'NULL')} AS occurredAt,
            TRY_CAST(${or(fields.quantity, 'NULL')} AS DECIMAL(14, 4)) AS signedQuantity,
            TRY_CAST(${or(price, 'NULL')} AS DECIMAL(16, 6)) AS price,
            TRY_CAST(${or(fields.discount, '0')} AS DECIMAL(16, 6)) AS discount,
            ${or(fields.type, "'purchase'")} AS givenType,
            ${or(fields.itemName, 'NULL::VARCHAR')} AS itemName,
            coalesce(${or(fields.category, 'NULL::VARCHAR')}, c.category, '') AS category,
            ${or(fields.brand, 'NULL::VARCHAR')} AS brand,
            ${or(fields.channel, "'web'")} AS channel,
            upper(${or(fields.currency, 'NULL::VARCHAR')}) AS currency,
            ${or(fields.segment, 'NULL::VARCHAR')} AS segment,
            greatest(coalesce(TRY_CAST(${or(fields.returned, '0')} AS DECIMAL(14, 4)), 0), 0) AS returned,
            ${or(fields.returnedAt, 'NULL::TIMESTAMP')} AS returnedAt,
            coalesce(${or(fields.discontinued, 'false')}, false) AS discontinued,
            coalesce(c.nonProduct, false) AS notInTheAssortment
            ${own.map(({ when }, k) => `, (${when}) AS ownRule${k}`).join('')}
          FROM ${records} r LEFT JOIN catalogue c ON c.itemId = ${or(fields.itemId, 'NULL')})))`;
}

function rowRules(fields: OrderFields, own: readonly RowRule[], options: OrderRowOptions): RowRule[] {
  const latest = `make_timestamp(${(options.now + dayMs) * 1000})`;
  const priceRule =
    fields.unitPrice === undefined && fields.lineTotal === undefined
      ? ''
      : ` OR price IS NULL OR unitPriceMinor > 1000000000000 OR ${
          fields.lineTotal === undefined ? 'price < 0' : 'price * signedQuantity < 0'
        }`;
  const rules: (RowRule | undefined)[] = [
    { reason: 'badCustomer', when: `customerId IS NOT NULL AND NOT ${validId('customerId')}` },
    fields.orderId === undefined ? undefined : { reason: 'noOrder', when: 'orderId IS NULL' },
    fields.orderId === undefined ? undefined : { reason: 'badOrder', when: `NOT ${validId('orderId', 100)}` },
    { reason: 'noItem', when: 'itemId IS NULL' },
    { reason: 'badItem', when: `NOT ${validId('itemId')}` },
    { reason: 'nonProduct', when: 'notInTheAssortment' },
    ...own.map(({ reason }, k) => ({ reason, when: `ownRule${k}` })),
    { reason: 'badType', when: 'type IS NULL' },
    {
      reason: 'badDate',
      when: `occurredAt IS NULL OR occurredAt < make_timestamp(0) OR occurredAt > ${latest}`,
    },
    {
      reason: 'badChannel',
      when: `channel IS NULL OR channel NOT IN (${CHANNELS.map(sqlText).join(', ')})`,
    },
    { reason: 'badQuantity', when: 'signedQuantity IS NULL OR signedQuantity = 0 OR quantity > 1000000' },
    { reason: 'badPrice', when: `discount IS NULL OR discountMinor > 1000000000000${priceRule}` },
    options.currency === undefined || fields.currency === undefined
      ? undefined
      : {
          reason: 'wrongCurrency',
          when: `currency IS NOT NULL AND currency <> ${sqlText(options.currency)}`,
        },
  ];
  return rules.filter((rule) => rule !== undefined);
}
