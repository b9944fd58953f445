/** Logged decisions from a CSV, NDJSON or Parquet file, every column as text with few different values kept once. */
import { DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { inputSql, openInputs } from '../../history/import/input-file.ts';
import { queryChunks } from '../../history/lake.ts';
import { Float64List } from '../input/float64-list.ts';
import { IdIndex } from '../input/id-index.ts';
import { Int32List } from '../input/int32-list.ts';

export const DECISION_COLUMNS = ['customerId', 'offerId', 'loggingPropensity', 'reward'] as const;
export type DecisionColumn = (typeof DECISION_COLUMNS)[number];

/** Which column of the file is which; an empty name for `customerId`: every row is a customer of its own. */
export type ColumnMap = Partial<Record<DecisionColumn, string>>;

/** A column as texts: `levels[code[row]]`, or −1 where it is empty. */
export type TextColumn = { name: string; code: Int32Array; levels: string[] };

export type DecisionLog = {
  rows: number;
  /** Number of the customer, by row, and the ids. */
  customer: Int32Array;
  customers: string[];
  /** Position among `offers`, −1: no contact. */
  arm: Int32Array;
  offers: string[];
  propensity: Float64Array;
  reward: Float64Array;
  /** All other columns of the file. */
  others: TextColumn[];
  /** What was known of the customer, where it is numbers already: rows × names. `others` are not looked at then. */
  contexts?: { names: string[]; values: Float32Array };
};

/** What other files call these columns. */
export const DECISION_PRESETS: Readonly<Record<string, ColumnMap>> = {
  /** Open Bandit data (Saito et al. 2020): no ids of users, so that every row is one. */
  obd: { customerId: '', offerId: 'item_id', loggingPropensity: 'propensity_score', reward: 'click' },
};

const rowsMax = 20_000_000;

/** UsageError with the row and the cure where the file cannot be what is asked for. Columns in `ignored` are not read. */
export async function readDecisions(
  path: string,
  map: ColumnMap,
  ignored: readonly string[],
): Promise<DecisionLog> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const [file, ...more] = await openInputs([path], 'utf-8', connection);
    if (file === undefined || more.length > 0)
      throw new UsageError(`${path} is a folder: name one file of decisions in it.`);
    const source = inputSql(file);
    let names: string[];
    try {
      const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
      names = described.getRowObjectsJson().map((row) => String(row.column_name));
    } catch (err) {
      throw unreadable(path, err);
    }
    for (const name of ignored)
      if (!names.includes(name))
        throw new UsageError(
          `${path} has no column "${name}" to ignore. Its columns are ${names.join(', ')}.`,
        );
    const found = findColumns(path, names, map);
    const used = DECISION_COLUMNS.map((column) => found[column]).filter((name) => name !== '');
    const others = names.filter((name) => !used.includes(name) && !ignored.includes(name));
    const reader = new RowReader(path, found, others);
    const columns = [...used, ...others];
    const select = columns.map((name) => `trim("${name.replaceAll('"', '""')}"::VARCHAR)`);
    try {
      for await (const chunk of queryChunks(connection, `SELECT ${select.join(', ')} FROM ${source}`)) {
        const values = columns.map((_, c) => chunk.getColumnVector(c));
        for (let row = 0; row < chunk.rowCount; row++)
          reader.add(values.map((vector) => vector.getItem(row) as string | null));
      }
    } catch (err) {
      if (err instanceof UsageError) throw err;
      throw unreadable(path, err);
    }
    return reader.finish();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

class RowReader {
  readonly #path: string;
  readonly #customers = new IdIndex();
  readonly #offers = new IdIndex();
  readonly #customer = new Int32List();
  readonly #arm = new Int32List();
  readonly #propensity = new Float64List();
  readonly #reward = new Float64List();
  readonly #others: { name: string; index: IdIndex; code: Int32List }[];
  readonly #ownCustomers: boolean;
  readonly #names: Required<ColumnMap>;

  constructor(path: string, names: Required<ColumnMap>, others: readonly string[]) {
    this.#path = path;
    this.#names = names;
    this.#ownCustomers = names.customerId === '';
    this.#others = others.map((name) => ({ name, index: new IdIndex(), code: new Int32List() }));
  }

  /** The decision's columns in their order (without the customer's where each row is one), then the others. */
  add(fields: readonly (string | null)[]): void {
    const row = this.#arm.length + 1;
    if (row > rowsMax)
      throw new UsageError(
        `${this.#path} has more than ${rowsMax.toLocaleString('en')} rows: evaluate a sample of its customers.`,
      );
    const shift = this.#ownCustomers ? 0 : 1;
    const customer = this.#ownCustomers ? String(row) : fields[0];
    if (customer === null || customer === undefined || customer === '')
      throw this.#fault(row, `${this.#names.customerId} is empty; it must say which customer this is`);
    const offer = fields[shift] ?? '';
    const propensity = this.#number(row, this.#names.loggingPropensity, fields[shift + 1] ?? '');
    if (!(propensity > 0 && propensity <= 1))
      throw this.#fault(
        row,
        `${this.#names.loggingPropensity} is ${propensity}; it must be the probability, above 0 and at most 1, with which this was chosen`,
      );
    this.#customer.push(this.#customers.add(customer));
    this.#arm.push(offer === '' || offer.toLowerCase() === 'none' ? -1 : this.#offers.add(offer));
    this.#propensity.push(propensity);
    this.#reward.push(this.#number(row, this.#names.reward, fields[shift + 2] ?? ''));
    this.#others.forEach(({ index, code }, c) => {
      const value = fields[shift + 3 + c] ?? '';
      code.push(value === '' ? -1 : index.add(value));
    });
  }

  finish(): DecisionLog {
    if (this.#arm.length === 0) throw new UsageError(`${this.#path} has no rows.`);
    return {
      rows: this.#arm.length,
      customer: this.#customer.toArray(),
      customers: this.#customers.ids,
      arm: this.#arm.toArray(),
      offers: this.#offers.ids,
      propensity: this.#propensity.toArray(),
      reward: this.#reward.toArray(),
      others: this.#others.map(({ name, index, code }) => ({
        name,
        code: code.toArray(),
        levels: index.ids,
      })),
    };
  }

  #number(row: number, name: string, text: string): number {
    const value = text === '' ? Number.NaN : text === 'true' ? 1 : text === 'false' ? 0 : Number(text);
    if (Number.isFinite(value)) return value;
    throw this.#fault(row, `"${text.slice(0, 60)}" in ${name} is no number`);
  }

  #fault(row: number, what: string): UsageError {
    return new UsageError(`${this.#path}, row ${row}: ${what}.`);
  }
}

function findColumns(path: string, names: readonly string[], map: ColumnMap): Required<ColumnMap> {
  const found: Required<ColumnMap> = { customerId: '', offerId: '', loggingPropensity: '', reward: '' };
  const missing: string[] = [];
  for (const column of DECISION_COLUMNS) {
    const wanted = map[column] ?? column;
    if (column === 'customerId' && wanted === '') continue;
    const name =
      names.find((one) => one === wanted) ?? names.find((one) => one.toLowerCase() === wanted.toLowerCase());
    if (name === undefined) missing.push(wanted === column ? column : `${column} ("${wanted}")`);
    else found[column] = name;
  }
  if (missing.length > 0)
    throw new UsageError(
      `${path} lacks ${missing.join(', ')}. Its columns are ${names.join(', ')}. Say which is meant with --map, such as --map reward=spend (--map customerId= where every row is a customer of its own).`,
    );
  return found;
}

function unreadable(path: string, err: unknown): UsageError {
  const message = err instanceof Error ? err.message : String(err);
  // DuckDB goes on with all dialects that it has tried.
  const what = message.includes('CSV parsing dialect')
    ? 'its rows do not all have the values of the first line. A value with a comma in it must stand in double quotes.'
    : message.split('\n').slice(0, 3).join(' ');
  return new UsageError(`${path} cannot be read as decisions: ${what}`, {
    cause: err,
  });
}
