import { describe, expect, test } from 'vitest';
import { openShop } from '../support.ts';

/** The columns of Shopify's export that matter here, between some that do not. */
const COLUMNS = [
  'Name',
  'Email',
  'Financial Status',
  'Paid at',
  'Currency',
  'Total',
  'Created at',
  'Lineitem quantity',
  'Lineitem name',
  'Lineitem price',
  'Lineitem sku',
  'Billing Name',
  'Notes',
  'Cancelled at',
  'Refunded Amount',
  'Vendor',
  'Source',
  'Lineitem discount',
  'Shipping Country',
];
const csv = (...rows: Record<string, string>[]) =>
  [
    COLUMNS.join(','),
    ...rows.map((row) => COLUMNS.map((name) => `"${(row[name] ?? '').replaceAll('"', '""')}"`).join(',')),
  ].join('\n');

const order = {
  Name: '#1001',
  Email: 'Anna@Example.com',
  'Financial Status': 'paid',
  Currency: 'EUR',
  'Created at': '2026-01-15 23:30:00 -0500',
  'Lineitem quantity': '2',
  'Lineitem name': 'Green tea - 100 g',
  'Lineitem price': '4.50',
  'Lineitem sku': 'TEA-100',
  'Lineitem discount': '1.00',
  Vendor: 'Leaf & Co',
  Source: 'web',
  'Shipping Country': 'DE',
};

describe('the preset shopify-orders', () => {
  test("gives an order's later lines what its first line says", async () => {
    const shop = await openShop();
    const path = await shop.file(
      'orders_export.csv',
      csv(
        { ...order, Notes: 'leave at\nthe door, "thanks"' },
        // Shopify repeats the name and the address, and nothing else of the order.
        {
          Name: '#1001',
          Email: 'Anna@Example.com',
          'Lineitem quantity': '1',
          'Lineitem name': 'Cup',
          'Lineitem price': '9',
          'Lineitem discount': '0.00',
        },
        {
          Name: '#1001',
          Email: 'Anna@Example.com',
          'Lineitem quantity': '1',
          'Lineitem name': 'Tip',
          'Lineitem price': '2',
        },
        { ...order, Name: '#1002', Email: '' },
        { Name: '#1002', 'Lineitem quantity': '1', 'Lineitem name': 'Cup', 'Lineitem price': '9' },
        { ...order, Name: '#1003', Source: 'pos', Email: 'ben@example.com' },
      ),
    );
    const report = await shop.run('shopify-orders', [path]);
    expect(report).toMatchObject({
      rowsRead: 6,
      accepted: 3,
      rejected: { noCustomer: 2, nonProduct: 1 },
      events: 2 + 2,
    });
    expect((await shop.lake('events')).filter(({ type }) => type === 'purchase')).toMatchObject([
      {
        eventId: 'shopify-orders:#1001',
        customerId: 'anna@example.com',
        occurredAt: '2026-01-16 04:30:00',
        channel: 'web',
        itemId: 'TEA-100',
        quantity: 2,
        unitPriceMinor: '450',
        discountMinor: '100',
      },
      {
        eventId: 'shopify-orders:#1001',
        line: 1,
        itemId: 'Cup',
        quantity: 1,
        unitPriceMinor: '900',
        discountMinor: null,
      },
      { eventId: 'shopify-orders:#1003', channel: 'store', customerId: 'ben@example.com' },
    ]);
    expect(await shop.rejects(report)).toMatchObject([
      // The note of line 2 goes on in line 3.
      { line: 5, reason: 'nonProduct' },
      { line: 6, reason: 'noCustomer' },
      { line: 7, reason: 'noCustomer' },
    ]);
    expect((await shop.items())['TEA-100']).toMatchObject({ name: 'Green tea - 100 g', brand: 'Leaf & Co' });
  });

  test('makes a cancelled or refunded order a purchase and its return, also when it was imported before', async () => {
    const shop = await openShop();
    const run = async (name: string, ...rows: Record<string, string>[]) =>
      shop.run('shopify-orders', [await shop.file(name, csv(...rows))]);
    expect(await run('monday.csv', order)).toMatchObject({ accepted: 1, events: 2 });
    const cancelled = { ...order, 'Financial Status': 'voided', 'Cancelled at': '2026-01-17 10:00:00 +0100' };
    expect(await run('tuesday.csv', cancelled)).toMatchObject({ accepted: 1, events: 1 });
    expect(await run('wednesday.csv', cancelled)).toMatchObject({
      accepted: 0,
      rejected: { alreadyImported: 1 },
    });
    expect((await shop.lake('events')).filter(({ type }) => type === 'return')).toMatchObject([
      {
        eventId: 'shopify-orders:#1001:return',
        occurredAt: '2026-01-17 09:00:00',
        quantity: 2,
        discountMinor: '100',
      },
    ]);
    expect(await run('other.csv', { ...order, Name: '#1009', 'Financial Status': 'refunded' })).toMatchObject(
      {
        accepted: 1,
        events: 2,
      },
    );
    expect(await run('never.csv', { ...order, Name: '#1010', 'Financial Status': 'expired' })).toMatchObject({
      rejected: { notOrdered: 1 },
    });
  });
});
