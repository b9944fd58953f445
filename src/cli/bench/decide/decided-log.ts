/**
 * What a policy may learn from: decisions with their probabilities, what was known of the customer then, and what the
 * customer did. No truth is in it.
 */
import type { ShopEvent } from '../../../domain/event.ts';
import { dayMs } from '../../../domain/time.ts';

/** The customer was left alone. */
export const noOffer = -1;

export type LoggedRow = {
  decisionId: string;
  customer: number;
  at: number;
  /** Number of the offer, or `noOffer`. */
  action: number;
  propensity: number;
  /** The feature vector at that moment. */
  features: Float32Array;
};

/** What the shop has seen of one customer: times ascending. */
export type CustomerTrace = {
  /** All there were, oldest first. */
  events: ShopEvent[];
  orders: { at: number; marginMinor: number }[];
  redeemed: Set<string>;
};

export type DecidedLog = { rows: LoggedRow[]; traces: readonly CustomerTrace[] };

export const newTrace = (): CustomerTrace => ({ events: [], orders: [], redeemed: new Set() });

/** Rows whose outcome within `days` is known by `now`. */
export function ripeRows({ rows }: DecidedLog, days: number, now: number): LoggedRow[] {
  return rows.filter(({ at }) => at + days * dayMs <= now);
}

/** Was there an order within so many days? */
export function ordered(log: DecidedLog, row: LoggedRow, days: number): boolean {
  return orderedBetween(log, row, 0, days);
}

/** Was there one more than `from` and at most `to` days after the decision? */
function orderedBetween(
  { traces }: DecidedLog,
  { customer, at }: Pick<LoggedRow, 'customer' | 'at'>,
  from: number,
  to: number,
): boolean {
  const [after, until] = [at + from * dayMs, at + to * dayMs];
  return traces[customer]?.orders.some((order) => order.at > after && order.at <= until) ?? false;
}

/** Margin of the orders within so many days, minor units; discounts are taken off. */
export function marginWithin({ traces }: DecidedLog, { customer, at }: LoggedRow, days: number): number {
  let sum = 0;
  for (const order of traces[customer]?.orders ?? [])
    if (order.at > at && order.at <= at + days * dayMs) sum += order.marginMinor;
  return sum;
}

export function redeemed({ traces }: DecidedLog, { customer, decisionId }: LoggedRow): boolean {
  return traces[customer]?.redeemed.has(decisionId) ?? false;
}
