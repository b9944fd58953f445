import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../../src/domain/errors.ts';
import { openShop } from '../support.ts';

const TRANSACTIONS =
  'household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp';
const PRODUCTS = 'product_id,manufacturer_id,department,brand,product_category,product_type,package_size';

describe('the preset completejourney', () => {
  test('tells its files by their columns, and stamps categories from the product table', async () => {
    const shop = await openShop();
    const transactions = await shop.file(
      't.csv',
      [
        TRANSACTIONS,
        // Shelf price 3.00 + 0.80 + 0.20 = 4.00, 2.00 a piece; not paid: 0.80 + 0.20 + 0.50.
        '1,10,501,71,2,3.00,0.80,0.50,0.20,5,2017-01-28T19:06:53Z',
        '1,10,501,72,13000,21.80,0,0,0,5,2017-01-28T19:06:53Z',
        '1,10,501,74,1,1.00,0,0,0,5,2017-01-28T19:06:53Z',
        '1,10,501,73,0,0.00,0,0,0,5,2017-01-28T19:06:53Z',
        // Sold by the gram: 1300 g for 5.20.
        '2,10,502,73,1300,5.20,0,0,0,5,2017-01-29T08:00:00Z',
      ].join('\n'),
    );
    const products = await shop.file(
      'p.csv',
      [
        PRODUCTS,
        '71,2,GROCERY,National,TEA,GREEN TEA,100 G',
        '72,2,FUEL,National,FUEL,GASOLINE,',
        '73,2,DELI,Private,,,',
        '74,2,GROCERY,National,COUPON/MISC ITEMS,VOUCHER,',
        '75,2,PASTRY,National,BREAD,ROLLS,6 CT',
      ].join('\n'),
    );
    const demographics = await shop.file('d.csv', 'household_id,age,household_size\n1,65+,2\n');
    const said: string[] = [];
    const report = await shop.run('completejourney', [products, demographics, transactions], {
      say: (text) => said.push(text),
    });
    expect(report).toMatchObject({
      rowsRead: 5 + 5,
      accepted: 2 + 3,
      rejected: { nonProduct: 2 + 2, badQuantity: 1 },
      events: 2,
      items: 3,
    });
    expect(said[0]).toContain('d.csv is left out: it is the file of demographics');
    expect(await shop.lake('events')).toMatchObject([
      {
        eventId: 'completejourney:501',
        customerId: '1',
        channel: 'store',
        itemId: '71',
        category: 'TEA',
        quantity: 2,
        unitPriceMinor: '200',
        discountMinor: '150',
      },
      { eventId: 'completejourney:502', itemId: '73', category: 'DELI', quantity: 1, unitPriceMinor: '520' },
    ]);
    expect(await shop.items()).toEqual({
      '71': {
        itemId: '71',
        name: 'GREEN TEA 100 G',
        category: 'TEA',
        brand: 'National',
        priceMinor: 200,
        inStock: true,
        discontinued: false,
      },
      '73': {
        itemId: '73',
        name: 'DELI',
        category: 'DELI',
        brand: 'Private',
        priceMinor: 520,
        inStock: true,
        discontinued: false,
      },
      '75': {
        itemId: '75',
        name: 'ROLLS 6 CT',
        category: 'BREAD',
        brand: 'National',
        inStock: true,
        discontinued: false,
      },
    });
    expect(await shop.run('completejourney', [transactions, products])).toMatchObject({
      accepted: 0,
      rejected: { alreadyImported: 5 },
      events: 0,
      items: 0,
    });
  });

  test('takes transactions whose products the lake knows already', async () => {
    const shop = await openShop();
    await shop.run('completejourney', [
      await shop.file('p.csv', `${PRODUCTS}\n71,2,GROCERY,National,TEA,GREEN TEA,\n`),
    ]);
    await shop.run('completejourney', [
      await shop.file('t.csv', `${TRANSACTIONS}\n1,10,501,71,1,3.00,0,0,0,5,2017-01-28T19:06:53Z\n`),
    ]);
    expect((await shop.lake('events'))[0]).toMatchObject({ itemId: '71', category: 'TEA' });
    // The catalogue's word stands, although the log would give the item a name as well as it can.
    expect((await shop.items())['71']).toMatchObject({ name: 'GREEN TEA', discontinued: false });
  });

  test('a file of none of its kinds is a UsageError', async () => {
    const shop = await openShop();
    await expect(
      shop.run('completejourney', [await shop.file('x.csv', 'household_id,basket_id,amount\n')]),
    ).rejects.toBeInstanceOf(UsageError);
  });
});
