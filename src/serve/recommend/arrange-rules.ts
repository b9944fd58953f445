/** What a shop may say of how a ranked list is arranged: configuration of a scenario, each field with its default. */

import { z } from 'zod';
import { ItemId } from '../../domain/ids.ts';
import { dayMs } from '../../domain/time.ts';

const instant = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-12-01T00:00:00Z' })
  .transform((text) => Date.parse(text));

/** When a rule holds; always where neither end is given. `until` itself is outside. */
const validity = { from: instant.optional(), until: instant.optional() };
export type Validity = { from?: number | undefined; until?: number | undefined };

/** A rule that can never hold is a slip of the pen. */
const isEverInForce = ({ from, until }: Validity) =>
  from === undefined || until === undefined || from < until;
const neverInForce = { path: ['until'], error: 'must be later than from' };

const itemIds = z
  .array(ItemId)
  .max(10_000)
  .transform((ids): ReadonlySet<string> => new Set(ids));
const names = z
  .array(z.string().min(1).max(200))
  .max(1000)
  .transform((list): ReadonlySet<string> => new Set(list));
const share = z.number().min(0).max(1);

/** Below 1: a share of the list, rounded up. From 1 on: that many items. */
const cap = z
  .number()
  .positive()
  .max(100)
  .refine((value) => value < 1 || Number.isInteger(value), 'must be a share below 1 or a whole number');

export const Diversity = z.strictObject({
  /**
   * λ of maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): each place goes to the item of the greatest
   * λ · relevance − (1 − λ) · likeness to what stands above it. 1: relevance alone.
   */
  lambda: share.default(1),
  /** Items of one category. Absent: any number. Not heeded where one category was asked for. */
  maxPerCategory: cap.optional(),
  /** Items of one brand. Absent: any number. */
  maxPerBrand: cap.optional(),
  /** true: rather fewer items than asked for than one above these numbers. */
  strict: z.boolean().default(false),
});
export type Diversity = z.output<typeof Diversity>;

export const Rotation = z.strictObject({
  /** How long a list stays as it is. */
  everyHours: z.number().min(1).max(8760).default(24),
  /** So many first places are never exchanged. */
  keepTop: z.int().min(0).max(100).default(3),
  /** How much chance: at T, an item is e^(1/T) times as likely as one of a score e times lower to come first. */
  temperature: z.number().positive().max(10).default(0.1),
  /** A place goes only to items whose score is at most this share below the best one's left. */
  maxLoss: share.default(0.2),
});
export type Rotation = z.output<typeof Rotation>;

/** All of the conditions that are given must hold; at least one must be. */
const conditions = {
  categories: names.optional(),
  brands: names.optional(),
  itemIds: itemIds.optional(),
  /** Margin over price. Items of unknown margin match neither. */
  minMarginShare: z.number().optional(),
  maxMarginShare: z.number().optional(),
};
const CONDITIONS = Object.keys(conditions) as (keyof typeof conditions)[];

export const Boost = z
  .strictObject({
    ...conditions,
    /** The score is multiplied by it: above 1 lifts, below 1 buries, 0 puts last. */
    factor: z.number().min(0).max(1000),
    ...validity,
  })
  .refine(
    (boost) => CONDITIONS.some((name) => boost[name] !== undefined),
    `needs one of: ${CONDITIONS.join(', ')}`,
  )
  .refine(isEverInForce, neverInForce);
export type Boost = z.output<typeof Boost>;

export const Pin = z
  .strictObject({
    itemId: ItemId,
    /** Place in the list, from 1. Two pins for one place: the first stands there, the next one below. */
    position: z.int().min(1).max(100),
    ...validity,
  })
  .refine(isEverInForce, neverInForce);
export type Pin = z.output<typeof Pin>;

export const Exclusions = z.strictObject({
  categories: names.default(() => new Set<string>()),
  brands: names.default(() => new Set<string>()),
  itemIds: itemIds.default(() => new Set<string>()),
});
export type Exclusions = z.output<typeof Exclusions>;

export const NewItems = z.strictObject({
  /** Of the places of a list, at most this share is for items that nobody has bought yet, in categories that interest the customer. */
  share: z.number().min(0).max(0.5).default(0.1),
  /** How long after its `addedAt` an item counts as new. One without `addedAt` does until it is sold. */
  withinDays: z.number().positive().max(3650).default(90),
});
export type NewItems = z.output<typeof NewItems>;

/** Does a rule hold at `now` (milliseconds since 1970)? */
export function isInForce({ from, until }: Validity, now: number): boolean {
  return (from === undefined || now >= from) && (until === undefined || now < until);
}

/** Days that an item counts as new are counted in these. */
export function isRecent(addedAt: string | undefined, withinDays: number, now: number): boolean {
  return now < recentUntil(addedAt, withinDays);
}

/** Until when it counts as new: milliseconds since 1970. */
export function recentUntil(addedAt: string | undefined, withinDays: number): number {
  return addedAt === undefined ? Infinity : Date.parse(addedAt) + withinDays * dayMs;
}
