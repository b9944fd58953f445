/** A shop's transactions from a text file of columns. */
import { UsageError } from '../../domain/errors.ts';
import { dayOf } from '../input/day.ts';
import {
  columnsOf,
  type DelimitedFormat,
  delimitedFormat,
  namedColumn,
  readRows,
} from '../input/delimited.ts';
import { Float64List } from '../input/float64-list.ts';
import { IdIndex } from '../input/id-index.ts';
import { Int32List } from '../input/int32-list.ts';
import type { TransactionLog } from './transaction-log.ts';

/** Names or numbers of columns; those that are not given are guessed. */
export type TransactionColumns = { customer?: string; date?: string; amount?: string };

/** Rows that were left out, by their reason. */
export type LeftOut = { withoutCustomer: number; withoutDate: number; returns: number };

const customerName = /^(customer|cust|client|user|member|household|buyer|account)[ _-]?(id|no|number|key)?$/i;
const dateName = /(date|day|time|timestamp|_at)$/i;
const amountName = /(amount|dollar|sales|spend|revenue|value|total)/i;

/**
 * Without a header the first column is the customer, the date is the first that holds days in all rows, and the amount the
 * last one after it. Rows without a customer or a day that can be read are left out and counted, and so are negative
 * amounts: what is returned is no purchase. UsageError where no column or no row will do.
 */
export async function readTransactions(
  path: string,
  columns: TransactionColumns,
): Promise<{ log: TransactionLog; leftOut: LeftOut }> {
  const format = await delimitedFormat(path);
  const { customerColumn, dateColumn, amountColumn } = findColumns(format, columns);
  const ids = new IdIndex();
  const customer = new Int32List();
  const day = new Int32List();
  const amount = new Float64List();
  const leftOut: LeftOut = { withoutCustomer: 0, withoutDate: 0, returns: 0 };
  for await (const rows of readRows(format))
    for (const { fields, line } of rows) {
      const id = fields[customerColumn] ?? '';
      const at = dayOf(fields[dateColumn] ?? '');
      const value = amountColumn === undefined ? 0 : Number(fields[amountColumn] || Number.NaN);
      if (id === '') leftOut.withoutCustomer++;
      else if (Number.isNaN(at)) leftOut.withoutDate++;
      else if (!Number.isFinite(value))
        throw new UsageError(`${path}, line ${line}: "${fields[amountColumn ?? 0] ?? ''}" is no amount.`);
      else if (value < 0) leftOut.returns++;
      else {
        customer.push(ids.add(id));
        day.push(at);
        if (amountColumn !== undefined) amount.push(value);
      }
    }
  if (customer.length === 0 && leftOut.returns > 0)
    throw new UsageError(
      `${path} has no purchase: each of its ${leftOut.returns} rows with a customer and a day is of negative value. ${columnsOf(format)}`,
    );
  if (customer.length === 0)
    throw new UsageError(
      `${path} has no row with a customer and a day (1997-01-31 or 19970131). ${columnsOf(format)}`,
    );
  return {
    log: {
      customers: ids.size,
      customer: customer.toArray(),
      day: day.toArray(),
      ...(amountColumn !== undefined && { amount: amount.toArray() }),
    },
    leftOut,
  };
}

function findColumns(format: DelimitedFormat, columns: TransactionColumns) {
  const find = (
    wanted: string | undefined,
    name: RegExp,
    fits: (column: number) => boolean,
    otherwise: () => number | undefined,
  ) => {
    if (wanted !== undefined) return namedColumn(format, wanted);
    if (format.names === undefined) return otherwise();
    const at = format.names.findIndex((one, column) => name.test(one) && fits(column));
    return at < 0 ? undefined : at;
  };
  const any = () => true;
  const holds = (column: number, read: (text: string) => number) =>
    format.sample.every((row) => !Number.isNaN(read(row[column] || 'none')));
  const holdsDays = (column: number) => holds(column, dayOf);
  const holdsNumbers = (column: number) => holds(column, Number);
  const numbered = Array.from({ length: format.width }, (_, column) => column);
  const dateColumn = find(columns.date, dateName, any, () => numbered.find(holdsDays));
  const customerColumn = find(columns.customer, customerName, any, () => (dateColumn === 0 ? undefined : 0));
  const amountColumn = find(columns.amount, amountName, holdsNumbers, () =>
    dateColumn !== undefined && dateColumn < format.width - 1 ? format.width - 1 : undefined,
  );
  if (customerColumn === undefined || dateColumn === undefined)
    throw new UsageError(
      `${format.path}: which column is the ${dateColumn === undefined ? 'date' : 'customer'}? Say it with --${dateColumn === undefined ? 'date' : 'customer'}. ${columnsOf(format)}`,
    );
  return { customerColumn, dateColumn, amountColumn };
}
