/**
 * What a preset says: which files it takes (told by their columns), what each of its rows means in SQL, and which rows
 * are no purchases. The engine does the rest. A new preset is one file beside the others and a line in `presets.ts`.
 */

/** Why a row was not taken. Stable: shops' scripts count by it. The order is the order of the report. */
export const REASONS = {
  malformed: 'the line cannot be read: quotes, number of fields, encoding or JSON are broken',
  noCustomer: 'a guest: no customer is named',
  badCustomer: 'the customer id is longer than 128 characters or holds control characters or braces',
  noOrder: 'no order number',
  badOrder: 'the order number is longer than 100 characters or holds control characters or braces',
  noItem: 'no item is named',
  badItem: 'the item id is longer than 128 characters or holds control characters or braces',
  nonProduct: 'no product: postage, fee, adjustment, voucher, sample, test',
  notOrdered: 'the order never came about: payment failed, or it is still a draft',
  badType: 'the type of the event is unknown',
  badDate: 'the date is missing, cannot be read, is before 1970 or in the future',
  badChannel: 'the channel is unknown',
  badQuantity: 'the quantity is missing, zero, no number or above a million',
  badPrice: 'the price or discount is missing, negative or no number',
  wrongCurrency: "the currency is not the shop's",
  invalid: 'a field is missing, unknown or outside of its bounds',
  otherCustomer: 'the order number belongs to another customer',
  duplicateRow: 'another file of this import has the row too, or its id occurs twice',
  alreadyImported: 'the lake has it',
  erased: 'its customer has been erased since',
} as const;
export type Reason = keyof typeof REASONS;

/** A rule of a preset: rows for which the SQL condition holds are rejected for the reason. */
export type RowRule = { reason: Reason; when: string };

/** Meaning of a row of orders, each as SQL over the source's columns. A row is one line of an order. */
export type OrderFields = {
  /** Absent: rows of one customer at one instant are one order. */
  orderId?: string;
  customerId: string;
  itemId: string;
  /** TIMESTAMP; the order's time is that of its first row. */
  occurredAt: string;
  /** DECIMAL; below zero: returned. */
  quantity: string;
  /** DECIMAL, major units, before the discount; per piece, or for the whole line. Neither: the log has no prices. */
  unitPrice?: string;
  lineTotal?: string;
  /** DECIMAL, major units, of the whole line. */
  discount?: string;
  /** `purchase`, `return`, `view` or `addToCart`; NULL is unknown. Absent: purchase. */
  type?: string;
  itemName?: string;
  category?: string;
  brand?: string;
  /** One of the domain's channels; NULL is unknown. Absent: web. */
  channel?: string;
  /** ISO code. */
  currency?: string;
  /** Segment of the customer (country, region …). */
  segment?: string;
  /** Pieces of this line that came back later, and when (absent: the order's time). */
  returned?: string;
  returnedAt?: string;
  /** BOOLEAN: the row says that its item is no longer sold; it is read even where the row is not taken. */
  discontinued?: string;
};

/** Meaning of a row of a product table. */
export type ItemFields = {
  itemId: string;
  name: string;
  category?: string;
  brand?: string;
  /** DECIMAL, major units. */
  price?: string;
};

/** Names that a column goes by in shops' files, the usual one first. Compared without case, spaces and punctuation. */
export type ColumnNames = Readonly<Record<string, readonly string[]>>;

type SourceBase = {
  /** What people call such a file. */
  name: string;
  columns: ColumnNames;
  optional?: ColumnNames;
};

export type OrderSource = SourceBase & {
  kind: 'orders';
  /** `has`: the columns that the files have. */
  fields: (has: ReadonlySet<string>) => OrderFields;
  rules?: readonly RowRule[];
  /** Lines after an order's first leave the order's own columns empty: these are filled from the lines above. */
  fillOrder?: { orderId: string; columns: readonly string[] };
};
export type ItemSource = SourceBase & { kind: 'items'; fields: ItemFields; rules?: readonly RowRule[] };
export type IgnoredSource = SourceBase & { kind: 'ignored'; because: string };
export type Source = OrderSource | ItemSource | IgnoredSource;

export type Preset = {
  name: string;
  /** One line for the help text. */
  summary: string;
  sources: readonly Source[];
  /** Currency of a log that does not say it in a column. */
  currency?: string;
};
