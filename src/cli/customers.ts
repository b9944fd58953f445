/** `nextbest customers`: erases a customer, and tells how far that is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { Customer } from '../domain/customer.ts';
import { type ErasureStatus, ReceiptId } from '../domain/erasure.ts';
import { AppError, UsageError } from '../domain/errors.ts';
import { CustomerId } from '../domain/ids.ts';
import { createRecordStore } from '../features/record-store.ts';
import { readCustomerRows } from '../history/import/customer-rows.ts';
import { ENCODINGS, type Encoding } from '../history/import/input-file.ts';
import { readConfig } from '../infra/config.ts';
import { openErasureFiles, statusOf } from '../infra/erasure-files.ts';
import { createLogger } from '../infra/logger.ts';
import { isRedisTrouble } from '../infra/redis.ts';
import { isStoreFault } from '../infra/refused-writes.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { putCustomers } from '../serve/customers/put-customers.ts';
import { type AcceptDeps, acceptEvents } from '../serve/events/accept-events.ts';
import { faultsOf } from '../serve/faults.ts';
import { type Output, outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

const pollMs = 500;
/** Customers that are put together. */
const putAtOnce = 1000;
/** Faults that are listed; the rest is counted. */
const faultsShown = 50;

export function customersCommand(): Command {
  const customers = new Command('customers').description("customers' attributes, and their own data");
  customers
    .command('put')
    .description(
      'consent, loyalty tier, segment and time zone of the customers of a file: NDJSON, CSV or Parquet with customerId, or the customer export of Shopify; .gz as it is',
    )
    .argument('<file>')
    .addOption(
      new Option('--encoding <name>', 'encoding of CSV files').choices([...ENCODINGS]).default('utf-8'),
    )
    .option('--hash-customers', 'name customers as `nextbest import --hash-customers` does')
    .action((file: string, flags: PutFlags, command: Command) => putFile(file, flags, outputOf(command)));
  customers
    .command('erase')
    .description('erase everything that is held of a customer; a worker does it')
    .argument('<id>', "the customer's id")
    .option('--wait', 'until it is complete')
    .action(async (text: string, { wait }: { wait?: true }, command: Command) => {
      const id = CustomerId.safeParse(text);
      if (!id.success) throw new UsageError(`"${text}" is no id of a customer.`);
      const files = await openErasureFiles(readConfig(process.env).dataDir);
      const pending = await files.request(id.data, Date.now());
      await withRedis('erase', ({ redis, keys }) =>
        createTombstones(redis, keys, files).bury([id.data], pending.requestedAt),
      ).catch((err: unknown) => {
        if (!isStoreTrouble(err)) throw err;
        outputOf(command).say(
          `Redis takes no writes now (${err.message}). The erasure is written down all the same, and a worker does it: do not ask again.`,
        );
      });
      let status: ErasureStatus = statusOf(pending);
      while (wait && status.state !== 'completed') {
        await sleep(pollMs);
        status = (await files.status(pending.receiptId)) ?? status;
      }
      show(command, status);
    });
  customers
    .command('erasure')
    .description('how far an erasure is; in the end, the receipt')
    .argument('<receiptId>', 'as `nextbest customers erase` shows it')
    .action(async (text: string, _flags, command: Command) => {
      const receiptId = ReceiptId.safeParse(text);
      if (!receiptId.success)
        throw new UsageError(`"${text}" is no receipt such as erasure-0123456789abcdef01234567.`);
      const files = await openErasureFiles(readConfig(process.env).dataDir);
      const status = await files.status(receiptId.data);
      if (status === undefined) throw new UsageError(`There is no receipt ${text} in DATA_DIR.`);
      show(command, status);
    });
  return customers;
}

type PutFlags = { encoding: Encoding; hashCustomers?: true };

/** What is right is put, a thousand at a time; what is not is named by its line. */
async function putFile(file: string, flags: PutFlags, output: Output): Promise<void> {
  const told = { rowsRead: 0, accepted: 0, rejected: 0 };
  let deferred = 0;
  const reject = (line: number, why: string) => {
    told.rejected++;
    if (told.rejected <= faultsShown) output.say(`line ${line}: ${why}`);
  };
  const rows = readCustomerRows(file, {
    encoding: flags.encoding,
    hashCustomers: flags.hashCustomers === true,
    onPassedOver: (columns) =>
      output.say(`Passed over, since nothing is known by these names: ${columns.join(', ')}.`),
  });
  await withRedis('customers', async ({ redis, keys, config }) => {
    const erasures = await openErasureFiles(config.dataDir);
    const deps: AcceptDeps = {
      redis,
      keys,
      records: createRecordStore(redis, keys, { bringBack: true }),
      // Of lines alone; there are none.
      catalogue: { items: new Map() },
      config,
      tombstones: createTombstones(redis, keys, erasures),
      now: Date.now,
      log: createLogger(config.logLevel, 'customers'),
    };
    const put = async (some: readonly { line: number; customer: Customer }[]) => {
      if (some.length === 0) return;
      const lineOf = new Map(some.map(({ line, customer }) => [customer.customerId as string, line]));
      const done = await putCustomers(
        some.map(({ customer }) => customer),
        (inputs) => acceptEvents(inputs, deps),
      );
      deferred += done.deferred;
      told.accepted += some.length - done.rejected;
      for (const { customerId, status, reason } of done.results)
        if (status === 'rejected') reject(lineOf.get(customerId) ?? 0, reason ?? 'is not valid');
    };
    let some: { line: number; customer: Customer }[] = [];
    try {
      for await (const { line, customer } of rows) {
        told.rowsRead++;
        const parsed = customer && Customer.safeParse(customer);
        if (parsed === undefined)
          reject(line, 'the line cannot be read: quotes, number of fields or JSON are broken');
        else if (!parsed.success)
          reject(
            line,
            faultsOf(parsed.error, '')
              .map(({ path, message }) => `${path} ${message}`)
              .join('; '),
          );
        else if (some.push({ line, customer: parsed.data }) >= putAtOnce) {
          await put(some);
          some = [];
        }
      }
      await put(some);
    } catch (err) {
      if (err instanceof AppError && told.accepted > 0)
        output.say(`${told.accepted} customers were put before; the whole file may be put again.`);
      throw err;
    }
  });
  if (told.rejected > faultsShown) output.say(`and ${told.rejected - faultsShown} more`);
  if (deferred > 0)
    output.say(`${deferred} of them are written down and not in force until a worker has seen to them.`);
  output.result(
    told,
    `${told.accepted} of ${told.rowsRead} customers are put; ${told.rejected} were not taken.`,
  );
  if (told.rowsRead > 0 && told.accepted === 0) process.exitCode = 1;
}

function isStoreTrouble(thrown: unknown): thrown is Error {
  return isStoreFault(thrown) || isRedisTrouble(thrown);
}

function show(command: Command, status: ErasureStatus): void {
  const { receiptId, state, dueAt, receipt } = status;
  const end = receipt === undefined ? `is due by ${dueAt}` : `was completed at ${receipt.completedAt}`;
  outputOf(command).result({ ...status }, `${receiptId}: ${state}; the erasure ${end}.`);
}
