/**
 * What the ranker is told of a customer and a candidate. Training, evaluation and serving all come through
 * `createCandidateFinder`: there is no second definition of a feature.
 */
import { dayMs } from '../../domain/time.ts';
import { dueItem, type ItemHistory } from '../buy-again.ts';
import type { CollaborativeModel } from '../collaborative-model.ts';
import type { ItemPart } from '../item-part.ts';
import type { Ranked } from '../top-k.ts';
import {
  bySource,
  createSourceFinders,
  RANKER_SOURCES,
  type RankerSource,
  type RankerSubject,
} from './sources.ts';

/** Besides each source's two: of the customer's own purchases of the item, of the item, and of the customer. */
const OWN_FEATURES = ['own', 'ownCount', 'ownRecency', 'ownOverdue', 'ownShare', 'ownLastOrder'] as const;
const ITEM_FEATURES = [
  'repeatShare',
  'logSales',
  'trend',
  'daysOnSale',
  'daysSinceSold',
  'priceAbove',
  'priceApart',
  'categoryAffinity',
] as const;
const CUSTOMER_FEATURES = ['customerItems', 'customerRepeats', 'customerAway'] as const;

/** Names, in the order of a row. */
export const RANKER_FEATURES: readonly string[] = [
  ...RANKER_SOURCES.flatMap((source) => [`${source}Score`, `${source}Rank`]),
  ...OWN_FEATURES,
  ...ITEM_FEATURES,
  ...CUSTOMER_FEATURES,
];
const width = RANKER_FEATURES.length;
const ownAt = 2 * RANKER_SOURCES.length;
const itemAt = ownAt + OWN_FEATURES.length;
const customerAt = itemAt + ITEM_FEATURES.length;

/** Column of the feature that says whether the customer has bought the item. */
export const OWN_COLUMN = ownAt;

/** Columns of a row that each source speaks by: the customer's own purchases for buy-again, sales and trend for popularity. */
export const SOURCE_COLUMNS: Readonly<Record<RankerSource, readonly number[]>> = bySource((source, s) => [
  2 * s,
  2 * s + 1,
  ...(source === 'buyAgain' ? OWN_FEATURES.map((_, f) => ownAt + f) : []),
  ...(source === 'popularity' ? [itemAt + 1, itemAt + 2] : []),
]);

/** Columns that are never 0 for an item: what they add is told against the average item. */
export const ITEM_COLUMNS: readonly number[] = ITEM_FEATURES.map((_, f) => itemAt + f);

export type Candidates = {
  count: number;
  /** `count` items, in no order that means anything. */
  items: Int32Array;
  /** count × RANKER_FEATURES.length. */
  features: Float32Array;
  /** Each source's own list, best first. */
  lists: Readonly<Record<RankerSource, Ranked>>;
};

/**
 * Candidates with their features; what it answers stands until the next call. `allowed` bounds every source; all that it takes is
 * among `among`, where that is given.
 */
export type CandidateFinder = (
  subject: RankerSubject,
  depth: number,
  allowed?: (item: number) => boolean,
  among?: ItemPart,
) => Candidates;

/** How fast a place in a list loses weight: 1 for the first, a half for the (1 + rankScale)-th. */
const rankScale = 5;
const recencyHalfLifeDays = 30;

export function createCandidateFinder(model: CollaborativeModel): CandidateFinder {
  const itemCount = model.itemIds.length;
  const finders = createSourceFinders(model);
  /** Place of an item among the candidates, −1 for others. */
  const place = new Int32Array(itemCount).fill(-1);
  const items = new Int32Array(itemCount);
  let features = new Float32Array(0);

  return (subject, depth, allowed, among) => {
    let count = 0;
    const found = RANKER_SOURCES.map((source) => {
      const candidates = finders[source](subject, depth, allowed, among);
      for (const item of candidates.list.indices) {
        if (place[item] !== -1) continue;
        place[item] = count;
        items[count++] = item;
      }
      return candidates;
    });
    if (features.length < count * width) features = new Float32Array(2 * count * width);
    const rows = features.fill(0, 0, count * width);
    for (const [s, { list, scoreOf }] of found.entries()) {
      const { indices, scores: best } = list;
      if (best.length === 0) continue;
      const scale = 1 / best[0]!;
      for (let c = 0; c < count; c++) rows[c * width + 2 * s] = Math.max(0, scoreOf(items[c]!) * scale);
      for (let r = 0; r < indices.length; r++)
        rows[place[indices[r]!]! * width + 2 * s + 1] = rankScale / (rankScale + r);
    }
    writeOwn(model, subject, place, rows);
    writeItems(model, subject, items, count, rows);
    for (let c = 0; c < count; c++) place[items[c]!] = -1;
    return {
      count,
      items: items.subarray(0, count),
      features: rows.subarray(0, count * width),
      lists: bySource((_, s) => found[s]!.list),
    };
  };
}

/** What the customer's own purchases say of those candidates that are among them. */
function writeOwn(
  model: CollaborativeModel,
  { history, now }: RankerSubject,
  place: Int32Array,
  rows: Float32Array,
): void {
  const { latest, mostOrders } = summaryOf(history, now);
  for (const entry of history) {
    const c = place[entry.item]!;
    if (c === -1) continue;
    const at = c * width + ownAt;
    const { usualGapDays, daysSinceLast } = dueItem(model.rhythm, entry, now, model.buyAgainHorizonDays);
    rows[at] = 1;
    rows[at + 1] = Math.log(entry.purchaseCount);
    rows[at + 2] = 2 ** (-daysSinceLast / recencyHalfLifeDays);
    // 0 = due today; a purchase of yesterday is far below it, one given up long ago far above.
    rows[at + 3] = clamp(Math.log((1 + daysSinceLast) / (1 + usualGapDays)), 3);
    rows[at + 4] = entry.purchaseCount / mostOrders;
    rows[at + 5] = Number(entry.lastAt === latest);
  }
}

function writeItems(
  model: CollaborativeModel,
  { history, now }: RankerSubject,
  items: Int32Array,
  count: number,
  rows: Float32Array,
): void {
  const facts = model.sources?.facts;
  const { latest, repeats } = summaryOf(history, now);
  const price = usualPrice(facts?.logPrice, history);
  const categories = facts === undefined ? undefined : categoryShares(facts.category, history);
  const customerItems = Math.log1p(history.length);
  const away = history.length > 0 ? Math.log1p(Math.max(0, now - latest) / dayMs) : 0;
  for (let c = 0; c < count; c++) {
    const item = items[c]!;
    const at = c * width + itemAt;
    rows[at] = model.rhythm.repeatShare[item]!;
    if (facts !== undefined) {
      rows[at + 1] = facts.logSales[item]!;
      rows[at + 2] = facts.trend[item]!;
      rows[at + 3] = Math.log1p(facts.daysOnSale[item]!);
      rows[at + 4] = Math.log1p(facts.daysSinceSold[item]!);
      const above = facts.logPrice[item]! - price;
      rows[at + 5] = Number.isFinite(above) ? clamp(above, 3) : 0;
      rows[at + 6] = Math.abs(rows[at + 5]!);
      rows[at + 7] = categories!.get(facts.category[item]!) ?? 0;
    }
    rows[c * width + customerAt] = customerItems;
    rows[c * width + customerAt + 1] = repeats;
    rows[c * width + customerAt + 2] = away;
  }
}

/** Share of the customer's purchases that were repeats, the time of the latest and the most of one item. */
function summaryOf(history: readonly ItemHistory[], now: number) {
  let latest = Number.NEGATIVE_INFINITY;
  let mostOrders = 1;
  let purchases = 0;
  for (const { purchaseCount, lastAt } of history) {
    latest = Math.max(latest, Math.min(lastAt, now));
    mostOrders = Math.max(mostOrders, purchaseCount);
    purchases += purchaseCount;
  }
  return { latest, mostOrders, repeats: purchases > 0 ? 1 - history.length / purchases : 0 };
}

/** Mean logarithm of the prices of what was bought; NaN where none is known. */
function usualPrice(logPrice: Float32Array | undefined, history: readonly ItemHistory[]): number {
  if (logPrice === undefined) return Number.NaN;
  let sum = 0;
  let priced = 0;
  for (const { item } of history) {
    if (Number.isNaN(logPrice[item]!)) continue;
    sum += logPrice[item]!;
    priced++;
  }
  return sum / priced;
}

/** Share of the customer's purchases by category; nothing for those without one. */
function categoryShares(category: Int32Array, history: readonly ItemHistory[]): Map<number, number> {
  const shares = new Map<number, number>();
  let total = 0;
  for (const { item, purchaseCount } of history) {
    total += purchaseCount;
    const known = category[item]!;
    if (known !== 0) shares.set(known, (shares.get(known) ?? 0) + purchaseCount);
  }
  for (const [known, count] of shares) shares.set(known, count / total);
  return shares;
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
