import { existsSync } from 'node:fs';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/domain/errors.ts';
import { NOW, openShop } from './support.ts';

const HEADER = 'order,customer,item,date,quantity,price\n';

describe('an import', () => {
  test('makes one event an order, one row a line, money in minor units, at the time of the first line', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'orders.csv',
      `${HEADER}7,anna,tea,2026-01-02T10:00:05Z,2,2.675\n8,ben,tea,2026-01-03,1,3\n7,anna,cup,2026-01-02T10:00:00Z,1,10\n`,
    );
    const report = await shop.run('generic', [path]);
    expect(report).toMatchObject({ rowsRead: 3, accepted: 3, rejected: {}, events: 2, items: 2 });
    expect(report.rejectsFile).toBeUndefined();
    const line = {
      type: 'purchase',
      sessionId: null,
      channel: 'web',
      category: '',
      discountMinor: null,
      detail: null,
    };
    const order7 = {
      ...line,
      eventId: 'generic:7',
      orderId: '7',
      customerId: 'anna',
      occurredAt: '2026-01-02 10:00:00',
    };
    expect(await shop.lake('events')).toEqual([
      // 2.675 → 267.5 → 268, half away from zero, as a till rounds.
      { ...order7, line: 0, itemId: 'tea', quantity: 2, unitPriceMinor: '268' },
      { ...order7, line: 1, itemId: 'cup', quantity: 1, unitPriceMinor: '1000' },
      {
        ...line,
        eventId: 'generic:8',
        orderId: '8',
        customerId: 'ben',
        occurredAt: '2026-01-03 00:00:00',
        line: 0,
        itemId: 'tea',
        quantity: 1,
        unitPriceMinor: '300',
      },
    ]);
  });

  test('of the same file twice changes nothing the second time', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'orders.csv',
      `${HEADER}1,anna,tea,2026-01-02,2,2\n1,anna,tea,2026-01-02,2,2\n2,,tea,2026-01-02,1,2\n3,ben,cup,2025-01-02,-1,5\n4,ben,cup,2025-01-02,1\n`,
    );
    expect((await shop.run('generic', [path])).rejected).toEqual({ malformed: 1, noCustomer: 1 });
    const [parts, events, items] = [await shop.parts(), await shop.lake('events'), await shop.lake('items')];
    const again = await shop.run('generic', [path], { now: NOW + 5000 });
    expect(again).toMatchObject({
      rowsRead: 5,
      accepted: 0,
      rejected: { malformed: 1, noCustomer: 1, alreadyImported: 3 },
      events: 0,
      items: 0,
    });
    expect([await shop.parts(), await shop.lake('events'), await shop.lake('items')]).toEqual([
      parts,
      events,
      items,
    ]);
  });

  test('takes of an overlapping file the orders that the lake lacks', async () => {
    const shop = await openShop();
    await shop.run('generic', [
      await shop.file('may.csv', `${HEADER}1,anna,tea,2026-05-01,1,2\n2,ben,tea,2026-05-02,1,2\n`),
    ]);
    const report = await shop.run('generic', [
      await shop.file('june.csv', `${HEADER}2,ben,tea,2026-05-02,1,2\n3,anna,cup,2026-05-03,1,5\n`),
    ]);
    expect(report).toMatchObject({ rowsRead: 2, accepted: 1, rejected: { alreadyImported: 1 }, events: 1 });
    expect((await shop.lake('events')).map(({ eventId }) => eventId)).toEqual([
      'generic:1',
      'generic:2',
      'generic:3',
    ]);
  });

  test('leaves what other imports brought, however alike the orders are', async () => {
    const shop = await openShop();
    // The same two lines in an even number of orders: whatever a part's name is made of must not cancel out.
    const orders = (from: number) =>
      [0, 1]
        .map((n) => `${from + n},anna,tea,2026-05-01,1,2\n${from + n},anna,cup,2026-05-01,1,2\n`)
        .join('');
    for (const from of [1, 3, 5])
      await shop.run('generic', [await shop.file(`${from}.csv`, HEADER + orders(from))]);
    const ids = (await shop.lake('events')).map(({ eventId, line }) => `${eventId} ${line}`);
    // 3 imports × 2 orders × 2 lines
    expect(ids).toEqual([1, 2, 3, 4, 5, 6].flatMap((order) => [`generic:${order} 0`, `generic:${order} 1`]));
  });

  test('reads its files as one: an order may be split over two, and lines that both have count once', async () => {
    const shop = await openShop();
    const first = await shop.file(
      'a.csv',
      // The same line twice in one file is the till ringing it up twice.
      `${HEADER}1,anna,tea,2026-05-01,1,2\n1,anna,tea,2026-05-01,1,2\n1,anna,cup,2026-05-01,1,5\n`,
    );
    const second = await shop.file(
      'b.csv',
      `${HEADER}1,anna,cup,2026-05-01,1,5\n1,anna,pot,2026-05-01,1,9\n`,
    );
    const report = await shop.run('generic', [first, second]);
    expect(report).toMatchObject({ rowsRead: 5, accepted: 4, rejected: { duplicateRow: 1 }, events: 1 });
    expect((await shop.lake('events')).map(({ itemId }) => itemId)).toEqual(['tea', 'tea', 'cup', 'pot']);
    expect(await shop.rejects(report)).toEqual([{ file: second, line: 2, reason: 'duplicateRow' }]);
  });

  test('lists rejected rows with file, line and reason, and with nothing of the customer', async () => {
    const shop = await openShop();
    const bad = await shop.file(
      'bad.csv',
      [
        HEADER.trim(),
        '1,anna,tea,2026-05-01,1,2',
        '2,,tea,2026-05-01,1,2',
        '',
        '"3\nx",{anna},tea,2026-05-01,1,2',
        ',anna,tea,2026-05-01,1,2',
        '5,anna,,2026-05-01,1,2',
        '6,anna,tea,yesterday,1,2',
        '7,anna,tea,2026-06-02T00:00:01Z,1,2',
        '8,anna,tea,1969-12-31,1,2',
        '9,anna,tea,2026-05-01,many,2',
        '10,anna,tea,2026-05-01,0,2',
        '11,anna,tea,2026-05-01,1000001,2',
        '12,anna,tea,2026-05-01,1,',
        '13,anna,tea,2026-05-01,1,-2',
        '1,ben,tea,2026-05-01,1,2',
        '1,anna,tea',
      ].join('\n'),
    );
    const report = await shop.run('generic', [bad]);
    expect(report.accepted).toBe(1);
    expect(await shop.rejects(report)).toEqual(
      [
        [3, 'noCustomer'],
        [5, 'badCustomer'],
        [7, 'noOrder'],
        [8, 'noItem'],
        [9, 'badDate'],
        [10, 'badDate'],
        [11, 'badDate'],
        [12, 'badQuantity'],
        [13, 'badQuantity'],
        [14, 'badQuantity'],
        [15, 'badPrice'],
        [16, 'badPrice'],
        [17, 'otherCustomer'],
        [18, 'malformed'],
      ].map(([line, reason]) => ({ file: bad, line, reason })),
    );
    expect(await readFile(String(report.rejectsFile), 'utf8')).not.toMatch(/anna|ben/);
    expect(report.rejectsFile).toBe(join(shop.dataDir, 'rejects', 'generic-20260601T000000Z.ndjson'));
  });

  test('writes the rejects where it is told to', async () => {
    const shop = await openShop();
    const rejectsPath = join(shop.dataDir, 'elsewhere', 'bad.ndjson');
    const path = await shop.file('x.csv', `${HEADER}1,,tea,2026-05-01,1,2\n`);
    expect(await shop.rejects(await shop.run('generic', [path], { rejectsPath }))).toHaveLength(1);
    expect(existsSync(rejectsPath)).toBe(true);
  });

  test('takes CSV, NDJSON and Parquet of the same rows for the same', async () => {
    const shop = await openShop();
    const csv = await shop.file('x.csv.gz', `${HEADER}1,anna,tea,2026-05-01T08:00:00Z,2,2.5\n`);
    await shop.run('generic', [csv]);
    const ndjson = await shop.file(
      'x.jsonl',
      '{"order":1,"customer":"anna","item":"tea","date":"2026-05-01T10:00:00+02:00","quantity":2,"price":2.5}\n',
    );
    const parquet = join(shop.dataDir, 'x.parquet');
    await shop.sql(
      `COPY (SELECT 1 AS "order", 'anna' AS customer, 'tea' AS item, TIMESTAMP '2026-05-01 08:00:00' AS date, 2 AS quantity, 2.5 AS price) TO '${parquet}' (FORMAT parquet)`,
    );
    for (const path of [ndjson, parquet])
      expect(await shop.run('generic', [path])).toMatchObject({
        accepted: 0,
        rejected: { alreadyImported: 1 },
      });
  });

  test('of headers alone reads nothing and writes nothing', async () => {
    const shop = await openShop();
    const report = await shop.run('generic', [await shop.file('x.csv', HEADER)]);
    expect(report).toMatchObject({ rowsRead: 0, accepted: 0, rejected: {}, events: 0, items: 0, offers: 0 });
    expect(await shop.parts()).toEqual([]);
  });

  test('leaves nothing behind but its parts: neither on success nor on failure', async () => {
    const shop = await openShop();
    await shop.run('generic', [await shop.file('x.csv', `${HEADER}1,anna,tea,2026-05-01,1,2\n`)]);
    await expect(shop.run('generic', [await shop.file('y.csv', 'a,b\n')])).rejects.toThrow(UsageError);
    expect(await readdir(join(shop.dataDir, 'tmp'))).toEqual([]);
    for (const part of await shop.parts())
      expect((await stat(join(shop.dataDir, 'lake', part))).size).toBeGreaterThan(0);
  });

  test('names customers by a hash that tells nothing, when asked to', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', `${HEADER}1, Anna@Example.com ,tea,2026-05-01,1,2\n`);
    await shop.run('generic', [path], { hashCustomers: true });
    // printf anna@example.com | sha256sum
    expect((await shop.lake('events'))[0]?.customerId).toBe(
      'f7d54c22dda5b1780276601cd005909b70543fc4a6ba72d735b4cb9bbb611f01',
    );
  });

  test('tells apart an order that is called like the return of another', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'x.csv',
      `${HEADER}7,anna,tea,2026-05-01,-1,2\n7:return,ben,cup,2026-05-01,1,2\n7:,cleo,pot,2026-05-01,-1,2\n7,anna,cup,2026-05-01,1,2\n`,
    );
    expect(await shop.run('generic', [path])).toMatchObject({ accepted: 4, events: 4 });
    expect((await shop.lake('events')).map(({ eventId, type }) => `${type} ${eventId}`).sort()).toEqual([
      'purchase generic:7',
      'purchase generic:7::return',
      'return generic:7:::return',
      'return generic:7:return',
    ]);
  });
});

describe('what a person can cure is a UsageError that says how', () => {
  test('a file that is not there, a folder without files', async () => {
    const shop = await openShop();
    const missing = await shop.run('generic', ['no-such-file.csv']).catch((err: Error) => err);
    expect(missing).toBeInstanceOf(UsageError);
    expect(String(missing)).toContain('There is no file no-such-file.csv');
    await expect(shop.run('generic', [join(shop.dataDir, 'lake')])).rejects.toThrow(
      'has no .csv, .ndjson or .parquet files',
    );
  });

  test.each([
    ['orders.xlsx', '', 'is of no type that is read here'],
    ['orders.csv', '', 'is empty. Its first line must name the columns'],
    ['orders.parquet', 'no', 'is no Parquet file'],
  ])('%s holding %j', async (name, text, message) => {
    const shop = await openShop();
    await expect(shop.run('generic', [await shop.file(name, text)])).rejects.toThrow(message);
  });

  test('a .gz that is none', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', HEADER);
    await rename(path, `${path}.gz`);
    await expect(shop.run('generic', [`${path}.gz`])).rejects.toThrow('really compressed with gzip?');
  });

  test('a .gz that breaks off, and then the lake is as it was', async () => {
    const shop = await openShop();
    const rows = Array.from(
      { length: 50_000 },
      (_, n) => `${n},customer-${n},item-${n % 97},2026-05-01,1,${n}`,
    );
    const whole = await readFile(await shop.file('whole.csv.gz', HEADER + rows.join('\n')));
    const path = await shop.file('half.csv', whole.subarray(0, whole.length - 1000));
    await rename(path, `${path}.gz`);
    const failure = await shop.run('generic', [`${path}.gz`]).catch((err: Error) => err);
    expect(failure).toBeInstanceOf(UsageError);
    expect(String(failure)).toContain('cannot be read to its end');
    expect(await shop.parts()).toEqual([]);
  });

  test('a list of rejects that cannot be written, and then the lake is as it was', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', `${HEADER}1,,tea,2026-05-01,1,2\n2,a,tea,2026-05-01,1,2\n`);
    await expect(
      shop.run('generic', [path], { rejectsPath: join(path, 'rejects.ndjson') }),
    ).rejects.toBeInstanceOf(UsageError);
    expect(await shop.parts()).toEqual([]);
  });

  test('missing columns: which, by which names, and what the file has', async () => {
    const shop = await openShop();
    const path = await shop.file('x.csv', 'Client no,item,when\n');
    const failure = await shop.run('generic', [path]).catch((err: Error) => err);
    expect(failure).toBeInstanceOf(UsageError);
    expect(String(failure)).toMatch(
      /customer: "customer" or .*\n {2}date: .*\nThe file has: "Client no", "item", "when"/,
    );
    expect(String(failure)).toContain('--customer');
  });

  test('an unknown preset lists the presets', async () => {
    const shop = await openShop();
    await expect(shop.run('magento', ['x.csv'])).rejects.toThrow(
      /There is no preset "magento"[\s\S]*uci-online-retail[\s\S]*completejourney[\s\S]*shopify-orders[\s\S]*woocommerce[\s\S]*generic[\s\S]*nextbest/,
    );
  });

  test('nothing but a foreign currency; a single foreign order is rejected instead', async () => {
    const shop = await openShop();
    const header = `currency,${HEADER}`;
    const foreign = await shop.file('usd.csv', `${header}usd,1,anna,tea,2026-05-01,1,2\n`);
    await expect(shop.run('generic', [foreign])).rejects.toThrow(
      "All orders are in USD, but the shop's currency is EUR. Run the command with CURRENCY=USD",
    );
    expect(await shop.parts()).toEqual([]);
    expect(await shop.run('generic', [foreign], { currency: 'USD' })).toMatchObject({ accepted: 1 });
    const mixed = await shop.file(
      'mixed.csv',
      `${header}USD,2,anna,tea,2026-05-01,1,2\nEUR,3,anna,tea,2026-05-01,1,2\n`,
    );
    expect(await shop.run('generic', [mixed])).toMatchObject({ accepted: 1, rejected: { wrongCurrency: 1 } });
  });
});
