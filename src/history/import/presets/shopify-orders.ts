/**
 * Shopify's order export (Admin, Orders, Export): one row a line item. Lines after an order's first carry its name and
 * leave its other columns empty. https://help.shopify.com/manual/fulfillment/managing-orders/exporting-orders
 */
import type { Preset } from '../preset.ts';
import { decimal, instant } from '../sql.ts';

/** Line items that are no goods. */
const nonProducts =
  'tip|gift card|e-?gift card|gift voucher|(route )?(shipping|package|delivery) (protection|insurance).*|shipping|postage|donation|gift wrap(ping)?';

export const shopifyOrders: Preset = {
  name: 'shopify-orders',
  summary: 'Shopify order export; the customer is the e-mail address, the item its SKU (else its name)',
  sources: [
    {
      kind: 'orders',
      name: 'orders',
      columns: {
        order: ['Name'],
        email: ['Email'],
        created: ['Created at'],
        quantity: ['Lineitem quantity'],
        title: ['Lineitem name'],
        price: ['Lineitem price'],
      },
      optional: {
        sku: ['Lineitem sku'],
        discount: ['Lineitem discount'],
        currency: ['Currency'],
        financialStatus: ['Financial Status'],
        cancelled: ['Cancelled at'],
        source: ['Source'],
        vendor: ['Vendor'],
        country: ['Shipping Country', 'Billing Country'],
      },
      fillOrder: {
        orderId: 'order',
        columns: ['email', 'created', 'currency', 'financialStatus', 'cancelled', 'source', 'country'],
      },
      fields: () => ({
        orderId: 'r.order',
        customerId: 'lower(r.email)',
        itemId: 'coalesce(r.sku, r.title)',
        itemName: 'r.title',
        brand: 'r.vendor',
        occurredAt: instant('r.created'),
        quantity: decimal('r.quantity'),
        unitPrice: decimal('r.price'),
        discount: decimal("coalesce(r.discount, '0')"),
        currency: 'r.currency',
        segment: 'r.country',
        channel: `CASE lower(r.source) WHEN 'pos' THEN 'store' WHEN 'iphone' THEN 'app' WHEN 'android' THEN 'app' ELSE 'web' END`,
        // The export tells which orders came back as a whole; of a part it gives the amount, but not the lines.
        returned: `CASE WHEN r.cancelled IS NOT NULL OR lower(r.financialStatus) IN ('refunded', 'voided') THEN ${decimal('r.quantity')} ELSE 0 END`,
        returnedAt: instant('r.cancelled'),
      }),
      rules: [
        { reason: 'nonProduct', when: `regexp_full_match(lower(r.title), '${nonProducts}')` },
        { reason: 'notOrdered', when: "lower(r.financialStatus) IN ('expired')" },
      ],
    },
  ],
};
