/**
 * WooCommerce orders, one row a line item, as the usual export extensions write them: Customer/Order CSV Export
 * (SkyVerge, "Default – One Row per Item": `order_id, date, item_sku …`), Order Export & Import (WebToffee, line items
 * in separate rows) and Advanced Order Export (AlgolPlus: `Order Number, Order Date, SKU, Item Cost …`), which may
 * leave an order's columns empty on the lines after its first.
 */
import type { Preset } from '../preset.ts';
import { decimal, instant, instantIn } from '../sql.ts';

const status = "regexp_replace(lower(coalesce(r.status, '')), '^wc-', '')";
const customerKnown = `nullif(r.customer, '0')`;

export const wooCommerce: Preset = {
  name: 'woocommerce',
  summary: 'WooCommerce order export, one row a line item; refunded pieces become returns',
  sources: [
    {
      kind: 'orders',
      name: 'orders, one row per item',
      columns: {
        order: ['order_id', 'order_number', 'Order Number', 'Order ID'],
        date: ['date', 'order_date', 'Order Date', 'date_created'],
        title: ['item_name', 'Item Name', 'Product Name', 'Name'],
        quantity: ['item_quantity', 'Quantity', 'Quantity (- Refund)', 'qty'],
      },
      optional: {
        status: ['status', 'Order Status', 'order_status'],
        customer: ['customer_id', 'Customer User ID', 'Customer ID', 'customer_user'],
        email: ['billing_email', 'Email (Billing)', 'customer_email', 'Customer Email'],
        sku: ['item_sku', 'SKU', 'Product SKU'],
        product: ['item_product_id', 'Product Id', 'Product ID'],
        subtotal: ['item_subtotal', 'Order Line Subtotal'],
        total: ['item_total', 'Order Line Total', 'Order Line (w/o tax)'],
        unitPrice: ['item_price', 'Item Cost'],
        refunded: ['item_refunded_qty', 'Quantity Refunded'],
        currency: ['order_currency', 'Order Currency', 'currency'],
        category: ['Category', 'item_category', 'product_categories'],
        country: ['billing_country', 'Country Code (Billing)'],
      },
      fillOrder: {
        orderId: 'order',
        columns: ['date', 'status', 'customer', 'email', 'currency', 'country'],
      },
      fields: (has) => ({
        orderId: 'r.order',
        // Where accounts are told, 0 is a guest; where they are not, the address is all there is.
        customerId: has.has('customer') ? customerKnown : 'lower(r.email)',
        itemId: "coalesce(r.sku, nullif(r.product, '0'), r.title)",
        itemName: 'r.title',
        category: 'r.category',
        occurredAt: `coalesce(${instant('r.date')}, ${instantIn('r.date', '%m/%d/%Y %H:%M:%S')}, ${instantIn('r.date', '%m/%d/%Y %H:%M')})`,
        quantity: decimal('r.quantity'),
        ...price(has),
        currency: 'r.currency',
        segment: 'r.country',
        returned: `CASE WHEN ${status} IN ('refunded', 'cancelled') THEN abs(${decimal('r.quantity')}) ELSE abs(${decimal('r.refunded')}) END`,
      }),
      rules: [
        {
          reason: 'notOrdered',
          when: `${status} IN ('failed', 'pending', 'pending payment', 'draft', 'checkout-draft', 'trash')`,
        },
      ],
    },
  ],
};

/** Subtotal is before the coupons and total after them; where there is but one price, nothing is known of discounts. */
function price(has: ReadonlySet<string>): { lineTotal?: string; unitPrice?: string; discount?: string } {
  const subtotal = decimal('r.subtotal');
  const total = decimal('r.total');
  if (has.has('subtotal') && has.has('total'))
    return { lineTotal: subtotal, discount: `greatest(${subtotal} - ${total}, 0)` };
  if (has.has('unitPrice')) return { unitPrice: decimal('r.unitPrice') };
  if (has.has('total')) return { lineTotal: total };
  return {};
}
