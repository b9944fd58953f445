/**
 * Offers as they were at an instant, as far as their budgets go by it: what was reserved then counts in the period that the
 * budget had then, whatever has become of the offer since. Pure.
 */
import type { Offer } from '../../domain/offer.ts';

/** `at` in milliseconds since 1970; `offer` undefined: deleted. */
export type OfferChange = { offerId: string; at: number; offer: Offer | undefined };

/** What a reservation depends on beside what the decision has logged. */
export type BudgetTermsThen = Pick<
  Offer,
  'budget' | 'validFrom' | 'validTo' | 'redeemWithinDays' | 'benefit'
>;

export type OfferTimeline = {
  /** Of one offer in the order of time; of several at one instant, the last counts. */
  add: (change: OfferChange) => void;
  /** As it is now; undefined: deleted, or never there. */
  latest: (offerId: string) => Offer | undefined;
  /** At the instant; before it was first saved, as it was saved first. undefined: deleted by then, or never there. */
  at: (offerId: string, instant: number) => BudgetTermsThen | undefined;
  /** Each offer that has had a budget at any time, as it was saved last. */
  everBudgeted: () => Offer[];
};

type Course = {
  /** Those that change the terms of the budget: a shop may save new texts every day for years. */
  changes: { at: number; terms: BudgetTermsThen | undefined; text: string }[];
  lastSaved: Offer | undefined;
  isDeleted: boolean;
};

export function createOfferTimeline(): OfferTimeline {
  const courses = new Map<string, Course>();
  return {
    add: ({ offerId, at, offer }) => {
      const course = courses.get(offerId) ?? { changes: [], lastSaved: undefined, isDeleted: false };
      courses.set(offerId, course);
      const terms = offer && termsOf(offer);
      const text = JSON.stringify(terms) ?? '';
      if (course.changes.at(-1)?.text !== text) course.changes.push({ at, terms, text });
      course.lastSaved = offer ?? course.lastSaved;
      course.isDeleted = offer === undefined;
    },
    latest: (offerId) => {
      const course = courses.get(offerId);
      return course?.isDeleted ? undefined : course?.lastSaved;
    },
    at: (offerId, instant) => {
      const all = courses.get(offerId)?.changes ?? [];
      return (all.findLast(({ at }) => at <= instant) ?? all[0])?.terms;
    },
    everBudgeted: () =>
      [...courses.values()].flatMap(({ changes: all, lastSaved }) =>
        lastSaved !== undefined && all.some(({ terms }) => terms?.budget !== undefined) ? [lastSaved] : [],
      ),
  };
}

function termsOf({ budget, validFrom, validTo, redeemWithinDays, benefit }: Offer): BudgetTermsThen {
  return { budget, validFrom, validTo, redeemWithinDays, benefit };
}
