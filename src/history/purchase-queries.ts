/** Which rows of the lake are purchases to learn from, and what belongs to them: as SQL for DuckDB. */
import type { Lake } from './lake.ts';

export type PurchaseRange = {
  /** Purchases from this instant on (milliseconds since 1970). */
  from?: number;
  /** Purchases before this instant. Nothing later is seen: no return, no segment. */
  before?: number;
  /** Leaves out what a customer sent back altogether, within the range. */
  excludeReturned?: boolean;
  /** With those of guests, which nobody can be learned from. */
  withGuests?: boolean;
  /** Of so large a share of the customers only, always the same ones; 1: all. */
  customerShare?: number;
  /** Loads `browsing` too: 17 bytes more for each pair of them. */
  withBrowsing?: boolean;
  /** Customers that a segment must have to be told apart; at most 100 segments, the largest, are. */
  minSegmentCustomers?: number;
};

const maxSegments = 100;

const anybody = 'itemId IS NOT NULL';
export const known = 'customerId IS NOT NULL AND itemId IS NOT NULL';

/** Parts of the customers that a share is counted in. */
const customerParts = 10_000;

export function within({ from, before, customerShare = 1 }: PurchaseRange): string {
  const bounds = ['true'];
  if (customerShare < 1)
    bounds.push(`hash(customerId) % ${customerParts} < ${Math.ceil(customerShare * customerParts)}`);
  if (from !== undefined) bounds.push(`occurredAt >= ${instant(from)}`);
  if (before !== undefined) bounds.push(`occurredAt < ${instant(before)}`);
  return bounds.join(' AND ');
}

function instant(ms: number): string {
  return `make_timestamp(${BigInt(Math.ceil(ms)) * 1000n})`;
}

export function purchaseQuery(lake: Lake, range: PurchaseRange): string {
  const events = lake.from('events');
  const purchases = `
    SELECT customerId, itemId, coalesce(orderId, eventId) AS orderKey, min(occurredAt) AS boughtAt,
      sum(quantity) AS quantity, max(category) AS category
    FROM ${events} WHERE type = 'purchase' AND ${range.withGuests === true ? anybody : known} AND ${within(range)}
    GROUP BY ALL`;
  if (range.excludeReturned !== true) return purchases;
  return `
    SELECT * FROM (${purchases}) ANTI JOIN (
      SELECT customerId, itemId FROM ${events}
      WHERE type IN ('purchase', 'return') AND ${known} AND ${within(range)}
      GROUP BY ALL
      HAVING sum(CASE type WHEN 'return' THEN quantity ELSE -quantity END) >= 0
    ) USING (customerId, itemId)`;
}

export function categoryQuery(rows: string, items: string): string {
  return `SELECT items.number, arg_max(category, boughtAt) AS label FROM ${rows} bought
    JOIN ${items} items ON items.id = bought.itemId WHERE category <> '' GROUP BY ALL`;
}

/** The segment that the CRM gave each customer last. */
export function segmentQuery(lake: Lake, range: PurchaseRange, customers: string): string {
  const { before } = range;
  return `
    WITH labels AS (
      SELECT customers.number, arg_max(json_extract_string(detail, '$.attributes.segment'), occurredAt) AS label
      FROM ${lake.from('events')} events JOIN ${customers} customers ON customers.id = events.customerId
      WHERE type = 'customerUpdated' AND json_extract_string(detail, '$.attributes.segment') <> ''
        AND ${within(before === undefined ? {} : { before })}
      GROUP BY ALL
    ), kept AS (
      SELECT label FROM labels GROUP BY label HAVING count(*) >= ${Math.ceil(range.minSegmentCustomers ?? 1)}
      ORDER BY count(*) DESC, label LIMIT ${maxSegments}
    )
    SELECT number, label FROM labels SEMI JOIN kept USING (label)`;
}

export function browsingQuery(lake: Lake, range: PurchaseRange, customers: string, items: string): string {
  return `
    SELECT c.number AS customer, i.number AS item, epoch_ms(max(occurredAt))::DOUBLE AS lastAt, bool_or(type = 'addToCart')::INTEGER AS addedToCart
    FROM ${lake.from('events')} events JOIN ${customers} c ON c.id = events.customerId
      JOIN ${items} i ON i.id = events.itemId
    WHERE type IN ('view', 'addToCart') AND ${within(range)}
    GROUP BY ALL ORDER BY customer, item`;
}
