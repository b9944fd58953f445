/** The shop's purchases as the collaborative model learns from them, and customers to judge it on. */
import { loadItemPrices } from '../../history/item-prices.ts';
import type { Lake } from '../../history/lake.ts';
import type { PurchaseRange } from '../../history/purchase-queries.ts';
import { loadPurchases, type Purchases } from '../../history/purchases.ts';
import { createTestSet, type TestSet } from './test-set.ts';

export type ShopLog = Purchases & {
  /** Usual price by item in minor units, 0 where none is known; absent: no prices are known at all. */
  unitPriceMinor?: Float64Array;
};

/** Below that, figures are noise. */
const testCustomersMin = 20;
const itemsMin = 10;
const minSegmentCustomers = 20;

export async function loadShopLog(lake: Lake, range: PurchaseRange & { before: number }): Promise<ShopLog> {
  const purchases = await loadPurchases(lake, { ...range, excludeReturned: true, minSegmentCustomers });
  return { ...purchases, unitPriceMinor: await loadItemPrices(lake, purchases.itemIds, range.before) };
}

/**
 * At most `customersMax` of those who bought before `from` and in the time from then up to `before`. With a
 * `customerShare`, the log is that of so many of the customers.
 */
export async function loadTestSet(
  lake: Lake,
  from: number,
  before: number,
  customersMax: number,
  seed: number,
  customerShare = 1,
): Promise<TestSet> {
  const train = await loadShopLog(lake, { before: from, withBrowsing: true, customerShare });
  const later = await loadPurchases(lake, {
    from,
    before,
    customerShare,
    excludeReturned: true,
    minSegmentCustomers,
  });
  return createTestSet(train, later, from, customersMax, seed);
}

/** Why nothing can be learned or judged there; undefined = it can. */
export function shortageOf({ customers, train }: TestSet): string | undefined {
  const items = train.itemIds.length;
  if (items < itemsMin)
    return `too few items to recommend from: ${items} were bought before the test, of at least ${itemsMin}`;
  if (customers.length < testCustomersMin)
    return `too few customers to test on: ${customers.length} bought before and in the last weeks, of at least ${testCustomersMin}`;
  return undefined;
}
