/** `nextbest customers`: erases a customer, and tells how far that is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type ErasureStatus, ReceiptId } from '../domain/erasure.ts';
import { UsageError } from '../domain/errors.ts';
import { CustomerId } from '../domain/ids.ts';
import { readConfig } from '../infra/config.ts';
import { openErasureFiles, statusOf } from '../infra/erasure-files.ts';
import { isRedisTrouble } from '../infra/redis.ts';
import { isStoreFault } from '../infra/refused-writes.ts';
import { createTombstones } from '../infra/tombstones.ts';
import { outputOf } from './output.ts';
import { withRedis } from './with-redis.ts';

const pollMs = 500;

export function customersCommand(): Command {
  const customers = new Command('customers').description("customers' own data");
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

function isStoreTrouble(thrown: unknown): thrown is Error {
  return isStoreFault(thrown) || isRedisTrouble(thrown);
}

function show(command: Command, status: ErasureStatus): void {
  const { receiptId, state, dueAt, receipt } = status;
  const end = receipt === undefined ? `is due by ${dueAt}` : `was completed at ${receipt.completedAt}`;
  outputOf(command).result({ ...status }, `${receiptId}: ${state}; the erasure ${end}.`);
}
