import { describe, expect, test } from 'vitest';
import { openShop } from '../support.ts';

describe('the preset woocommerce', () => {
  test('reads the export with one row per item: subtotals before coupons, refunded pieces, guests', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'orders.csv',
      [
        'order_id,order_number,date,status,order_currency,customer_id,billing_email,billing_country,item_id,item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_total,item_refunded_qty',
        // 3 pieces for 30.00, 27.00 after the coupon; one came back.
        '31,N-31,2026-02-01 10:00:00,completed,EUR,5,anna@example.com,DE,1,71,Green tea,TEA,3,30.00,27.00,1',
        '31,N-31,2026-02-01 10:00:00,completed,EUR,5,anna@example.com,DE,2,72,Cup,,1,9.00,9.00,0',
        '32,N-32,2026-02-02 10:00:00,processing,EUR,0,guest@example.com,DE,3,71,Green tea,TEA,1,10.00,10.00,',
        '33,N-33,2026-02-03 10:00:00,failed,EUR,5,anna@example.com,DE,4,71,Green tea,TEA,1,10.00,10.00,',
        '34,N-34,2026-02-04 10:00:00,wc-cancelled,EUR,6,ben@example.com,DE,5,71,Green tea,TEA,1,10.00,10.00,',
      ].join('\r\n'),
    );
    const report = await shop.run('woocommerce', [path]);
    expect(report).toMatchObject({ rowsRead: 5, accepted: 3, rejected: { noCustomer: 1, notOrdered: 1 } });
    expect((await shop.lake('events')).filter(({ type }) => type !== 'customerUpdated')).toMatchObject([
      {
        eventId: 'woocommerce:31',
        line: 0,
        customerId: '5',
        itemId: 'TEA',
        quantity: 3,
        unitPriceMinor: '1000',
        discountMinor: '300',
      },
      {
        eventId: 'woocommerce:31',
        line: 1,
        itemId: '72',
        quantity: 1,
        unitPriceMinor: '900',
        discountMinor: null,
      },
      // A third of the line came back, and with it a third of the discount.
      {
        eventId: 'woocommerce:31:return',
        line: 0,
        itemId: 'TEA',
        quantity: 1,
        unitPriceMinor: '1000',
        discountMinor: '100',
      },
      { eventId: 'woocommerce:34', customerId: '6' },
      { eventId: 'woocommerce:34:return', customerId: '6', quantity: 1 },
    ]);
  });

  test('reads the export with spaced headings, whose later lines leave the order empty', async () => {
    const shop = await openShop();
    const path = await shop.file(
      'orders.csv',
      [
        'Order Number,Order Status,Order Date,Email (Billing),Item #,SKU,Item Name,Quantity (- Refund),Item Cost',
        '41,Completed,2026-02-01 10:00,Anna@example.com,1,TEA,Green tea,2,4.50',
        ',,,,2,CUP,Cup,1,9',
        '42,Completed,2026-02-02 10:00,ben@example.com,1,TEA,Green tea,1',
        ',,,,2,CUP,Cup,1,9',
      ].join('\n'),
    );
    const report = await shop.run('woocommerce', [path]);
    // What follows an order whose first line is broken has no order: it must not fall to the order before.
    expect(report).toMatchObject({ rowsRead: 4, accepted: 2, rejected: { malformed: 1, noCustomer: 1 } });
    expect(await shop.lake('events')).toMatchObject([
      {
        eventId: 'woocommerce:41',
        line: 0,
        customerId: 'anna@example.com',
        itemId: 'TEA',
        unitPriceMinor: '450',
      },
      {
        eventId: 'woocommerce:41',
        line: 1,
        customerId: 'anna@example.com',
        itemId: 'CUP',
        occurredAt: '2026-02-01 10:00:00',
      },
    ]);
  });
});
