/**
 * Rows of a file about customers, for `nextbest customers put`: NDJSON in the API's own words, or a table (CSV, Parquet) with columns of
 * that name, or Shopify's customer export. What a row means is for `domain/customer.ts` to judge; here it is only read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../../domain/errors.ts';
import { queryChunks } from '../lake.ts';
import { matchFile } from './columns.ts';
import { type Encoding, type InputFile, openInputs } from './input-file.ts';
import type { ColumnNames } from './preset.ts';
import { appendJsonLines, appendRecords, createRecordTable } from './read-records.ts';

/** `line`: the physical one; `customer`: as it was written, undefined where the line cannot be read. */
export type CustomerRow = { line: number; customer: Record<string, unknown> | undefined };

export type CustomerRowOptions = {
  encoding: Encoding;
  /** Customers are named by the SHA-256 of their lower-cased id or e-mail address, as imports may name them. */
  hashCustomers: boolean;
  /** Columns of a table of the shop's own that say nothing here. */
  onPassedOver: (columns: readonly string[]) => void;
};

/** What a table may say: the field of the API, and what its column is called. */
type CustomerSource = { name: string; columns: ColumnNames; optional: ColumnNames; lowerCase?: true };

const ownTable = 'customers';

/** The first that a file has the columns of. Shopify's ids are not what its order export knows customers by. */
const SOURCES: readonly CustomerSource[] = [
  {
    name: 'Shopify customer export',
    // As the order export's customers are named.
    lowerCase: true,
    columns: {
      customerId: ['Email'],
      'consent.email': ['Accepts Email Marketing', 'Accepts Marketing'],
    },
    optional: {
      'consent.phone': ['Accepts SMS Marketing'],
      segment: ['Default Address Country Code', 'Country Code'],
    },
  },
  {
    name: ownTable,
    columns: { customerId: ['customerId'] },
    optional: {
      ...Object.fromEntries(
        ['email', 'phone', 'app', 'web', 'store'].map((channel) => [
          `consent.${channel}`,
          [`consent.${channel}`, `${channel}Consent`],
        ]),
      ),
      loyaltyTier: ['loyaltyTier', 'tier'],
      segment: ['segment'],
      timeZone: ['timeZone'],
    },
  },
];

const hint =
  'A table of your own names customerId, and of consent.email, consent.phone, loyaltyTier, segment and timeZone what it has.';

/** UsageError where the file is none of these, or cannot be read. */
export async function* readCustomerRows(
  path: string,
  { encoding, hashCustomers, onPassedOver }: CustomerRowOptions,
): AsyncGenerator<CustomerRow> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const [file, ...more] = await openInputs([path], encoding, connection);
    if (file === undefined || more.length > 0)
      throw new UsageError(`${path} is a folder: name one file of customers in it.`);
    const { fields, lowerCase, passedOver } = await readTable(connection, file);
    if (passedOver.length > 0) onPassedOver(passedOver);
    const columns = fields.map((name) => `"${name}"`).join(', ');
    const query = `SELECT line::DOUBLE, malformed, ${columns} FROM customerRecords ORDER BY pos`;
    for await (const chunk of queryChunks(connection, query))
      for (const [line, malformed, ...values] of chunk.getRows() as [
        number,
        boolean,
        ...(string | null)[],
      ][]) {
        const customer = malformed ? undefined : customerOf(fields, values);
        const id = customer?.customerId;
        if (customer !== undefined && typeof id === 'string')
          customer.customerId = hashCustomers ? hashed(id) : lowerCase ? id.toLowerCase() : id;
        yield { line, customer };
      }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Makes `customerRecords`, and answers its columns: `json` alone, or the fields of a table. */
async function readTable(
  connection: DuckDBConnection,
  file: InputFile,
): Promise<{ fields: string[]; lowerCase: boolean; passedOver: string[] }> {
  const reading = { scratchFile: join(tmpdir(), `nextbest-${randomUUID()}.txt`) };
  if (file.format === 'ndjson') {
    await createRecordTable(connection, 'customerRecords', ['json']);
    await appendJsonLines(connection, file, 0, 'customerRecords', reading);
    return { fields: ['json'], lowerCase: false, passedOver: [] };
  }
  const { columns, source } = matchFile({ name: 'customers', sources: SOURCES }, file, hint);
  const fields = [...columns.keys()];
  // An export of another system has columns of all sorts; in a table made for this, one that is not known is misspelt.
  const read = new Set(columns.values());
  const passedOver = source.name === ownTable ? file.columns.filter((column) => !read.has(column)) : [];
  if (fields.length === 1)
    throw new UsageError(
      `${file.path} says nothing of its customers: besides customerId it has ${passedOver.join(', ') || 'no column'}. ${hint}`,
    );
  await createRecordTable(connection, 'customerRecords', fields);
  await appendRecords(connection, file, 0, columns, 'customerRecords', fields, reading);
  return { fields, lowerCase: source.lowerCase === true, passedOver };
}

function customerOf(fields: readonly string[], values: readonly (string | null)[]): Record<string, unknown> {
  if (fields[0] === 'json') return JSON.parse(values[0] ?? '{}');
  const customer: Record<string, unknown> = {};
  const consent: Record<string, unknown> = {};
  fields.forEach((field, f) => {
    const text = values[f];
    // An empty cell says nothing: what is known stays as it was.
    if (text === null || text === undefined) return;
    const channel = /^consent\.(.+)$/.exec(field)?.[1];
    if (channel !== undefined) consent[channel] = yesOrNo(text);
    else customer[field] = text;
  });
  if (Object.keys(consent).length > 0) customer.consent = consent;
  return customer;
}

/** Another word stays what it is, and is a fault. */
function yesOrNo(text: string): unknown {
  if (/^(yes|y|true|1|subscribed)$/i.test(text)) return true;
  if (/^(no|n|false|0|unsubscribed|not[ _]subscribed)$/i.test(text)) return false;
  return text;
}

function hashed(id: string): string {
  return createHash('sha256').update(id.trim().toLowerCase()).digest('hex');
}
