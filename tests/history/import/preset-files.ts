/** Generators of the files of each preset: rows that are right and rows that are wrong in every way that one can think of. */
import fc from 'fast-check';
import type { PresetName } from '../../../src/history/import/presets.ts';

/** A piece of a file, and the rows that the import must account for because of it. */
export type Piece = { text: string; rows: 0 | 1 };

export type FileKind = {
  name: string;
  /** Undefined: the file has no header. */
  header: string | undefined;
  /** One row that nothing speaks against, of its own order. */
  good: (nth: number) => string;
  piece: fc.Arbitrary<Piece>;
};

/** Values that no column takes gladly. `\xff` is no UTF-8. */
const HOSTILE = [
  '',
  ' ',
  '-1',
  '0',
  '0.5',
  '1e400',
  'infinity',
  '{',
  'null',
  '2999-01-01',
  '1969-12-31',
  '99999999999999999999',
  'x'.repeat(200),
  '\x00',
  '\x1f',
  '\xff',
  "'; DROP TABLE rows; --",
  '%s',
  '=1+1',
];

const blank = fc.constantFrom('', ' ', '    ').map((text): Piece => ({ text, rows: 0 }));
const row = (text: string): Piece => ({ text, rows: 1 });

/** `values`: for each column, what it may hold in a right row. */
function csv(name: string, values: Readonly<Record<string, readonly string[]>>): FileKind {
  const columns = Object.keys(values);
  const right = fc.tuple(...columns.map((column) => fc.constantFrom(...values[column]!)));
  const at = fc.nat({ max: columns.length - 1 });
  const withField = (fields: readonly string[], index: number, field: string) =>
    fields.with(index, field).join(',');
  const quoted = fc.constantFrom('"a, ""b"""', '"first\nsecond"', '"first\r\n\r\nlast, ""x"""', '""');
  const misquoted = fc.constantFrom('6" by 4"', '"open"ed', '""x', 'x""');
  return {
    name,
    header: columns.join(','),
    // Numbers of its own in the first column, which names the order (or the item).
    good: (nth) =>
      withField(
        columns.map((column) => values[column]![0]!),
        0,
        `9000${nth}`,
      ),
    piece: fc.oneof(
      { weight: 4, arbitrary: right.map((fields) => row(fields.join(','))) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(right, at, fc.oneof(fc.constantFrom(...HOSTILE), quoted, misquoted))
          .map(([fields, index, field]) => row(withField(fields, index, field))),
      },
      right.map((fields) => row(fields.slice(1).join(','))),
      right.map((fields) => row([...fields, '1', '2'].join(','))),
      fc.constantFrom('x', ',', '\t', '\xff').map(row),
      blank,
    ),
  };
}

function ndjson(
  name: string,
  right: fc.Arbitrary<Record<string, unknown>>,
  good: (nth: number) => unknown,
): FileKind {
  const wrong = fc.constantFrom<unknown>(
    null,
    -1,
    0.5,
    '',
    'x'.repeat(200),
    [],
    {},
    [null],
    1e300,
    '\u0000',
    true,
  );
  return {
    name,
    header: undefined,
    good: (nth) => JSON.stringify(good(nth)),
    piece: fc.oneof(
      { weight: 4, arbitrary: right.map((value) => row(JSON.stringify(value))) },
      {
        weight: 4,
        arbitrary: fc.tuple(right, fc.nat(), wrong).map(([value, nth, field]) => {
          const keys = Object.keys(value);
          return row(JSON.stringify({ ...value, [keys[nth % keys.length]!]: field }));
        }),
      },
      fc
        .constantFrom('{', '[]', '5', '"x"', '\t', '\xff', '{"a":"\x1f"}', '{}', 'null', '{"kind":"item"}')
        .map(row),
      blank,
    ),
  };
}

const orders = ['1', '2', '3'];
const customers = ['anna', 'ben'];
const items = ['tea', 'cup'];
const days = ['2026-05-01', '2026-05-02T10:00:00Z', '2025-01-01'];
const pieces = ['1', '2', '-1'];
const prices = ['2.5', '10'];

const event = fc.record({
  type: fc.constantFrom('purchase', 'view', 'addToCart', 'return'),
  eventId: fc.constantFrom('e1', 'e2', 'e3'),
  customerId: fc.constantFrom(...customers),
  occurredAt: fc.constantFrom('2026-05-01T10:00:00Z', 1_770_000_000_000),
  lines: fc.array(fc.record({ itemId: fc.constantFrom(...items), quantity: fc.constantFrom(1, 2) }), {
    minLength: 1,
    maxLength: 3,
  }),
});
const item = fc.record({
  itemId: fc.constantFrom(...items),
  name: fc.constantFrom('Tea', ''),
  priceMinor: fc.nat(999),
});
const offer = fc.record({
  offerId: fc.constantFrom('o1', 'o2'),
  name: fc.constant('Ten off'),
  benefit: fc.constant({ kind: 'percentOff', percent: 10 }),
});

/** Every preset has its files here: a preset without them is an error of types. */
export const PRESET_FILES = {
  generic: [
    csv('orders.csv', {
      order: orders,
      customer: customers,
      item: items,
      date: days,
      quantity: pieces,
      price: prices,
    }),
  ],
  'shopify-orders': [
    csv('orders.csv', {
      Name: ['#1', '#2', ''],
      Email: ['anna@example.com', 'ben@example.com', ''],
      'Created at': ['2026-05-01 10:00:00 +0200', ''],
      'Lineitem quantity': ['1', '2'],
      'Lineitem name': ['Tea', 'Tip'],
      'Lineitem price': prices,
      'Lineitem sku': ['T1', ''],
      Currency: ['EUR', ''],
      'Financial Status': ['paid', 'refunded', 'expired', ''],
    }),
  ],
  woocommerce: [
    csv('orders.csv', {
      order_id: [...orders, ''],
      date: ['2026-05-01 10:00:00', ''],
      item_name: ['Tea', 'Cup'],
      item_quantity: ['1', '2'],
      customer_id: ['7', '8', '0', ''],
      status: ['completed', 'refunded', 'failed'],
      item_subtotal: prices,
      item_total: prices,
      item_refunded_qty: ['0', '1'],
    }),
  ],
  'uci-online-retail': [
    csv('retail.csv', {
      InvoiceNo: ['536365', 'C536366', '536367'],
      StockCode: ['85123A', '22423', 'POST'],
      Description: ['MUG', 'discontinued'],
      Quantity: ['6', '1', '-1'],
      InvoiceDate: ['2011-01-04 10:00:00', '1/5/2011 8:26'],
      UnitPrice: prices,
      CustomerID: ['17850.0', '17851', ''],
      Country: ['France', 'EIRE'],
    }),
  ],
  completejourney: [
    csv('transactions.csv', {
      basket_id: orders,
      household_id: ['1', '2'],
      product_id: ['100', '200'],
      quantity: ['1', '3'],
      sales_value: prices,
      retail_disc: ['0', '0.5'],
      coupon_disc: ['0'],
      coupon_match_disc: ['0'],
      transaction_timestamp: ['2017-01-01 10:00:00', '2017-05-01'],
    }),
    csv('products.csv', {
      product_id: ['100', '200', '300'],
      department: ['GROCERY', 'FUEL'],
      brand: ['National'],
      product_category: ['TEA', 'COUPON'],
      product_type: ['GREEN TEA', ''],
    }),
  ],
  nextbest: [
    ndjson('events.ndjson', event, (nth) => ({
      type: 'visit',
      eventId: `g${nth}`,
      customerId: 'cleo',
      occurredAt: '2026-05-01T10:00:00Z',
    })),
    ndjson('items.ndjson', item, (nth) => ({ itemId: `g${nth}`, name: 'Pot' })),
    ndjson('offers.ndjson', offer, (nth) => ({ kind: 'item', item: { itemId: `h${nth}` } })),
  ],
} satisfies Record<PresetName, readonly FileKind[]>;
