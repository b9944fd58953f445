/**
 * dunnhumby, The Complete Journey: a grocer's baskets and its product table, with the column names of the R package
 * `completejourney`. A line's `sales_value` is what the shop receives; the discounts are what the customer did not pay
 * of the shelf price, so that shelf price = sales value + loyalty discount + coupon match.
 */
import type { Preset } from '../preset.ts';
import { decimal, instant } from '../sql.ts';

const notForSale =
  "'COUPON', 'COUP/STR & MFG', 'FUEL', 'MISCELLANEOUS', 'MISC. TRANS.', 'CHARITABLE CONT', 'POSTAL CENTER', 'CNTRL/STORE SUP', 'PROD-WHS SALES'";

export const completeJourney: Preset = {
  name: 'completejourney',
  summary: 'dunnhumby The Complete Journey: transactions, and products where they are given too',
  currency: 'USD',
  sources: [
    {
      kind: 'orders',
      name: 'transactions',
      columns: {
        household: ['household_id', 'household_key'],
        basket: ['basket_id'],
        product: ['product_id'],
        quantity: ['quantity'],
        sales: ['sales_value'],
        loyalty: ['retail_disc'],
        coupon: ['coupon_disc'],
        match: ['coupon_match_disc'],
        time: ['transaction_timestamp'],
      },
      fields: () => ({
        orderId: 'r.basket',
        customerId: 'r.household',
        itemId: 'r.product',
        occurredAt: instant('r.time'),
        quantity: decimal('r.quantity'),
        // dunnhumby's own files write the discounts with a minus, the R package without.
        lineTotal: `${decimal('r.sales')} + abs(${decimal('r.loyalty')}) + abs(${decimal('r.match')})`,
        discount: `abs(${decimal('r.loyalty')}) + abs(${decimal('r.match')}) + abs(${decimal('r.coupon')})`,
        channel: "'store'",
      }),
    },
    {
      kind: 'items',
      name: 'products',
      columns: {
        product: ['product_id'],
        department: ['department'],
        brand: ['brand'],
        category: ['product_category', 'commodity_desc'],
        type: ['product_type', 'sub_commodity_desc'],
      },
      optional: { size: ['package_size', 'curr_size_of_product'] },
      fields: {
        itemId: 'r.product',
        name: "concat_ws(' ', coalesce(r.type, r.category, r.department), r.size)",
        category: 'coalesce(r.category, r.department)',
        brand: 'r.brand',
      },
      rules: [
        {
          reason: 'nonProduct',
          when: `r.department IN (${notForSale}) OR starts_with(r.category, 'COUPON')`,
        },
      ],
    },
    ignored('demographics', ['household_id', 'household_size']),
    ignored('coupon redemptions', ['coupon_upc', 'redemption_date']),
    ignored('campaigns', ['campaign_id', 'household_id']),
    ignored('campaign descriptions', ['campaign_id', 'campaign_type']),
    ignored('coupons', ['coupon_upc', 'product_id']),
    ignored('promotions', ['product_id', 'display_location']),
  ],
};

function ignored(name: string, columns: readonly string[]): Preset['sources'][number] {
  return {
    kind: 'ignored',
    name,
    columns: Object.fromEntries(columns.map((column) => [column, [column]])),
    because: 'it holds no purchases',
  };
}
