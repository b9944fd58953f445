import { expect, test } from 'vitest';
import { readSummary } from '../../../src/evaluation/customer-base/read-summary.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();
const read = async (text: string, columns = {}) => readSummary(await write('summary.csv', text), columns);

test.each([
  ['words', 'ID,frequency,recency,T\n1,2,30.5,38.86\n'],
  ['letters', 'ID,x,t_x,T\n1,2,30.5,38.86\n'],
  ['another order', 'T,x,t.x\n38.86,2,30.5\n'],
  ['no header', '1,2,30.5,38.86\n'],
])('columns are known: %s', async (_name, text) => {
  const { purchases, spend } = await read(text);
  expect([purchases.frequency[0], purchases.recency[0], purchases.age[0]]).toEqual([2, 30.5, 38.86]);
  expect(spend).toBeUndefined();
});

test('the average spend, where there is a column of it', async () => {
  const { spend } = await read('ID,x,t_x,T,zbar\n1,2,30.5,38.86,22.35\n2,0,0,38.86,0\n');
  expect(spend?.averageSpend).toEqual(Float64Array.of(22.35, 0));
  const flagged = await read('a,b,c,d\n9,1,3,5\n', { frequency: 'b', recency: 'c', age: 'd', spend: 'a' });
  expect(flagged.spend?.averageSpend).toEqual(Float64Array.of(9));
});

test('a recency that is beyond the age by its rounding is the age', async () => {
  const { purchases } = await read('ID,x,t_x,T\n1,2,38.86,38.857\n');
  expect(purchases.recency).toEqual(Float64Array.of(38.857));
});

test('what cannot be is refused with its line', async () => {
  const rows = (text: string) => read(`ID,x,t_x,T\n1,0,0,9\n${text}\n`);
  await expect(rows('2,1.5,3,9')).rejects.toThrow(
    'line 3: the frequency is a whole number of repeat purchases',
  );
  await expect(rows('2,1,10,9')).rejects.toThrow(
    'line 3: the recency is a time between 0 and the age of 9, not 10',
  );
  await expect(rows('2,0,4,9')).rejects.toThrow('without a repeat purchase the recency is 0');
  await expect(rows('2,1,,9')).rejects.toThrow('line 3: "" in column 3 is no number');
  await expect(read('ID,x,T\n1,0,9\n')).rejects.toThrow(
    'which column is the recency? Say it with --recency.',
  );
  await expect(read('ID,x,t_x,T\n')).rejects.toThrow('a header and no customers');
});
