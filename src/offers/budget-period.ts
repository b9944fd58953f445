/** Which period of an offer's budget an instant is in, and how much of the budget may be out by then. */
import type { Offer } from '../domain/offer.ts';
import { dayMs } from '../domain/time.ts';

export type BudgetTerms = {
  /** Most that the offer may cost in a period, in minor units; absent = without such a limit. */
  amountMinor?: number | undefined;
  /** Most times that it may be redeemed, or be out to be redeemed. */
  count?: number | undefined;
  /** `total` is the whole life of the offer; days, weeks (from Monday) and months begin at midnight UTC. */
  period: 'total' | 'day' | 'week' | 'month';
  /** `even`: by an instant, no more than the share of the period that has passed. */
  pacing: 'none' | 'even';
};

/** Of the offer: bounds of the period `total`, in milliseconds since 1970. */
export type Validity = { validFrom?: number | undefined; validTo?: number | undefined };

export function validityOf({ validFrom, validTo }: Pick<Offer, 'validFrom' | 'validTo'>): Validity {
  const instant = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  return { validFrom: instant(validFrom), validTo: instant(validTo) };
}

export type BudgetPeriod = {
  /** `total`, or the first day of a day, week or month: `week:2026-11-23`. */
  name: string;
  /** Milliseconds since 1970; -Infinity and Infinity = not bounded. */
  startsAt: number;
  endsAt: number;
};

/** What may be out and spent together; Infinity = without limit. Whole numbers else. */
export type BudgetLimits = { amountMinor: number; count: number };

export function budgetPeriod({ period }: BudgetTerms, validity: Validity, now: number): BudgetPeriod {
  if (period === 'total')
    return {
      name: 'total',
      startsAt: validity.validFrom ?? Number.NEGATIVE_INFINITY,
      endsAt: validity.validTo ?? Number.POSITIVE_INFINITY,
    };
  const { startsAt, endsAt } = period === 'month' ? monthOf(now) : daysOf(now, period === 'week' ? 7 : 1);
  return { name: `${period}:${new Date(startsAt).toISOString().slice(0, 10)}`, startsAt, endsAt };
}

/** The period of that name; undefined: no period has it. */
export function periodNamed(name: string, validity: Validity): BudgetPeriod | undefined {
  const [, period, day] = /^(day|week|month):(\d{4}-\d{2}-\d{2})$/.exec(name) ?? [];
  const at = name === 'total' ? 0 : Date.parse(day ?? '');
  if (Number.isNaN(at)) return undefined;
  const terms = { period: (period ?? 'total') as BudgetTerms['period'], pacing: 'none' as const };
  const found = budgetPeriod(terms, validity, at);
  return found.name === name ? found : undefined;
}

export function budgetLimits({ amountMinor, count }: BudgetTerms): BudgetLimits {
  return {
    amountMinor: amountMinor ?? Number.POSITIVE_INFINITY,
    count: count ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * The same by an instant of the period: with pacing `even`, budget × (now − start) / (end − start), rounded down. A period
 * without both ends has no pace.
 */
export function pacedLimits(
  terms: BudgetTerms,
  { startsAt, endsAt }: BudgetPeriod,
  now: number,
): BudgetLimits {
  const { amountMinor, count } = budgetLimits(terms);
  if (terms.pacing === 'none' || !Number.isFinite(startsAt) || !Number.isFinite(endsAt) || endsAt <= startsAt)
    return { amountMinor, count };
  const share = Math.min(1, Math.max(0, (now - startsAt) / (endsAt - startsAt)));
  return {
    amountMinor: Number.isFinite(amountMinor) ? Math.floor(amountMinor * share) : amountMinor,
    count: Number.isFinite(count) ? Math.floor(count * share) : count,
  };
}

/** Of a period, at least this share counts as passed: the first offer of a day is no stampede. */
const leastShare = 0.05;

/**
 * How fast a budget goes: the share of it that is out or spent ÷ the share of the period that has passed, of money or count
 * the greater. 1 = used up just when the period ends; 2 = by half of it. 0 for a period without both ends.
 */
export function burnRate(
  terms: BudgetTerms,
  { startsAt, endsAt }: BudgetPeriod,
  used: { amountMinor: number; count: number },
  now: number,
): number {
  if (!Number.isFinite(startsAt) || !Number.isFinite(endsAt) || endsAt <= startsAt) return 0;
  const { amountMinor, count } = budgetLimits(terms);
  const share = Math.max(shareUsed(used.amountMinor, amountMinor), shareUsed(used.count, count));
  return share / Math.max(leastShare, Math.min(1, (now - startsAt) / (endsAt - startsAt)));
}

/** A budget of nothing is not used by nothing. */
function shareUsed(used: number, limit: number): number {
  return used === 0 ? 0 : used / limit;
}

/** The first of January 1970 was a Thursday: weeks are reckoned from the Monday before. */
function daysOf(now: number, days: number): { startsAt: number; endsAt: number } {
  const offset = days === 7 ? 3 : 0;
  const day = Math.floor(now / dayMs);
  const startsAt = (Math.floor((day + offset) / days) * days - offset) * dayMs;
  return { startsAt, endsAt: startsAt + days * dayMs };
}

function monthOf(now: number): { startsAt: number; endsAt: number } {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { startsAt: Date.UTC(year, month), endsAt: Date.UTC(year, month + 1) };
}
