/** UCI Online Retail (I and II): a British gift wholesaler's invoices. https://archive.ics.uci.edu/dataset/352 */
import type { Preset } from '../preset.ts';
import { decimal, instant, instantIn } from '../sql.ts';

/** Postage, carriage, fees, commissions, discounts, samples, vouchers, corrections and tests. */
const nonProducts = 'POST|DOT|C2|C3|M|D|S|B|PADS|CRUK|BANK CHARGES|AMAZONFEE|ADJUST\\d*|GIFT(_.*)?|TEST\\d*';

export const uciOnlineRetail: Preset = {
  name: 'uci-online-retail',
  summary: 'UCI Online Retail: one row an invoice line; invoices that start with C are cancellations',
  currency: 'GBP',
  sources: [
    {
      kind: 'orders',
      name: 'invoices',
      columns: {
        invoice: ['InvoiceNo', 'Invoice'],
        code: ['StockCode'],
        description: ['Description'],
        quantity: ['Quantity'],
        date: ['InvoiceDate'],
        price: ['UnitPrice', 'Price'],
        customer: ['CustomerID', 'Customer ID'],
      },
      optional: { country: ['Country'] },
      fields: () => ({
        orderId: 'r.invoice',
        // The number went through a spreadsheet: 17850.0.
        customerId: "CASE WHEN ends_with(r.customer, '.0') THEN left(r.customer, -2) ELSE r.customer END",
        // The same article is typed as 85123A and 85123a.
        itemId: 'upper(r.code)',
        itemName: 'r.description',
        occurredAt: `coalesce(${instant('r.date')}, ${instantIn('r.date', '%m/%d/%Y %H:%M')})`,
        quantity: `CASE WHEN upper(left(r.invoice, 1)) = 'C' THEN -abs(${decimal('r.quantity')}) ELSE ${decimal('r.quantity')} END`,
        unitPrice: decimal('r.price'),
        segment: 'r.country',
        // Stock corrections say it where the description stands otherwise.
        discontinued: "contains(lower(r.description), 'discontinued')",
      }),
      rules: [
        {
          reason: 'nonProduct',
          when: `CASE WHEN TRY_CAST(left(r.code, 5) AS INTEGER) IS NULL THEN regexp_full_match(upper(r.code), '${nonProducts}') END`,
        },
      ],
    },
  ],
};
