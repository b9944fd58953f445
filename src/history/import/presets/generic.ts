/** Any table of order lines: the columns are named by flags, or found by the names that they usually have. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { UsageError } from '../../../domain/errors.ts';
import { sqlText } from '../../lake.ts';
import type { ColumnNames, OrderFields, Preset } from '../preset.ts';
import { channel, decimal, decimalComma, instant, instantIn } from '../sql.ts';

/** Names tried where no flag names a column. */
const USUAL_NAMES = {
  customer: ['customer', 'customerId', 'customer_id', 'userId', 'user_id', 'user', 'visitorId', 'client'],
  item: ['item', 'itemId', 'item_id', 'sku', 'productId', 'product_id', 'product', 'articleId', 'article'],
  date: ['date', 'occurredAt', 'timestamp', 'time', 'datetime', 'created_at', 'orderDate', 'order_date'],
  quantity: ['quantity', 'qty', 'units', 'pieces'],
  price: ['price', 'unitPrice', 'unit_price', 'itemPrice'],
  total: ['lineTotal', 'line_total', 'amount', 'total', 'sales_value'],
  discount: ['discount', 'discountAmount', 'discount_amount'],
  order: ['order', 'orderId', 'order_id', 'invoice', 'invoiceNo', 'basket', 'basket_id', 'transaction_id'],
  name: ['name', 'itemName', 'item_name', 'description', 'productName', 'product_name', 'title'],
  category: ['category', 'categoryName', 'product_category', 'department'],
  brand: ['brand', 'vendor', 'manufacturer'],
  channel: ['channel', 'salesChannel', 'sales_channel'],
  currency: ['currency', 'currencyCode', 'currency_code'],
  type: ['type', 'eventType', 'event_type', 'event'],
  segment: ['segment', 'country', 'region'],
} as const satisfies ColumnNames;

export type GenericColumn = keyof typeof USUAL_NAMES;
export const GENERIC_COLUMNS = Object.keys(USUAL_NAMES) as GenericColumn[];
const REQUIRED: readonly GenericColumn[] = ['customer', 'item', 'date'];

export type GenericOptions = {
  /** Column names that the person gave. */
  columns?: Partial<Record<GenericColumn, string>>;
  /** Format of the dates in strptime's letters; absent: ISO 8601, `20260131` or seconds since 1970. */
  dateFormat?: string;
  /** Numbers are written `1.234,50`. */
  decimalComma?: boolean;
  /** Regular expression of item ids that are no products (the whole id, in any case). */
  nonProducts?: string;
};

/** The preset for a table whose columns the person names. A given column must be there; others may be. */
export function genericPreset(options: GenericOptions = {}): Preset {
  const given = options.columns ?? {};
  const names = (column: GenericColumn): readonly string[] => {
    const name = given[column];
    return name === undefined ? USUAL_NAMES[column] : [name];
  };
  const isRequired = (column: GenericColumn) => REQUIRED.includes(column) || given[column] !== undefined;
  const pick = (wanted: (column: GenericColumn) => boolean): ColumnNames =>
    Object.fromEntries(GENERIC_COLUMNS.filter(wanted).map((column) => [column, names(column)]));
  return {
    name: 'generic',
    summary: 'any table of order lines; name its columns with --customer, --item, --date …',
    sources: [
      {
        kind: 'orders',
        name: 'order lines',
        columns: pick(isRequired),
        optional: pick((column) => !isRequired(column)),
        fields: (has) => genericFields(has, options),
        ...(options.nonProducts !== undefined && {
          rules: [
            {
              reason: 'nonProduct' as const,
              when: `regexp_full_match(r.item, ${sqlText(options.nonProducts)}, 'i')`,
            },
          ],
        }),
      },
    ],
  };
}

function genericFields(has: ReadonlySet<string>, options: GenericOptions): OrderFields {
  const number = options.decimalComma === true ? decimalComma : decimal;
  const date = options.dateFormat === undefined ? instant('r.date') : instantIn('r.date', options.dateFormat);
  const when = <T>(column: GenericColumn, value: T): T | undefined => (has.has(column) ? value : undefined);
  const fields: Record<keyof OrderFields, string | undefined> = {
    orderId: when('order', 'r.order'),
    customerId: 'r.customer',
    itemId: 'r.item',
    occurredAt: date,
    quantity: has.has('quantity') ? number('r.quantity') : '1',
    unitPrice: when('price', number('r.price')),
    lineTotal: has.has('price') ? undefined : when('total', number('r.total')),
    discount: when('discount', number("coalesce(r.discount, '0')")),
    type: when('type', typeWord('r.type')),
    itemName: when('name', 'r.name'),
    category: when('category', 'r.category'),
    brand: when('brand', 'r.brand'),
    channel: when('channel', `CASE WHEN r.channel IS NULL THEN 'web' ELSE ${channel('r.channel')} END`),
    currency: when('currency', 'r.currency'),
    segment: when('segment', 'r.segment'),
    returned: undefined,
    returnedAt: undefined,
    discontinued: undefined,
  };
  return Object.fromEntries(
    Object.entries(fields).filter(([, sql]) => sql !== undefined),
  ) as unknown as OrderFields;
}

function typeWord(text: string): string {
  const word = `lower(regexp_replace(${text}, '[^A-Za-z]', '', 'g'))`;
  return `CASE
    WHEN ${text} IS NULL OR ${word} IN ('purchase', 'sale', 'order', 'transaction', 'buy', 'bought', 'sold', 'invoice') THEN 'purchase'
    WHEN ${word} IN ('return', 'returned', 'refund', 'refunded', 'cancellation', 'cancelled', 'canceled', 'creditnote') THEN 'return'
    WHEN ${word} IN ('view', 'viewed', 'productview', 'detail', 'click') THEN 'view'
    WHEN ${word} IN ('addtocart', 'cart', 'addtobasket', 'basket') THEN 'addToCart' END`;
}

/** Tries what is written in languages of DuckDB's own, before it meets the first row. Throws a UsageError. */
export async function checkGenericOptions(
  connection: DuckDBConnection,
  options: GenericOptions,
): Promise<void> {
  const attempt = async (flag: string, sql: string) => {
    try {
      await connection.run(sql);
    } catch (err) {
      throw new UsageError(`${flag} cannot be used: ${err instanceof Error ? err.message : String(err)}`);
    }
  };
  if (options.nonProducts !== undefined)
    await attempt('--non-products', `SELECT regexp_full_match('x', ${sqlText(options.nonProducts)}, 'i')`);
  if (options.dateFormat !== undefined)
    await attempt('--date-format', `SELECT try_strptime('x', ${sqlText(options.dateFormat)})`);
}
