import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openInputs } from '../../../src/history/import/input-file.ts';
import { appendRecords, createRecordTable } from '../../../src/history/import/read-records.ts';
import { openLake } from '../../../src/history/lake.ts';
import { openShop, type Shop } from './support.ts';

type Record3 = { line: number; malformed: boolean; values: (string | null)[] };

/** Reads a file of the columns a, b and c. */
async function read(shop: Shop, path: string): Promise<Record3[]> {
  const lake = await openLake(shop.dataDir);
  try {
    const { connection } = lake;
    const [file] = await openInputs([path], 'utf-8', connection);
    await createRecordTable(connection, 'raw', ['a', 'b', 'c']);
    const found = new Map(['a', 'b', 'c'].map((name) => [name, name]));
    const scratchFile = join(shop.dataDir, 'tmp', 'scratch.txt');
    const count = await appendRecords(connection, file!, 7, found, 'raw', ['a', 'b', 'c'], { scratchFile });
    const rows = await connection.runAndReadAll(
      'SELECT line::INTEGER, malformed, a, b, c FROM raw ORDER BY line',
    );
    // What the reader counts by itself is what it read, in every test of this file.
    expect(count).toBe(rows.currentRowCount);
    expect(existsSync(scratchFile)).toBe(false);
    return (rows.getRowsJson() as [number, boolean, ...(string | null)[]][]).map(
      ([line, malformed, ...values]) => ({ line, malformed, values }),
    );
  } finally {
    lake.close();
  }
}

const good = (line: number, ...values: (string | null)[]): Record3 => ({ line, malformed: false, values });
const bad = (line: number): Record3 => ({ line, malformed: true, values: [null, null, null] });

describe('records of a CSV file', () => {
  test('have the number of the physical line on which they begin, blank lines and quoted breaks counted', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      ['\uFEFFa,b,c', '1,2,3', '', '4,"x', '', 'y, ""z""",6', ' 7 ,,', '8,9,10'].join('\n'),
    );
    expect(await read(shop, path)).toEqual([
      good(2, '1', '2', '3'),
      good(4, '4', 'x\n\ny, "z"', '6'),
      good(7, '7', null, null),
      good(8, '8', '9', '10'),
    ]);
  });

  test.each(['\n', '\r\n'])('are the same whatever ends a line: %j', async (end) => {
    const shop = await openShop();
    const path = await shop.file('x.csv.gz', `a,b,c${end}1,"p${end}q",3${end}${end}4,5,6`);
    expect(await read(shop, path)).toEqual([good(2, '1', 'p\nq', '3'), good(5, '4', '5', '6')]);
  });

  test('are malformed by themselves: neither too many nor too few fields nor a stray quote cost another line', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      [
        'a,b,c',
        '1,2',
        '1,2,3,4',
        '5,"open,6',
        '7,8,9',
        '10,"clo"sed,11',
        '12,13,14"',
        '15,"p',
        'q",16',
        '',
      ].join('\n'),
    );
    expect(await read(shop, path)).toEqual([
      bad(2),
      bad(3),
      bad(4),
      good(5, '7', '8', '9'),
      bad(6),
      good(7, '12', '13', '14"'),
      good(8, '15', 'p\nq', '16'),
    ]);
  });

  test('that are no UTF-8 are malformed, and those after them keep their lines', async () => {
    const shop = await openShop();
    const line = (text: string) => Buffer.from(`${text}\n`, 'latin1');
    const path = await shop.file(
      'x.csv',
      Buffer.concat([
        line('a,b,c'),
        line('1,2,3'),
        line('4,caf\xe9,6'),
        line('5,\xe9,6'),
        line('7,8,9'),
        line('\xe9'),
        line('1,1,1'),
      ]),
    );
    expect(await read(shop, path)).toEqual([
      good(2, '1', '2', '3'),
      bad(3),
      bad(4),
      good(5, '7', '8', '9'),
      bad(6),
      good(7, '1', '1', '1'),
    ]);
  });

  test('a line of megabytes is malformed and costs no other', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', `a,b,c\n1,2,3\n${'x'.repeat(3_000_000)}\n4,5,6\n`);
    expect(await read(shop, path)).toEqual([good(2, '1', '2', '3'), bad(3), good(4, '4', '5', '6')]);
  });

  test.each([';', '\t', '|'])('may be delimited by %j', async (delimiter) => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      ['a,b,c', '1,"2,5",3'].map((line) => line.replace(/,(?!5)/g, delimiter)).join('\n'),
    );
    expect(await read(shop, path)).toEqual([good(2, '1', '2,5', '3')]);
  });

  test('a header alone gives none', async () => {
    const shop = await openShop();
    expect(await read(shop, await shop.file('x.csv', 'a,b,c\n'))).toEqual([]);
  });

  test('whatever is written by the rules of RFC 4180 comes back, with its line', async () => {
    const shop = await openShop();
    // No white space at the ends: values are trimmed.
    const value = fc
      .array(fc.constantFrom('x', 'é', ',', '"', '\n', ';', '1', ' '), { maxLength: 6 })
      .map((chars) => chars.join('').trim());
    const quoted = (text: string, always: boolean) =>
      always || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value, value, fc.boolean()), { maxLength: 20 }),
        async (records) => {
          const expected: Record3[] = [];
          let text = 'a,b,c\n';
          let line = 2;
          for (const [a, b, c, always] of records) {
            const record = [a, b, c].map((field) => quoted(field, always)).join(',');
            expected.push(good(line, ...[a, b, c].map((field) => (field === '' ? null : field))));
            text += `${record}\n`;
            line += record.split('\n').length;
          }
          expect(await read(shop, await shop.file('p.csv', text))).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('records of other files', () => {
  test('NDJSON: values by key, whatever their type; what is no object is malformed', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.ndjson.gz',
      ['{"a":1,"b":"x y","c":null}', '', '{"a":', '[1]', '{"c":2.50,"d":{}}', '"text"'].join('\n'),
    );
    expect(await read(shop, path)).toEqual([
      good(1, '1', 'x y', null),
      bad(3),
      bad(4),
      good(5, null, null, '2.5'),
      bad(6),
    ]);
  });

  test('Parquet: values of any type, by the number of the row', async () => {
    const shop = await openShop();
    const path = `${shop.dataDir}/x.parquet`;
    await shop.sql(
      `COPY (SELECT * FROM (VALUES (1, TIMESTAMP '2026-01-02 03:04:05', 'x'), (NULL, NULL, ' ')) t(a, b, c)) TO '${path}' (FORMAT parquet)`,
    );
    expect(await read(shop, path)).toEqual([
      good(1, '1', '2026-01-02 03:04:05', 'x'),
      good(2, null, null, null),
    ]);
  });
});
