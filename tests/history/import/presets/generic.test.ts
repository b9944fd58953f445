import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../src/domain/errors.ts';
import { openShop } from '../support.ts';

describe('the preset generic', () => {
  test('takes the columns that it is told, numbers with commas and dates in the shop’s own format', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'bons.csv',
      'Bon;Kunde;Artikel;Bezeichnung;Warengruppe;Datum;Menge;Preis;Kanal\n7;K1;A1;Tee, grün;Tee;31.01.2026 18:05;1,5;1.234,50;Filiale\n8;K1;A1;Tee, grün;Tee;31.01.2026 18:06;2;3,99;pos\n9;K2;PFAND;Pfand;;01.02.2026 09:00;1;0,25;pos\n',
    );
    const report = await shop.run('generic', [path], {
      generic: {
        columns: {
          order: 'Bon',
          customer: 'Kunde',
          item: 'Artikel',
          name: 'Bezeichnung',
          category: 'Warengruppe',
          date: 'Datum',
          quantity: 'Menge',
          price: 'Preis',
          channel: 'Kanal',
        },
        dateFormat: '%d.%m.%Y %H:%M',
        decimalComma: true,
        nonProducts: 'pfand|porto',
      },
    });
    expect(report).toMatchObject({ accepted: 1, rejected: { badChannel: 1, nonProduct: 1 } });
    expect(await shop.lake('events')).toMatchObject([
      {
        eventId: 'generic:8',
        occurredAt: '2026-01-31 18:06:00',
        category: 'Tee',
        quantity: 2,
        unitPriceMinor: '399',
        channel: 'store',
      },
    ]);
    expect((await shop.items()).A1).toMatchObject({ name: 'Tee, grün', category: 'Tee', priceMinor: 399 });
  });

  test('a table without prices takes those that the lake knows, and counts the others', async () => {
    const shop = await openShop();
    const items = await shop.file('items.ndjson', '{"itemId":"tea","priceMinor":450}\n');
    await shop.run('nextbest', [items]);
    const path = await shop.file(
      'log.csv',
      'user_id,product_id,timestamp,quantity\nanna,tea,1767225600,2\nanna,cup,1767225600,1\nben,tea,1767225700,-1\n',
    );
    expect(await shop.run('generic', [path])).toMatchObject({ accepted: 3, linesWithoutPrice: 1 });
    const events = await shop.lake('events');
    expect(events.map(({ type, itemId, unitPriceMinor }) => [type, itemId, unitPriceMinor]).sort()).toEqual([
      ['purchase', 'cup', null],
      ['purchase', 'tea', '450'],
      ['return', 'tea', '450'],
    ]);
    expect(await shop.run('generic', [path])).toMatchObject({ accepted: 0, linesWithoutPrice: 0 });
  });

  test('without an order column, what a customer buys at one instant is one order', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'log.csv',
      'user_id,product_id,timestamp\nanna,tea,1767225600\nanna,cup,1767225600\nanna,tea,1767225601000\nben,tea,20260101\n',
    );
    expect(await shop.run('generic', [path])).toMatchObject({ accepted: 4, events: 3 });
    const events = await shop.lake('events');
    expect(events.map(({ orderId }) => orderId)).toEqual([null, null, null, null]);
    expect(
      events.map(({ customerId, itemId, occurredAt }) => `${customerId} ${itemId} ${occurredAt}`).sort(),
    ).toEqual([
      'anna cup 2026-01-01 00:00:00',
      'anna tea 2026-01-01 00:00:00',
      'anna tea 2026-01-01 00:00:01',
      'ben tea 2026-01-01 00:00:00',
    ]);
    expect(events.every(({ unitPriceMinor, quantity }) => unitPriceMinor === null && quantity === 1)).toBe(
      true,
    );
    expect(await shop.run('generic', [path])).toMatchObject({
      accepted: 0,
      rejected: { alreadyImported: 4 },
    });
  });

  test('a log of clicks and purchases becomes views, carts, purchases and returns', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'log.csv',
      'customer,item,date,type\na,t,2026-01-01,view\na,t,2026-01-01,add_to_cart\na,t,2026-01-01,Transaction\na,t,2026-01-02,refund\na,t,2026-01-02,dance\n',
    );
    const report = await shop.run('generic', [path]);
    expect(report).toMatchObject({ accepted: 4, rejected: { badType: 1 }, events: 4 });
    expect((await shop.lake('events')).map(({ type }) => type).sort()).toEqual([
      'addToCart',
      'purchase',
      'return',
      'view',
    ]);
  });

  test('a quantity that is a measure counts as one piece at the price of the line', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'log.csv',
      // 0.350 kg at 12.00 a kilogram = 4.20; 500 g at 0.004 a gram = 2.00; a line of 3 pieces at 0.01 stays one.
      'order,customer,item,date,quantity,price\n1,a,ham,2026-01-01,0.350,12.00\n1,a,salt,2026-01-01,500,0.004\n1,a,bag,2026-01-01,3,0.01\n',
    );
    await shop.run('generic', [path]);
    expect(
      (await shop.lake('events')).map(({ itemId, quantity, unitPriceMinor }) => [
        itemId,
        quantity,
        unitPriceMinor,
      ]),
    ).toEqual([
      ['ham', 1, '420'],
      ['salt', 1, '200'],
      ['bag', 3, '1'],
    ]);
  });

  test('money of a currency without minor units stays what it is', async () => {
    const shop = await openShop();
    const path = await shop.file('log.csv', 'order,customer,item,date,price\n1,a,tea,2026-01-01,1200\n');
    await shop.run('generic', [path], { currency: 'JPY' });
    expect((await shop.lake('events'))[0]?.unitPriceMinor).toBe('1200');
  });

  test('a column that is named must be there, although it is not required', async () => {
    const shop = await openShop();
    const path = await shop.file('log.csv', 'customer,item,date\n');
    await expect(shop.run('generic', [path], { generic: { columns: { price: 'Betrag' } } })).rejects.toThrow(
      'price: "Betrag"',
    );
  });

  test.each([{ nonProducts: '(' }, { nonProducts: '(?=x)' }, { dateFormat: '%Q' }])(
    '%j cannot be used, and that is a UsageError',
    async (generic) => {
      const shop = await openShop();
      const path = await shop.file('log.csv', 'customer,item,date\na,b,2026-01-01\n');
      await expect(shop.run('generic', [path], { generic })).rejects.toBeInstanceOf(UsageError);
    },
  );
});
