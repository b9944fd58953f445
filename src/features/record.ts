/**
 * The customer record: everything an answer needs of a customer, as a pure fold over the customer's events in the order of
 * time, then event id. The parts that vary in size are bounded: what was touched least recently (the weakest, for categories)
 * makes room.
 */
import { isSameErrand } from '../algorithms/errand.ts';
import type { CustomerAttributes } from '../domain/customer.ts';
import { eventLines, type ShopEvent } from '../domain/event.ts';
import type { ItemId } from '../domain/ids.ts';
import type { OfferAnswer } from '../domain/offer.ts';
import { roundFraction } from './binary.ts';
import { updateCategories } from './categories.ts';
import { compareEventOrder } from './event-order.ts';
import { type CategoryAffinity, NEVER, type PurchasedItem, type RecentView } from './feature.ts';
import { updateOfferAnswers } from './offer-answers.ts';
import { type RatingLow, updateRatingLows } from './rating-lows.ts';
import { emptyState, FEATURE_NAMES, FEATURE_OFFSETS, FEATURES, TOLD_SLOTS } from './registry.ts';

export type CustomerRecord = {
  /** Slots of every feature, in the order of the registry. */
  readonly state: Float64Array;
  /** Each feature's part of `state`. */
  readonly slices: readonly Float64Array[];
  attributes: CustomerAttributes;
  readonly items: Map<ItemId, PurchasedItem>;
  readonly recentViews: RecentView[];
  readonly categories: CategoryAffinity[];
  readonly offerAnswers: OfferAnswer[];
  readonly ratingLows: RatingLow[];
  firstAt: number;
  lastAt: number;
  /** Of the last event in order; '' before the first. */
  lastEventId: string;
  lastOrderId: string;
  /** Events that were folded in. */
  eventCount: number;
  /** Newest id of the event stream that the record reflects; '0-0' = none. Not part of the fold: the store sets it. */
  appliedThrough: string;
};

export const purchasedItemsMax = 200;
export const recentViewsMax = 30;

export function emptyRecord(): CustomerRecord {
  return recordWithState(emptyState());
}

/** A record around an existing state; everything else as for somebody new. */
export function recordWithState(state: Float64Array): CustomerRecord {
  return {
    state,
    slices: FEATURES.map((feature, f) => {
      const start = FEATURE_OFFSETS[f]!.slots;
      return state.subarray(start, start + feature.slots.length);
    }),
    attributes: {},
    items: new Map(),
    recentViews: [],
    categories: [],
    offerAnswers: [],
    ratingLows: [],
    firstAt: NEVER,
    lastAt: NEVER,
    lastEventId: '',
    lastOrderId: '',
    eventCount: 0,
    appliedThrough: '0-0',
  };
}

/** Does the event come before one that the record has already seen? Then the record is exact only after a rebuild. */
export function isLate(record: CustomerRecord, event: ShopEvent): boolean {
  return (
    record.eventCount > 0 &&
    compareEventOrder(event, { occurredAt: record.lastAt, eventId: record.lastEventId }) < 0
  );
}

/** Is it the last event that the record has seen? */
export function isLast(record: CustomerRecord, event: ShopEvent): boolean {
  return record.eventCount > 0 && event.occurredAt === record.lastAt && event.eventId === record.lastEventId;
}

/** Folds one event into the record, in place. The caller sees to it that an event comes once. */
export function applyEvent(record: CustomerRecord, event: ShopEvent): void {
  // The features first: they see the record as it was before the event.
  for (let f = 0; f < FEATURES.length; f++) FEATURES[f]!.update(record.slices[f]!, event, record);
  roundFractions(record.state);
  const late = isLate(record, event);
  switch (event.type) {
    case 'purchase':
      updatePurchases(record, event);
      if (event.orderId !== undefined) record.lastOrderId = event.orderId;
      break;
    case 'return':
      for (const line of event.lines) {
        const item = record.items.get(line.itemId);
        if (item !== undefined) item.returnCount += 1;
      }
      break;
    case 'view':
    case 'addToCart':
      updateRecentViews(record.recentViews, event);
      break;
    case 'customerUpdated':
      record.attributes = mergeAttributes(record.attributes, event.attributes);
      break;
    case 'marketingContact':
      // Nobody who has unsubscribed may be written to because the CRM has not said so yet.
      if (event.outcome === 'unsubscribed')
        record.attributes = mergeAttributes(record.attributes, { consent: { [event.channel]: false } });
      break;
    default:
  }
  updateCategories(record.categories, event);
  updateOfferAnswers(record.offerAnswers, event);
  updateRatingLows(record.ratingLows, event);
  if (record.eventCount === 0 || event.occurredAt < record.firstAt) record.firstAt = event.occurredAt;
  if (!late) {
    record.lastAt = event.occurredAt;
    record.lastEventId = event.eventId;
  }
  record.eventCount += 1;
}

/**
 * Fractions (counts that fade, means, deviations) to sixteen bits, so that a record keeps them in three bytes: nearly five digits
 * are more than anything here is known to. After each event, not when the record is written: a record that was written and
 * read between two events is to be the one that a replay gives. Whole numbers (times, counts, money) stay as they are, and
 * so do fractions that somebody told.
 */
function roundFractions(state: Float64Array): void {
  for (let s = 0; s < state.length; s++) {
    const value = state[s]!;
    if (!Number.isInteger(value) && TOLD_SLOTS[s] === 0) state[s] = roundFraction(value);
  }
}

/** The features of a record at `now`, in the order of `FEATURE_NAMES`; all finite. */
export function featureVector(record: CustomerRecord, now: number): Float32Array {
  const vector = new Float32Array(FEATURE_NAMES.length);
  writeFeatures(record, now, vector, 0);
  return vector;
}

/** The same into `out[at …]`: a training set is one matrix, not a million small arrays. */
export function writeFeatures(record: CustomerRecord, now: number, out: Float32Array, at: number): void {
  for (let f = 0; f < FEATURES.length; f++)
    FEATURES[f]!.value(record.slices[f]!, now, out, at + FEATURE_OFFSETS[f]!.outputs, record);
}

function updatePurchases(record: CustomerRecord, event: ShopEvent): void {
  const at = event.occurredAt;
  for (const line of eventLines(event)) {
    const known = record.items.get(line.itemId);
    if (known === undefined) {
      record.items.set(line.itemId, {
        itemId: line.itemId,
        category: line.category ?? '',
        purchaseCount: 1,
        quantity: line.quantity,
        returnCount: 0,
        firstAt: at,
        lastAt: at,
      });
    } else {
      // An item in two lines of one order, or in two orders of one day, was bought once.
      if (!isSameErrand(known.lastAt, at)) known.purchaseCount += 1;
      known.quantity += line.quantity;
      known.category = line.category ?? known.category;
      known.firstAt = Math.min(known.firstAt, at);
      known.lastAt = Math.max(known.lastAt, at);
      // To the end: the map's order is that of the last purchase.
      record.items.delete(line.itemId);
      record.items.set(line.itemId, known);
    }
  }
  for (const itemId of record.items.keys()) {
    if (record.items.size <= purchasedItemsMax) break;
    record.items.delete(itemId);
  }
}

function updateRecentViews(recentViews: RecentView[], event: ShopEvent): void {
  const addedToCart = event.type === 'addToCart';
  for (const line of eventLines(event)) {
    const index = recentViews.findIndex((view) => view.itemId === line.itemId);
    const before = index === -1 ? undefined : recentViews.splice(index, 1)[0];
    recentViews.push({
      itemId: line.itemId,
      at: Math.max(before?.at ?? NEVER, event.occurredAt),
      addedToCart: addedToCart || before?.addedToCart === true,
    });
  }
  if (recentViews.length > recentViewsMax) recentViews.splice(0, recentViews.length - recentViewsMax);
}

export function mergeAttributes(known: CustomerAttributes, change: CustomerAttributes): CustomerAttributes {
  const merged = { ...known, ...change };
  if (known.consent !== undefined && change.consent !== undefined)
    merged.consent = { ...known.consent, ...change.consent };
  return merged;
}
