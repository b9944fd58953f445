import { describe, expect, test } from 'vitest';
import { openShop } from '../support.ts';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

describe('the preset uci-online-retail', () => {
  test('makes cancellations returns, and keeps guests and what is no product out with their reason', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'retail.csv.gz',
      [
        HEADER,
        '900001,10001A,RED MUG,6,2011-01-04 10:00:00,2.55,20001.0,France',
        '900001,10001a,RED MUG,1,2011-01-04 10:01:00,2.55,20001.0,France',
        '900001,POST,POSTAGE,1,2011-01-04 10:00:00,18.0,20001.0,France',
        'C900002,10001A,RED MUG,-2,2011-01-05 09:00:00,2.55,20001.0,France',
        '900003,10002,BLUE MUG,1,2011-01-05 09:30:00,1.25,,United Kingdom',
        '900004,M,Manual,1,2011-01-05 09:30:00,1.25,20002.0,United Kingdom',
        '900005,gift_0001_20,Voucher,1,2011-01-05 09:30:00,20.0,20002.0,United Kingdom',
        '900006,BANK CHARGES,Bank Charges,1,2011-01-05 09:30:00,15.0,20002.0,United Kingdom',
        '900007,10003,"MUG, ""LARGE""",1,1/6/2011 8:26,1.25,20002.0,United Kingdom',
      ].join('\n'),
    );
    const said: string[] = [];
    const report = await shop.run('uci-online-retail', [path], { say: (text) => said.push(text) });
    expect(report).toMatchObject({
      rowsRead: 9,
      accepted: 4,
      rejected: { noCustomer: 1, nonProduct: 4 },
    });
    expect(said.join()).toContain('CURRENCY=GBP');
    const events = await shop.lake('events');
    const purchases = events.filter(({ type }) => type === 'purchase');
    expect(purchases.map(({ eventId, line, itemId, quantity }) => [eventId, line, itemId, quantity])).toEqual(
      [
        ['uci-online-retail:900001', 0, '10001A', 6],
        ['uci-online-retail:900001', 1, '10001A', 1],
        ['uci-online-retail:900007', 0, '10003', 1],
      ],
    );
    expect(purchases[0]).toMatchObject({
      customerId: '20001',
      occurredAt: '2011-01-04 10:00:00',
      unitPriceMinor: '255',
    });
    expect(purchases[2]).toMatchObject({ occurredAt: '2011-01-06 08:26:00' });
    expect(events.filter(({ type }) => type === 'return')).toMatchObject([
      { eventId: 'uci-online-retail:C900002:return', orderId: 'C900002', quantity: 2, itemId: '10001A' },
    ]);
    // The country is the customer's segment; a log gives no consent.
    expect(
      events
        .filter(({ type }) => type === 'customerUpdated')
        .map(({ customerId, detail }) => [customerId, detail]),
    ).toEqual(
      expect.arrayContaining([
        ['20001', '{"attributes":{"segment":"France"}}'],
        ['20002', '{"attributes":{"segment":"United Kingdom"}}'],
      ]),
    );
    expect((await shop.items())['10003']).toMatchObject({ name: 'MUG, "LARGE"', priceMinor: 125 });
  });

  test('takes a customer who moves for the same one, and says so once', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'retail.csv',
      [
        HEADER,
        '1,10001,MUG,1,2011-01-04 10:00:00,2.55,20001,France',
        '2,10001,MUG,1,2011-02-04 10:00:00,2.55,20001,Spain',
        '3,10001,MUG,1,2011-03-04 10:00:00,2.55,20001,Spain',
      ].join('\n'),
    );
    await shop.run('uci-online-retail', [path]);
    const moves = (await shop.lake('events')).filter(({ type }) => type === 'customerUpdated');
    expect(moves.map(({ occurredAt }) => occurredAt).sort()).toEqual([
      '2011-01-04 10:00:00',
      '2011-02-04 10:00:00',
    ]);
  });
});
