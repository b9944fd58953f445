import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  delimitedFormat,
  namedColumn,
  readRows,
  splitFields,
} from '../../../src/evaluation/input/delimited.ts';
import { temporaryFiles } from '../support.ts';

const write = await temporaryFiles();

async function read(path: string) {
  const format = await delimitedFormat(path);
  const rows = [];
  for await (const piece of readRows(format)) rows.push(...piece);
  return { format, rows };
}

test.each([
  [
    'commas, and blanks within fields',
    'id,at\n1,2026-01-01 10:00\n',
    ',',
    ['id', 'at'],
    ['1', '2026-01-01 10:00'],
  ],
  ['blanks, as many as it takes', ' id  at\n 1   2\n', ' ', ['id', 'at'], ['1', '2']],
  ['tabs', 'id\tat x\n1\t2\n', '\t', ['id', 'at x'], ['1', '2']],
  ['semicolons and Windows’ line ends', 'id;at\r\n1;2,5\r\n', ';', ['id', 'at'], ['1', '2,5']],
  ['no header', '1 19970101 29.33\n', ' ', undefined, ['1', '19970101', '29.33']],
])('%s', async (_name, text, delimiter, names, row) => {
  const { format, rows } = await read(await write('table.txt', text));
  expect(format).toMatchObject({ delimiter, width: row.length });
  expect(format.names).toEqual(names);
  expect(rows.map(({ fields }) => fields)).toEqual([row]);
});

test('gzip is told by content, empty lines are no rows but are counted as lines', async () => {
  const { rows } = await read(await write('table.csv', gzipSync('id,at\n\n1,2\n\n3,4')));
  expect(rows).toEqual([
    { fields: ['1', '2'], line: 3 },
    { fields: ['3', '4'], line: 5 },
  ]);
});

test('quotes hold delimiters, and doubled quotes are quotes', () => {
  expect(splitFields('1,"a, ""b""",3', ',')).toEqual(['1', 'a, "b"', '3']);
  expect(splitFields('"1" "2"', ' ')).toEqual(['1', '2']);
});

test('columns go by name, whatever the case, or by number', async () => {
  const { format } = await read(await write('table.csv', 'ID,t,T\n1,2,3\n'));
  expect(['t', 'T', 'id', '3'].map((name) => namedColumn(format, name))).toEqual([1, 2, 0, 2]);
  expect(() => namedColumn(format, 'spend')).toThrow('Its columns are ID, t, T.');
  expect(() => namedColumn(format, '4')).toThrow('has no column');
});
