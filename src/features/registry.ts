/** Every feature, in the order of the vector. To add one: write its file, append it here, retrain. */
import { createHash } from 'node:crypto';
import { categoryFocus } from './category-focus.ts';
import { channelShares } from './channel-shares.ts';
import { community } from './community.ts';
import { complaints } from './complaints.ts';
import { contacts } from './contacts.ts';
import { deliveries } from './deliveries.ts';
import { discountShare } from './discount-share.ts';
import type { Feature, Range } from './feature.ts';
import { frequency } from './frequency.ts';
import { gapRhythm } from './gap-rhythm.ts';
import { lastOrderValue } from './last-order-value.ts';
import { loyaltyPoints } from './loyalty-points.ts';
import { loyaltyTier } from './loyalty-tier.ts';
import { marketingResponse } from './marketing-response.ts';
import { monetary } from './monetary.ts';
import { nps } from './nps.ts';
import { offerResponses } from './offer-responses.ts';
import { orderGaps } from './order-gaps.ts';
import { orderHistory } from './order-history.ts';
import { overdue } from './overdue.ts';
import { ratings } from './ratings.ts';
import { recency } from './recency.ts';
import { recentErrands } from './recent-errands.ts';
import { tenure } from './tenure.ts';
import { visits } from './visits.ts';

export const FEATURES: readonly Feature[] = [
  recency,
  frequency,
  monetary,
  tenure,
  orderGaps,
  overdue,
  categoryFocus,
  discountShare,
  channelShares,
  ratings,
  loyaltyTier,
  complaints,
  deliveries,
  visits,
  offerResponses,
  nps,
  loyaltyPoints,
  community,
  marketingResponse,
  orderHistory,
  recentErrands,
  gapRhythm,
  lastOrderValue,
  contacts,
];

/** Names of the vector's numbers, in its order. */
export const FEATURE_NAMES: readonly string[] = FEATURES.flatMap((feature) => feature.outputs);

/** What each of them may be, and whether it is known of everybody, also of whom nothing has been observed yet. */
export const FEATURE_RANGES: ReadonlyMap<string, { range: Range; alwaysKnown: boolean }> = new Map(
  FEATURES.flatMap(({ slots, outputs, ranges, init, unknown }: Feature) => {
    const state = new Float64Array(slots.length);
    init?.(state);
    const unknowns = unknown?.(state) ?? [];
    return outputs.map((name) => [
      name,
      { range: ranges?.[name] ?? ([0, Infinity] as const), alwaysKnown: !unknowns.includes(name) },
    ]);
  }),
);

/** Where each feature's slots begin in the state, and where its outputs begin in the vector. */
export const FEATURE_OFFSETS: readonly { slots: number; outputs: number }[] = offsets();

export const STATE_LENGTH = FEATURES.reduce((length, feature) => length + feature.slots.length, 0);

/** By slot: 1 = it is kept as it was told (`Feature.told`). */
export const TOLD_SLOTS: Uint8Array = Uint8Array.from(
  FEATURES.flatMap(({ slots, told = [] }: Feature) => slots.map((slot) => (told.includes(slot) ? 1 : 0))),
);

/** The state before the first event. */
export function emptyState(): Float64Array {
  const state = new Float64Array(STATE_LENGTH);
  for (const [f, { slots, init }] of FEATURES.entries()) {
    const start = FEATURE_OFFSETS[f]?.slots ?? 0;
    init?.(state.subarray(start, start + slots.length));
  }
  return state;
}

/** Raise it when a feature computes something else while its names stay: models that were trained on it are then refused. */
const COMPUTATION_VERSION = 3;

/** Names this set of features: 8 hex digits, part of a model's manifest. */
export const FEATURE_SCHEMA: string = shortHash([
  COMPUTATION_VERSION,
  FEATURES.map(({ name, slots, outputs }) => [name, slots, outputs]),
]);

/** Raise it when the record's layout changes, or what a variable part of it holds. */
const RECORD_LAYOUT = 7;

/**
 * Names the features and the layout of records: 8 hex digits, part of a record's key, so that a record of another layout is
 * absent and never misread. Apart from the features' own: models outlive a layout.
 */
export const RECORD_SCHEMA: string = shortHash([FEATURE_SCHEMA, RECORD_LAYOUT]);

function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}

function offsets(): { slots: number; outputs: number }[] {
  let slots = 0;
  let outputs = 0;
  return FEATURES.map((feature) => {
    const at = { slots, outputs };
    slots += feature.slots.length;
    outputs += feature.outputs.length;
    return at;
  });
}
