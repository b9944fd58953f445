import { expect, test } from 'vitest';
import { readTransactions } from '../../../src/evaluation/customer-base/read-transactions.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();
/** 2 January 1970 is day 1. */
const read = async (text: string, columns = {}) => readTransactions(await write('log.txt', text), columns);

test('columns are known by their names', async () => {
  const { log, leftOut } = await read(
    'OrderNo,CustomerID,InvoiceDate,total_value\nA1,7.0,1970-01-02 10:00:00,5\nA2,8.0,1970-01-03,2.5\nA3,7.0,1970-01-03,1\n',
  );
  expect(log).toEqual({
    customers: 2,
    customer: Int32Array.of(0, 1, 0),
    day: Int32Array.of(1, 2, 2),
    amount: Float64Array.of(5, 2.5, 1),
  });
  expect(leftOut).toEqual({ withoutCustomer: 0, withoutDate: 0, returns: 0 });
});

test('without a header: the customer first, the first column of days, the amount last', async () => {
  const { log } = await read(' 00004 0001 19700102  2   29.33\n 00021 0002 19700103  1   8.00\n');
  expect(log.customer).toEqual(Int32Array.of(0, 1));
  expect(log.day).toEqual(Int32Array.of(1, 2));
  expect(log.amount).toEqual(Float64Array.of(29.33, 8));
});

test('a log without money has none, and a column of words is not taken for it', async () => {
  const { log } = await read('cust,date,value\nx,1970-01-02,high\n');
  expect(log).not.toHaveProperty('amount');
  expect(log.customers).toBe(1);
});

test('flags overrule the guess, by name or by number', async () => {
  const text = 'customer,buyer,date,shipped,amount,net\na,b,1970-01-02,1970-01-05,10,8\n';
  const { log } = await read(text, { customer: 'buyer', date: '4', amount: 'net' });
  expect([log.day[0], log.amount?.[0]]).toEqual([4, 8]);
  await expect(read(text, { customer: 'who' })).rejects.toThrow('has no column "who"');
});

test('rows that say nothing of a purchase are left out and counted', async () => {
  const { log, leftOut } = await read(
    'customer,date,amount\n,1970-01-02,1\na,soon,1\na,1970-01-02,-4\na,1970-01-02,0\n',
  );
  expect(leftOut).toEqual({ withoutCustomer: 1, withoutDate: 1, returns: 1 });
  expect(log.customer.length).toBe(1);
});

test('a file that cannot be understood is refused with what to do', async () => {
  await expect(read('when,who\n1970-01-02,a\n')).rejects.toThrow(
    'Say it with --date. Its columns are when, who.',
  );
  await expect(read('who,date\na,1970-01-02\n')).rejects.toThrow('Say it with --customer');
  await expect(read('customer,date\na,02/01/1970\n')).rejects.toThrow('no row with a customer and a day');
  await expect(read('customer,date,amount\na,1970-01-02,much\n', { amount: 'amount' })).rejects.toThrow(
    'line 2: "much" is no amount',
  );
  await expect(read('\n')).rejects.toThrow('is empty');
});

test('a file of returns alone is told so', async () => {
  await expect(read('customer,date,amount\na,1970-01-02,-4\nb,1970-01-02,-5\n')).rejects.toThrow(
    /has no purchase: each of its 2 rows with a customer and a day is of negative value/,
  );
});
