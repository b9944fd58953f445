/**
 * What a feature is: one file that holds both halves, how an event changes it and what it says at a moment. The online
 * path and the replay run the same two functions, so that training and serving cannot drift.
 */

import type { CustomerAttributes } from '../domain/customer.ts';
import type { ShopEvent } from '../domain/event.ts';
import type { ItemId } from '../domain/ids.ts';
import { dayMs } from '../domain/time.ts';

/** An item that the customer bought, and how often: the personal rhythm that buy-again reads. */
export type PurchasedItem = {
  itemId: ItemId;
  /** As the latest purchase stamped it; '' = unknown. */
  category: string;
  /** Errands that brought it (orders of one day are one), not units. */
  purchaseCount: number;
  /** Units, over all orders. */
  quantity: number;
  /** Orders that it came back from. */
  returnCount: number;
  /** First and last purchase, milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
};

/** An item that the customer looked at or put into the cart; `at` is the last time. */
export type RecentView = { itemId: ItemId; at: number; addedToCart: boolean };

/** Interest in a category: a sum of events that halves in every 90 days, as it stood at `at`. */
export type CategoryAffinity = { category: string; weight: number; at: number };

/** What a feature may read of the record. During `update` it is the record as it was before the event. */
export type RecordView = {
  readonly attributes: Readonly<CustomerAttributes>;
  /** Least recently bought first. */
  readonly items: ReadonlyMap<ItemId, Readonly<PurchasedItem>>;
  /** Oldest first, an item once. */
  readonly recentViews: readonly Readonly<RecentView>[];
  readonly categories: readonly Readonly<CategoryAffinity>[];
  /** First and last event, milliseconds since 1970; `NEVER` before the first. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Order of the last purchase that named one; '' = none. */
  readonly lastOrderId: string;
};

/** Least and greatest value, both included. */
export type Range = readonly [least: number, most: number];
export const share: Range = [0, 1];
export const anyNumber: Range = [-Infinity, Infinity];

export type Feature = {
  readonly name: string;
  /** Names of the numbers that it keeps; `state` below holds one for each, 0 at first. */
  readonly slots: readonly string[];
  /** Those of them that add up or hold what was told as a fraction: kept as told, since rules compare with what somebody wrote. */
  readonly told?: readonly string[];
  /** Names of the numbers that it says; unique over all features. */
  readonly outputs: readonly string[];
  /** Least and greatest value of an output, where that is not 0 and more; a rule's bound outside is a slip of the pen. */
  readonly ranges?: Readonly<Record<string, Range>>;
  /** Sets slots that do not start at 0. */
  init?(state: Float64Array): void;
  /** Folds an event into the state. Events may come late: a time before the last one must do no lasting harm. */
  update(state: Float64Array, event: ShopEvent, record: RecordView): void;
  /** Writes the outputs to `out[at …]`, as of `now` (milliseconds since 1970). Every one is finite for every state. */
  value(state: Float64Array, now: number, out: Float32Array, at: number, record: RecordView): void;
  /** Outputs that are only stand-ins for this customer, since nothing was observed: a person is told "unknown" instead. */
  unknown?(state: Float64Array): readonly string[];
};

/** A time slot that was not set. */
export const NEVER = -1;

/** Days from `since` until `now`; 0 where `since` lies ahead (clocks differ) or was never. */
export function daysSince(since: number, now: number): number {
  return since === NEVER ? 0 : Math.max(0, now - since) / dayMs;
}

/** Does the event begin an order? Lines of one basket may come as several purchases with the same `orderId`. */
export function startsOrder(event: ShopEvent, record: RecordView): boolean {
  return event.type === 'purchase' && (event.orderId === undefined || event.orderId !== record.lastOrderId);
}

/** What is left of 1 after `elapsedMs`, when half is left after `halfLifeDays`. */
export function decay(elapsedMs: number, halfLifeDays: number): number {
  return Math.exp((-Math.LN2 * elapsedMs) / (halfLifeDays * dayMs));
}
