import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { openShop } from './support.ts';

const HEADER = 'order,customer,item,date\n';
const ROW = '1,anna,tea,2026-05-01\n';

describe('names that DuckDB or SQL would take for something else', () => {
  test.each([
    'o\'r"ders; DROP TABLE x.csv',
    'orders[1].csv',
    'or*.csv',
    'orders?.csv',
    '~orders.csv',
    '%20\\n.csv',
  ])('a file %j is read, and no other', async (name) => {
    const shop = await openShop();
    // What the names above stand for as patterns.
    for (const other of ['orders1.csv', 'orders2.csv', 'orxyz.csv'])
      await shop.file(other, `${HEADER}2,ben,cup,2026-05-01\n3,ben,cup,2026-05-01\n`);
    const report = await shop.run('generic', [await shop.file(name, HEADER + ROW)]);
    expect(report).toMatchObject({ rowsRead: 1, accepted: 1 });
    expect((await shop.lake('events')).map(({ eventId }) => eventId)).toEqual(['generic:1']);
  });

  test('Parquet likewise; a folder called like a column gives none', async () => {
    const shop = await openShop();
    const folder = join(shop.dataDir, 'customer=eve');
    await mkdir(folder);
    await shop.sql(
      `COPY (SELECT '1' AS "order", 'anna' AS customer, 'tea' AS item, '2026-05-01' AS date) TO '${folder}/o[1].parquet' (FORMAT parquet)`,
    );
    await shop.run('generic', [join(folder, 'o[1].parquet')]);
    expect((await shop.lake('events')).map(({ customerId }) => customerId)).toEqual(['anna']);
  });

  test('a data folder with a pattern and a quote in its name keeps what is imported', async () => {
    const shop = await openShop();
    const dataDir = join(shop.dataDir, "sh[o]p's=*");
    const path = await shop.file('x.csv', HEADER + ROW);
    expect(await shop.run('generic', [path], { dataDir })).toMatchObject({ accepted: 1 });
    expect(await shop.run('generic', [path], { dataDir })).toMatchObject({
      accepted: 0,
      rejected: { alreadyImported: 1 },
    });
  });

  const odd = 'x"; DROP TABLE rows; -- \'y/~1$.';
  test.each([
    ['csv', `order,"${odd.replaceAll('"', '""')}",item,date\n${ROW}`],
    ['ndjson', JSON.stringify({ order: '1', [odd]: 'anna', item: 'tea', date: '2026-05-01' })],
  ])('a column with quotes in a %s file is found by its name', async (ending, text) => {
    const shop = await openShop();
    const path = await shop.file(`x.${ending}`, text);
    await shop.run('generic', [path], { generic: { columns: { customer: odd } } });
    expect((await shop.lake('events')).map(({ customerId }) => customerId)).toEqual(['anna']);
  });

  test('a column with quotes that is not there is named in the message', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', HEADER + ROW);
    const failure = shop.run('generic', [path], { generic: { columns: { customer: odd } } });
    await expect(failure).rejects.toBeInstanceOf(UsageError);
    await expect(failure).rejects.toThrow(`customer: "${odd}"`);
  });

  test('a date format with quotes is a format', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', `order,customer,item,date\n1,anna,tea,01.05.'26"\n`);
    await shop.run('generic', [path], { generic: { dateFormat: `%d.%m.'%y"` } });
    expect((await shop.lake('events')).map(({ occurredAt }) => occurredAt)).toEqual(['2026-05-01 00:00:00']);
    const wrong = shop.run('generic', [path], { generic: { dateFormat: `%Q'); DROP TABLE rows; --` } });
    await expect(wrong).rejects.toThrow('--date-format cannot be used');
  });
});

describe('columns that share a name', () => {
  test('are refused where they are needed, and no matter where they are not', async () => {
    const shop = await openShop();
    const twice = await shop.file('x.csv', 'order,customer,customer,item,date\n1,anna,ben,tea,2026-05-01\n');
    await expect(shop.run('generic', [twice])).rejects.toThrow('has the column "customer" more than once');
    const others = await shop.file(
      'y.csv',
      'order,customer,item,date,note,note\n1,anna,tea,2026-05-01,a,b\n',
    );
    expect(await shop.run('generic', [others])).toMatchObject({ accepted: 1 });
  });

  test('but for case and signs are told apart by the exact one', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      'order,Price net,Price (net),customer,item,date\n1,7,9,anna,tea,2026-05-01\n',
    );
    await shop.run('generic', [path], { generic: { columns: { price: 'Price (net)' } } });
    expect((await shop.lake('events')).map(({ unitPriceMinor }) => unitPriceMinor)).toEqual(['900']);
  });
});

describe('bytes', () => {
  test('NUL and other control characters are no part of an id; in a name they cost nothing', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      `order,customer,item,date,name\n1,an\0na,tea,2026-05-01,Tea\n2,an\x1fna,tea,2026-05-01,Tea\n3,anna,tea,2026-05-01,T\0e\x1fa\n`,
    );
    expect(await shop.run('generic', [path])).toMatchObject({
      rowsRead: 3,
      accepted: 1,
      rejected: { badCustomer: 2 },
    });
    const escaped = await shop.file(
      'y.ndjson',
      '{"order":4,"customer":"a\\u0000","item":"tea","date":"2026-05-01"}\n',
    );
    expect(await shop.run('generic', [escaped])).toMatchObject({ rejected: { badCustomer: 1 } });
  });

  test.each(['\n', '\r\n'])(
    'a lone carriage return in a value takes no letter with it; lines end in %j',
    async (end) => {
      const shop = await openShop();
      const lines = ['order,customer,item,date,name', '1,anna,tea,2026-05-01,"Green\rTea"', ROW.trim(), ''];
      const report = await shop.run('generic', [await shop.file('x.csv', lines.join(end))]);
      // The last line lacks a field. The break within the quotes is one of lines: it stands on the 4th.
      expect(await shop.rejects(report)).toMatchObject([{ line: 4, reason: 'malformed' }]);
      expect((await shop.items()).tea?.name).toBe('Green\nTea');
    },
  );

  test('lines may end one way here and another there, and keep their numbers', async () => {
    const shop = await openShop();
    const text = `order,customer,item,date\n\r\n1,,tea,2026-05-01\r2,,tea,2026-05-01\r\n\n3,,tea,2026-05-01`;
    const report = await shop.run('generic', [await shop.file('x.csv', text)]);
    expect((await shop.rejects(report)).map(({ line }) => line)).toEqual([3, 4, 6]);
  });

  test.each(['utf-16le', 'utf-16be'])('%s is read with --encoding utf-16', async (kind) => {
    const shop = await openShop();
    const text = Buffer.from(
      `\uFEFForder,customer,item,date,name\r\n1,anna,tea,2026-05-01,Tëa ☕\r\n`,
      'utf16le',
    );
    const path = await shop.file('x.csv.gz', kind === 'utf-16be' ? text.swap16() : text);
    expect(await shop.run('generic', [path], { encoding: 'utf-16' })).toMatchObject({ accepted: 1 });
    expect((await shop.items()).tea?.name).toBe('Tëa ☕');
  });

  test('a header in another encoding is no row', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      Buffer.from(`order,customer,item,date,Größe\n${ROW.trim()},5\n`, 'latin1'),
    );
    expect(await shop.run('generic', [path])).toMatchObject({ rowsRead: 1, accepted: 1 });
  });
});

describe('sizes', () => {
  const rows = (first: number) =>
    Array.from({ length: 1000 }, (_, k) => `${first + k},anna,tea,2026-05-01\n`).join('');

  test('a line of 10 MB is malformed and costs no other', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', `${HEADER}${rows(0)}${'x'.repeat(10_000_000)}\n${rows(1000)}`);
    expect(await shop.run('generic', [path])).toMatchObject({
      rowsRead: 2001,
      accepted: 2000,
      rejected: { malformed: 1 },
    });
  });

  test.each(['x.csv', 'x.csv.gz', 'x.ndjson'])(
    'a line of 50 MB in %s is refused by its number, and nothing is imported',
    async (name) => {
      const shop = await openShop();
      const head = name.endsWith('.ndjson')
        ? '{"order":1,"customer":"a","item":"b","date":"2026-05-01"}\n'
        : HEADER;
      const failure = shop.run('generic', [
        await shop.file(name, `${head}${'x'.repeat(50_000_000)}\n${rows(0)}`),
      ]);
      await expect(failure).rejects.toBeInstanceOf(UsageError);
      await expect(failure).rejects.toThrow(/line 2 is longer than 16 MB/);
      expect(await shop.parts()).toEqual([]);
    },
  );

  test('a file that is no table does not flood the message', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', 'x,'.repeat(1_000_000));
    const failure = await shop.run('generic', [path]).catch((err: Error) => err);
    expect(failure).toBeInstanceOf(UsageError);
    expect(String(failure).length).toBeLessThan(5000);
  });

  test('a .gz of several members is read whole, whatever the case of its ending', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'X.CSV.GZ',
      Buffer.concat([gzipSync(HEADER + rows(0)), gzipSync(rows(1000))]),
    );
    expect(await shop.run('generic', [path])).toMatchObject({ rowsRead: 2000, accepted: 2000 });
  });
});
