import type { LeftOut } from '../../evaluation/customer-base/read-transactions.ts';

/** Tells how many rows of a log were left out, by their reason. */
export function sayLeftOut(leftOut: LeftOut, say: (text: string) => void): void {
  for (const [rows, what] of [
    [leftOut.withoutCustomer, 'without a customer'],
    [leftOut.withoutDate, 'without a day that can be read'],
    [leftOut.returns, 'of negative value, which are no purchases'],
  ] as const)
    if (rows > 0) say(`Left out: ${rows} rows ${what}.`);
}
