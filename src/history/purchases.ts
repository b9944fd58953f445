/** Purchases out of the lake, as typed arrays for training: ids are numbered in DuckDB, rows never become objects. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Browsing } from '../algorithms/browsing.ts';
import type { SortedPurchases } from '../algorithms/buy-again.ts';
import { type Lake, queryChunks } from './lake.ts';
import {
  browsingQuery,
  categoryQuery,
  known,
  type PurchaseRange,
  purchaseQuery,
  segmentQuery,
  within,
} from './purchase-queries.ts';

/**
 * One row for each item of each order, sorted by customer, item and time. Customers and items are numbered by their
 * place in `customerIds` and `itemIds`, both sorted, orders from 0.
 */
export type Purchases = SortedPurchases & {
  order: Int32Array;
  quantity: Int32Array;
  orderCount: number;
  customerIds: string[];
  itemIds: string[];
  /** Category numbers by item; `categories[0]` is '' (unknown). */
  itemCategory: Int32Array;
  categories: string[];
  /** Segment numbers by customer; `segments[0]` is '' (none or too small). */
  customerSegment: Int32Array;
  segments: string[];
  /** What these customers looked at or put into the cart of these items, where it was asked for. */
  browsing?: Browsing;
};

let loads = 0;

/** Purchases of known customers within a range; guests are left out. 24 bytes a row, besides the ids. */
export async function loadPurchases(lake: Lake, range: PurchaseRange = {}): Promise<Purchases> {
  const { connection } = lake;
  // Two loads may share a connection: each has tables of its own.
  const prefix = `purchases_${++loads}`;
  const tables = ['rows', 'customers', 'items', 'orders'].map((name) => `${prefix}_${name}`);
  const [rows, customers, items, orders] = tables as [string, string, string, string];
  try {
    await connection.run(`CREATE TEMP TABLE ${rows} AS ${purchaseQuery(lake, range)}`);
    for (const [table, column] of [
      [customers, 'customerId'],
      [items, 'itemId'],
    ]) {
      await connection.run(
        `CREATE TEMP TABLE ${table} AS
         SELECT ${column} AS id, (row_number() OVER (ORDER BY ${column}) - 1)::INTEGER AS number
         FROM (SELECT DISTINCT ${column} FROM ${rows})`,
      );
    }
    await connection.run(
      `CREATE TEMP TABLE ${orders} AS
       SELECT customerId, orderKey, (row_number() OVER () - 1)::INTEGER AS number
       FROM (SELECT DISTINCT customerId, orderKey FROM ${rows})`,
    );
    const log = await readLog(connection, rows, customers, items, orders);
    const categories = await readGroups(connection, categoryQuery(rows, items), log.itemCount);
    const segments = await readGroups(connection, segmentQuery(lake, range, customers), log.customerCount);
    const browsing =
      range.withBrowsing === true
        ? { browsing: await readBrowsing(connection, browsingQuery(lake, range, customers, items)) }
        : {};
    return {
      ...log.columns,
      orderCount: log.orderCount,
      customerIds: await readTexts(connection, `SELECT id FROM ${customers} ORDER BY number`),
      itemIds: await readTexts(connection, `SELECT id FROM ${items} ORDER BY number`),
      itemCategory: categories.groupOf,
      categories: categories.groups,
      customerSegment: segments.groupOf,
      segments: segments.groups,
      ...browsing,
    };
  } finally {
    for (const table of tables) await connection.run(`DROP TABLE IF EXISTS ${table}`);
  }
}

/**
 * First and last time (milliseconds since 1970) of the purchases by known customers within a range, and about how many
 * customers; undefined without any.
 */
export async function purchaseSpan(
  lake: Lake,
  range: PurchaseRange = {},
): Promise<{ first: number; last: number; customers: number } | undefined> {
  const reader = await lake.connection.runAndReadAll(
    `SELECT epoch_ms(min(occurredAt))::DOUBLE, epoch_ms(max(occurredAt))::DOUBLE,
       approx_count_distinct(customerId)::DOUBLE
     FROM ${lake.from('events')} WHERE type = 'purchase' AND ${known} AND ${within(range)}`,
  );
  const [first, last, customers] = reader.getRows()[0] ?? [];
  return typeof first === 'number' && typeof last === 'number'
    ? { first, last, customers: Number(customers) }
    : undefined;
}

async function readBrowsing(connection: DuckDBConnection, query: string): Promise<Browsing> {
  const parts: [Int32Array, Int32Array, Float64Array, Int32Array][] = [];
  let rows = 0;
  for await (const chunk of queryChunks(connection, query)) {
    parts.push([
      numbersOf(chunk, 0, Int32Array),
      numbersOf(chunk, 1, Int32Array),
      numbersOf(chunk, 2, Float64Array),
      numbersOf(chunk, 3, Int32Array),
    ]);
    rows += chunk.rowCount;
  }
  const browsing = {
    customer: new Int32Array(rows),
    item: new Int32Array(rows),
    lastAt: new Float64Array(rows),
    addedToCart: new Uint8Array(rows),
  };
  let at = 0;
  for (const [customer, item, lastAt, addedToCart] of parts) {
    browsing.customer.set(customer, at);
    browsing.item.set(item, at);
    browsing.lastAt.set(lastAt, at);
    browsing.addedToCart.set(addedToCart, at);
    at += customer.length;
  }
  return browsing;
}

/** A column of a chunk, whole: private in DuckDB's types, but value by value takes many times as long. */
function numbersOf<T extends Int32Array | Float64Array>(
  chunk: DuckDBDataChunk,
  column: number,
  type: new (length: number) => T,
): T {
  const values: unknown = Reflect.get(chunk.getColumnVector(column), 'items');
  if (!(values instanceof type)) throw new TypeError(`column ${column} is no ${type.name}`);
  return values;
}

async function readLog(
  connection: DuckDBConnection,
  rows: string,
  customers: string,
  items: string,
  orders: string,
) {
  const countOf = async (table: string) =>
    Number((await connection.runAndReadAll(`SELECT count(*) FROM ${table}`)).getRows()[0]?.[0] ?? 0);
  const count = await countOf(rows);
  const columns = {
    customer: new Int32Array(count),
    item: new Int32Array(count),
    order: new Int32Array(count),
    at: new Float64Array(count),
    quantity: new Int32Array(count),
  };
  const query = `SELECT c.number, i.number, o.number, epoch_ms(boughtAt)::DOUBLE, least(quantity, 2147483647)::INTEGER
     FROM ${rows} bought JOIN ${customers} c ON c.id = bought.customerId JOIN ${items} i ON i.id = bought.itemId
       JOIN ${orders} o ON o.customerId = bought.customerId AND o.orderKey = bought.orderKey
     ORDER BY c.number, i.number, boughtAt, bought.orderKey`;
  const targets = [columns.customer, columns.item, columns.order, columns.at, columns.quantity];
  let filled = 0;
  for await (const chunk of queryChunks(connection, query)) {
    for (const [c, target] of targets.entries())
      target.set(
        target instanceof Int32Array ? numbersOf(chunk, c, Int32Array) : numbersOf(chunk, c, Float64Array),
        filled,
      );
    filled += chunk.rowCount;
  }
  return {
    columns,
    customerCount: await countOf(customers),
    itemCount: await countOf(items),
    orderCount: await countOf(orders),
  };
}

/** Numbers the labels of (number, label) rows: 0 is '' and belongs to whoever has no row. */
async function readGroups(connection: DuckDBConnection, query: string, length: number) {
  const groups = [''];
  const numbers = new Map<string, number>();
  const groupOf = new Int32Array(length);
  const byLabel = `SELECT number, label FROM (${query}) ORDER BY label`;
  for await (const chunk of queryChunks(connection, byLabel)) {
    const members = chunk.getColumnVector(0);
    const labels = chunk.getColumnVector(1);
    for (let r = 0; r < chunk.rowCount; r++) {
      const label = String(labels.getItem(r));
      let group = numbers.get(label);
      if (group === undefined) {
        group = groups.push(label) - 1;
        numbers.set(label, group);
      }
      groupOf[Number(members.getItem(r))] = group;
    }
  }
  return { groups, groupOf };
}

async function readTexts(connection: DuckDBConnection, query: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of queryChunks(connection, query)) {
    const vector = chunk.getColumnVector(0);
    for (let r = 0; r < chunk.rowCount; r++) texts.push(String(vector.getItem(r)));
  }
  return texts;
}
