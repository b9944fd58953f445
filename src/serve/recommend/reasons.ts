/** Why an item is recommended, in words that a clerk can say. */
import { z } from 'zod';
import type { Source } from './scenarios.ts';

const REASON_CODES = [
  'buy-again',
  'bought-together',
  'similar',
  'bought-by-others',
  'similar-taste',
  'popular',
  'in-catalogue',
] as const;

export const Reason = z
  .object({
    code: z.enum(REASON_CODES),
    text: z.string().min(1),
    /** The item that led to it. */
    itemId: z.string().optional(),
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
};

export function reasonOf(source: Source, evidence: Evidence, nameOf: (itemId: string) => string): Reason {
  const { because } = evidence;
  const about = because === undefined ? {} : { itemId: because };
  const name = because === undefined ? undefined : nameOf(because);
  switch (source) {
    case 'buyAgain':
      return { code: 'buy-again', text: buyAgainText(evidence.usualGap) };
    case 'boughtTogether':
      return {
        code: 'bought-together',
        text: `often bought together with ${name ?? 'what you chose'}`,
        ...about,
      };
    case 'similar':
      return { code: 'similar', text: `similar to ${name ?? 'what you chose'}`, ...about };
    case 'neighbours':
      return {
        code: 'bought-by-others',
        text: `customers who bought ${name ?? 'what you bought'} buy it too`,
        ...about,
      };
    case 'ials':
      return { code: 'similar-taste', text: 'customers with similar taste buy it' };
    case 'popularity':
      return {
        code: 'popular',
        text: evidence.segment === '' ? 'popular with our customers' : `popular in ${evidence.segment}`,
      };
    case 'catalogue':
      return { code: 'in-catalogue', text: 'in our range and available now' };
  }
}

function buyAgainText(usualGap: Evidence['usualGap']): string {
  if (usualGap === undefined) return 'you have bought it before';
  const days = Math.round(usualGap.days);
  const every = days <= 1 ? 'every day' : `every ${days} days`;
  return usualGap.personal
    ? `you usually buy it ${every}`
    : `you have bought it, and customers usually buy it again ${days <= 1 ? 'the next day' : `after ${days} days`}`;
}
