/** Purchases as training has them, from rows that a test can write down. */
import { dayMs } from '../../src/domain/time.ts';
import type { Purchases } from '../../src/history/purchases.ts';

/** Each row is one order of one item; ids are numbered in their alphabetical order. */
export function purchasesOf(
  rows: readonly (readonly [customerId: string, itemId: string, day: number])[],
): Purchases {
  const sorted = [...rows].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]) || a[2] - b[2]);
  const customerIds = [...new Set(sorted.map(([customer]) => customer))].sort(compare);
  const itemIds = [...new Set(sorted.map(([, item]) => item))].sort(compare);
  return {
    customer: Int32Array.from(sorted, ([customer]) => customerIds.indexOf(customer)),
    item: Int32Array.from(sorted, ([, item]) => itemIds.indexOf(item)),
    order: Int32Array.from(sorted.keys()),
    at: Float64Array.from(sorted, ([, , day]) => day * dayMs),
    quantity: new Int32Array(sorted.length).fill(1),
    orderCount: sorted.length,
    customerIds,
    itemIds,
    itemCategory: new Int32Array(itemIds.length),
    categories: [''],
    customerSegment: new Int32Array(customerIds.length),
    segments: [''],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
