/** Why an item is recommended, in words that a clerk can say. */
import { z } from 'zod';
import type { Source } from './scenarios.ts';

/** Stable: shops match on them. docs/api.md says what each means. */
const REASON_CODES = [
  'buyAgain',
  'boughtTogether',
  'similar',
  'alsoBought',
  'peopleLikeYou',
  'popular',
  'trending',
  'newInCategory',
  'promoted',
  'pinned',
  'available',
] as const;

export const Reason = z
  .object({
    code: z.enum(REASON_CODES),
    text: z.string().min(1),
    /** boughtTogether, similar, alsoBought: the item that led to it. */
    itemId: z.string().optional(),
    /** buyAgain: days from one purchase of it to the next, by the customer's habit or, where it was bought once, everybody's. */
    usualGapDays: z.number().optional(),
    /** popular: the market segment whose sales were counted; absent: everybody's. */
    segment: z.string().optional(),
    /** newInCategory. */
    category: z.string().optional(),
  })
  .meta({ id: 'Reason' });
export type Reason = z.output<typeof Reason>;

/** What is known of why. */
export type Evidence = {
  /** The item that led to it: in the basket, on the page, or bought before. */
  because?: string | undefined;
  /** Days between two purchases: the customer's own habit (`personal`), or the item's where it was bought once. */
  usualGap?: { days: number; personal: boolean } | undefined;
  /** Market whose popularity was used; '' = everybody's. */
  segment: string;
  /** Its share of what sells has at least doubled lately. */
  isRising?: boolean;
};

/** `category` is that of the item itself; '' = unknown. */
export function reasonOf(
  source: Source,
  evidence: Evidence,
  nameOf: (itemId: string) => string,
  category = '',
): Reason {
  const { because, usualGap, segment } = evidence;
  const about = because === undefined ? {} : { itemId: because };
  const name = because === undefined ? undefined : nameOf(because);
  switch (source) {
    case 'buyAgain':
      return {
        code: 'buyAgain',
        text: buyAgainText(usualGap),
        ...(usualGap !== undefined && { usualGapDays: Math.round(10 * usualGap.days) / 10 }),
      };
    case 'boughtTogether':
      return {
        code: 'boughtTogether',
        text: `often bought together with ${name ?? 'what you chose'}`,
        ...about,
      };
    case 'similar':
      return { code: 'similar', text: `similar to ${name ?? 'what you chose'}`, ...about };
    case 'neighbours':
    case 'ease':
      return {
        code: 'alsoBought',
        text: `customers who bought ${name ?? 'what you bought'} buy it too`,
        ...about,
      };
    case 'customers':
      return { code: 'peopleLikeYou', text: 'people who shop as you do buy it' };
    case 'ials':
      return { code: 'peopleLikeYou', text: 'people with your taste buy it' };
    case 'popularity':
      if (evidence.isRising) return { code: 'trending', text: 'in demand: it sells much better than it did' };
      return segment === ''
        ? { code: 'popular', text: 'popular with our customers' }
        : { code: 'popular', text: `popular in ${segment}`, segment };
    case 'newInCategory':
      return category
        ? { code: 'newInCategory', text: `new in ${category}`, category }
        : { code: 'newInCategory', text: 'new in our range' };
    case 'pinned':
      return { code: 'pinned', text: 'our pick for this page' };
    case 'catalogue':
      return { code: 'available', text: 'in our range and available now' };
  }
}

const reasonsMax = 3;
/** A source that added less than this share of what the loudest did is no reason. */
export const reasonFromShare = 0.1;

/** At most three, of the loud ones in their order; two sources that mean the same of the same item are one reason. */
export function reasonsOf(
  voices: readonly { source: Source; share: number; evidence: Evidence }[],
  nameOf: (itemId: string) => string,
  category: string,
): Reason[] {
  const reasons: Reason[] = [];
  const least = reasonFromShare * (voices[0]?.share ?? 0);
  for (const { source, share, evidence } of voices) {
    if (share < least) continue;
    const reason = reasonOf(source, evidence, nameOf, category);
    if (!reasons.some(({ code, itemId }) => code === reason.code && itemId === reason.itemId))
      reasons.push(reason);
    if (reasons.length === reasonsMax) break;
  }
  return reasons;
}

/** Of an item that the shop's own boosts put further up. */
export const promotedReason: Reason = { code: 'promoted', text: 'recommended by us at the moment' };

function buyAgainText(usualGap: Evidence['usualGap']): string {
  if (usualGap === undefined) return 'you have bought it before';
  const days = Math.round(usualGap.days);
  const every = days <= 1 ? 'every day' : `every ${days} days`;
  return usualGap.personal
    ? `you usually buy it ${every}`
    : `you have bought it, and customers usually buy it again ${days <= 1 ? 'the next day' : `after ${days} days`}`;
}
