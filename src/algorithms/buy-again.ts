/**
 * Which of the things that a customer bought before are due now, from the customer's own rhythm and the item's.
 *
 * The time from one purchase of an item to the next is taken as log-logistic, with the customer's usual gap for that
 * item as median, and with a share of customers who never come back for it: a mixture cure model (Berkson and Gage
 * 1952). After t days of waiting, with S(t) = 1 / (1 + (t / gap)^shape) and repeat probability π, the chance of a
 * purchase within the next h days is π·(S(t) − S(t + h)) / (π·S(t) + 1 − π): an item bought yesterday is not due, one
 * that was due a year ago has been given up, and one in between is.
 */
import { dayMs } from '../domain/time.ts';
import { isSameErrand } from './errand.ts';

/** How often the shop's items are bought again. */
export type PurchaseRhythm = {
  /** By item: median gap between two purchases of it by the same customer, in days, shrunk to its category and the shop. */
  gapDays: Float32Array;
  /** By item: share of its buyers who bought it again, shrunk likewise. */
  repeatShare: Float32Array;
  /** Shape of the log-logistic distribution of gaps: the higher, the more punctual. */
  shape: number;
};

/** What a customer bought of one item. */
export type ItemHistory = {
  /** Index of the item in the model. */
  item: number;
  /** On how many errands (orders of one day are one). */
  purchaseCount: number;
  /** First and last purchase, milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
};

export type DueItem = {
  item: number;
  /** Probability of a purchase within the horizon, as the rhythm has it; ranks well, is not calibrated. */
  score: number;
  /** The customer's usual gap for this item, in days. */
  usualGapDays: number;
  daysSinceLast: number;
};

/** How many observations the item's own rhythm weighs beside the customer's. */
const priorGaps = 2;

/** The customer's items by how likely each is bought again within `horizonDays`, most likely first; ties by item. */
export function rankBuyAgain(
  rhythm: PurchaseRhythm,
  history: readonly ItemHistory[],
  now: number,
  horizonDays: number,
): DueItem[] {
  return history
    .map((entry) => dueItem(rhythm, entry, now, horizonDays))
    .sort((a, b) => b.score - a.score || a.item - b.item);
}

/** One item of a customer's, as `rankBuyAgain` has it. */
export function dueItem(
  rhythm: PurchaseRhythm,
  entry: ItemHistory,
  now: number,
  horizonDays: number,
): DueItem {
  const repeats = Math.max(0, entry.purchaseCount - 1);
  const itemGap = rhythm.gapDays[entry.item]!;
  const ownGap = repeats > 0 ? (entry.lastAt - entry.firstAt) / dayMs / repeats : 0;
  // Geometric: gaps spread by ratios.
  const usualGapDays =
    ownGap > 0
      ? Math.exp(
          (priorGaps * Math.log(itemGap) + repeats * Math.log(Math.max(1, ownGap))) / (priorGaps + repeats),
        )
      : itemGap;
  const repeatProbability = (priorGaps * rhythm.repeatShare[entry.item]! + repeats) / (priorGaps + repeats);
  const daysSinceLast = Math.max(0, (now - entry.lastAt) / dayMs);
  const survives = (days: number) => 1 / (1 + (days / usualGapDays) ** rhythm.shape);
  const waiting = survives(daysSinceLast);
  const score =
    (repeatProbability * (waiting - survives(daysSinceLast + horizonDays))) /
    (repeatProbability * waiting + 1 - repeatProbability);
  return { item: entry.item, score, usualGapDays, daysSinceLast };
}

/** Every (customer, item) with each of its orders, as rows sorted by customer, item and time. */
export type SortedPurchases = { customer: Int32Array; item: Int32Array; at: Float64Array };

/**
 * Learns the rhythm, from one errand to the next: orders of one day are one purchase. Gaps and shares of an item with few
 * repeats lean on its category's (`itemCategory`: index by item), a category's on the whole shop's.
 */
export function fitRhythm(
  purchases: SortedPurchases,
  itemCount: number,
  itemCategory: Int32Array,
  categoryCount: number,
): PurchaseRhythm {
  const { customer, item, at } = purchases;
  const buyers = new Float64Array(itemCount);
  const repeaters = new Float64Array(itemCount);
  const gapItem: number[] = [];
  const gapLog: number[] = [];
  let isRepeated = false;
  for (let p = 0; p < at.length; p++) {
    const i = item[p]!;
    const isFirst = p === 0 || customer[p] !== customer[p - 1] || item[p] !== item[p - 1];
    if (isFirst) {
      buyers[i]!++;
      isRepeated = false;
    } else if (!isSameErrand(at[p - 1]!, at[p]!)) {
      if (!isRepeated) repeaters[i]!++;
      isRepeated = true;
      gapItem.push(i);
      gapLog.push(Math.log(Math.max(1, (at[p]! - at[p - 1]!) / dayMs)));
    }
  }
  const logGap = shrunkMedians(gapItem, gapLog, itemCount, itemCategory, categoryCount);
  return {
    gapDays: Float32Array.from(logGap, Math.exp),
    repeatShare: shrunkShares(repeaters, buyers, itemCategory, categoryCount),
    shape: shapeOf(gapItem, gapLog, logGap),
  };
}

/** Observations that a parent (category, shop) counts for. */
const priorWeight = 5;
/** Median gap of a shop in which nothing was ever bought twice. */
const defaultGapDays = 60;
const defaultRepeatShare = 0.05;

function shrunkMedians(
  gapItem: readonly number[],
  gapLog: readonly number[],
  itemCount: number,
  itemCategory: Int32Array,
  categoryCount: number,
): Float64Array {
  const order = Uint32Array.from(gapItem.keys()).sort((a, b) => gapLog[a]! - gapLog[b]!);
  const shop = order.length > 0 ? gapLog[order[order.length >> 1]!]! : Math.log(defaultGapDays);
  const medians = (
    groups: number,
    groupOf: (item: number) => number,
    parentOf: (group: number) => number,
  ) => {
    const counts = new Int32Array(groups);
    for (const i of gapItem) counts[groupOf(i)]!++;
    const seen = new Int32Array(groups);
    const result = Float64Array.from({ length: groups }, (_, g) => parentOf(g));
    // Gaps pass in ascending order: each group's middle one is its median.
    for (const o of order) {
      const g = groupOf(gapItem[o]!);
      if (seen[g]!++ === counts[g]! >> 1) {
        const n = counts[g]!;
        result[g] = (n * gapLog[o]! + priorWeight * parentOf(g)) / (n + priorWeight);
      }
    }
    return result;
  };
  const byCategory = medians(
    categoryCount,
    (i) => itemCategory[i]!,
    () => shop,
  );
  return medians(
    itemCount,
    (i) => i,
    (i) => byCategory[itemCategory[i]!]!,
  );
}

function shrunkShares(
  repeaters: Float64Array,
  buyers: Float64Array,
  itemCategory: Int32Array,
  categoryCount: number,
): Float32Array {
  const sumBy = (values: Float64Array) => {
    const sums = new Float64Array(categoryCount);
    for (let i = 0; i < values.length; i++) sums[itemCategory[i]!]! += values[i]!;
    return sums;
  };
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const shrink = (hits: number, of: number, parent: number) =>
    (hits + priorWeight * parent) / (of + priorWeight);
  const shop = shrink(total(repeaters), total(buyers), defaultRepeatShare);
  const categoryBuyers = sumBy(buyers);
  const byCategory = sumBy(repeaters).map((hits, c) => shrink(hits, categoryBuyers[c]!, shop));
  return Float32Array.from(buyers, (of, i) => shrink(repeaters[i]!, of, byCategory[itemCategory[i]!]!));
}

/** A logistic variable of scale s has standard deviation πs/√3; the log of a log-logistic one has scale 1/shape. */
function shapeOf(gapItem: readonly number[], gapLog: readonly number[], logGap: Float64Array): number {
  if (gapLog.length < 2) return 2;
  let squares = 0;
  for (let g = 0; g < gapLog.length; g++) squares += (gapLog[g]! - logGap[gapItem[g]!]!) ** 2;
  const spread = Math.sqrt(squares / gapLog.length);
  return Math.min(8, Math.max(1, Math.PI / (Math.sqrt(3) * Math.max(spread, 1e-6))));
}
