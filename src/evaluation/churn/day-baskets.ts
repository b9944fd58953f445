/** A log by customers and days: what a customer bought on one day is one purchase. */
import type { TransactionLog } from '../customer-base/transaction-log.ts';

export type DayBasket = { day: number; amount: number };

/** One list a customer, its days ascending. Without money in the log all amounts are 0. */
export function dayBaskets({ customers, customer, day, amount }: TransactionLog): DayBasket[][] {
  const byCustomer = Array.from({ length: customers }, () => new Map<number, number>());
  for (let row = 0; row < customer.length; row++) {
    const days = byCustomer[customer[row]!]!;
    days.set(day[row]!, (days.get(day[row]!) ?? 0) + (amount?.[row] ?? 0));
  }
  return byCustomer.map((days) =>
    [...days].map(([at, spent]) => ({ day: at, amount: spent })).sort((a, b) => a.day - b.day),
  );
}
