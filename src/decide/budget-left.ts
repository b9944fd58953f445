/** What is left of an offer's budget, in the words of the API. */
import type { Offer } from '../domain/offer.ts';
import {
  type BudgetLimits,
  budgetLimits,
  budgetPeriod,
  pacedLimits,
  validityOf,
} from '../offers/budget-period.ts';
import type { BudgetState } from './ledger/offer-budget.ts';

type Sum = { amountMinor: number; count: number };
/** null: without such a limit. */
type Left = { amountMinor: number | null; count: number | null };

export type BudgetLeft = {
  period: string;
  reserved: Sum;
  confirmed: Sum;
  unbudgeted: Sum;
  /** In the period, and what of it may be reserved by now. */
  remains: Left;
  availableNow: Left;
};

/** `now` in milliseconds since 1970. A budget that was lowered below what is out has nothing left. */
export function budgetLeft(offer: Offer, state: BudgetState, now: number): BudgetLeft {
  const budget = offer.budget ?? { period: 'total' as const, pacing: 'none' as const };
  const minor = state.reservedMinor + state.confirmedMinor;
  const count = state.reservedCount + state.confirmedCount;
  const leftOf = (limits: BudgetLimits): Left => ({
    amountMinor: Number.isFinite(limits.amountMinor) ? Math.max(0, limits.amountMinor - minor) : null,
    count: Number.isFinite(limits.count) ? Math.max(0, limits.count - count) : null,
  });
  return {
    period: state.period,
    reserved: { amountMinor: state.reservedMinor, count: state.reservedCount },
    confirmed: { amountMinor: state.confirmedMinor, count: state.confirmedCount },
    unbudgeted: { amountMinor: state.unbudgetedMinor, count: state.unbudgetedCount },
    remains: leftOf(budgetLimits(budget)),
    // The first of a period does not wait for its pace.
    availableNow: leftOf(
      minor === 0 && count === 0
        ? budgetLimits(budget)
        : pacedLimits(budget, budgetPeriod(budget, validityOf(offer), now), now),
    ),
  };
}
