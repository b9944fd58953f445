/** Customers who are summed up already, one a row: frequency, recency, age, and perhaps what they spend. */
import type { SpendSummary } from '../../algorithms/customer-base/gamma-gamma.ts';
import type { PurchaseSummary } from '../../algorithms/customer-base/purchase-summary.ts';
import { UsageError } from '../../domain/errors.ts';
import {
  columnsOf,
  type DelimitedFormat,
  delimitedFormat,
  namedColumn,
  readRows,
} from '../input/delimited.ts';
import { Float64List } from '../input/float64-list.ts';

/** `spend`, the average value of the repeat purchases, is absent where nothing is known of it. */
export type CustomerBase = { purchases: PurchaseSummary; spend?: SpendSummary };

const SUMMARY_COLUMNS = ['frequency', 'recency', 'age', 'spend'] as const;
export type SummaryColumn = (typeof SUMMARY_COLUMNS)[number];
/** Names or numbers of columns; those that are not given are guessed. */
export type SummaryColumns = Partial<Record<SummaryColumn, string>>;

/** `T` is an age, and `t` might be anything: case counts where a name is a letter. */
const NAMES: Readonly<Record<SummaryColumn, RegExp>> = {
  frequency: /^(x|[Ff]requency|FREQUENCY)$/,
  recency: /^(t_?x|t\.x|[Rr]ecency|RECENCY)$/,
  age: /^(T|T\.cal|[Aa]ge|AGE|[Tt]enure)$/,
  spend: /^(z_?bar|m_?x|[Mm]onetary([_ ]?[Vv]alue)?|[Aa]verage([_ ]?[Ss]pend|[_ ]?[Vv]alue)?)$/,
};

/** Files round recency and age to two digits, not always both. */
const rounding = 0.01;

/** Without a header: id, frequency, recency, age, spend. UsageError with the line where a row cannot be. */
export async function readSummary(path: string, columns: SummaryColumns): Promise<CustomerBase> {
  const format = await delimitedFormat(path);
  const required = (column: SummaryColumn) => {
    const at = columnAt(format, column, columns[column]);
    if (at === undefined)
      throw new UsageError(
        `${path}: which column is the ${column}? Say it with --${column}. ${columnsOf(format)}`,
      );
    return at;
  };
  const [frequencyAt, recencyAt, ageAt] = [required('frequency'), required('recency'), required('age')];
  const spendAt = columnAt(format, 'spend', columns.spend);
  const frequency = new Float64List();
  const recency = new Float64List();
  const age = new Float64List();
  const averageSpend = new Float64List();
  for await (const rows of readRows(format))
    for (const { fields, line } of rows) {
      const number = (column: number) => {
        const value = Number(fields[column] || Number.NaN);
        if (Number.isFinite(value)) return value;
        throw new UsageError(
          `${path}, line ${line}: "${fields[column] ?? ''}" in column ${column + 1} is no number.`,
        );
      };
      const [x, T] = [number(frequencyAt), number(ageAt)];
      const written = number(recencyAt);
      const tx = written > T && written - T <= rounding ? T : written;
      const fault = faultOf(x, tx, T);
      if (fault !== undefined) throw new UsageError(`${path}, line ${line}: ${fault}.`);
      frequency.push(x);
      recency.push(tx);
      age.push(T);
      if (spendAt !== undefined) averageSpend.push(number(spendAt));
    }
  if (frequency.length === 0) throw new UsageError(`${path} has a header and no customers.`);
  const purchases = { frequency: frequency.toArray(), recency: recency.toArray(), age: age.toArray() };
  return {
    purchases,
    ...(spendAt !== undefined && {
      spend: { frequency: purchases.frequency, averageSpend: averageSpend.toArray() },
    }),
  };
}

function columnAt(format: DelimitedFormat, column: SummaryColumn, wanted: string | undefined) {
  if (wanted !== undefined) return namedColumn(format, wanted);
  if (format.names !== undefined) {
    const at = format.names.findIndex((name) => NAMES[column].test(name));
    return at < 0 ? undefined : at;
  }
  const at = SUMMARY_COLUMNS.indexOf(column) + 1;
  return at < format.width ? at : undefined;
}

function faultOf(x: number, tx: number, T: number): string | undefined {
  if (!(x >= 0 && Number.isInteger(x)))
    return `the frequency is a whole number of repeat purchases, not ${x}`;
  if (!(tx >= 0 && tx <= T)) return `the recency is a time between 0 and the age of ${T}, not ${tx}`;
  if (x === 0 && tx !== 0) return `without a repeat purchase the recency is 0, not ${tx}`;
  return undefined;
}
