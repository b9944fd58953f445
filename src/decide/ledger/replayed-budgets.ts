/**
 * What the budgets hold of one customer's decisions, step by step as offer-budget.ts would have done it, without a limit: what
 * was reserved is known to have been had. Pure.
 */
import { PAID_WHEN_MADE } from '../../domain/offer.ts';
import { type BudgetLimits, budgetLimits, budgetPeriod, validityOf } from '../../offers/budget-period.ts';
import { outUntil } from '../told-until.ts';
import { periodKeptMs } from './budget-scripts.ts';
import { reportingMs } from './contact-for.ts';
import { budgetCost } from './offer-budget.ts';
import type { BudgetTermsThen } from './offer-timeline.ts';

/**
 * What one offer's budget has of a decision. reserved: `costMinor` is out until `until`, and then paid where `isPaidWhenMade`.
 * confirmed: `costMinor` of the `toldMinor` that it has cost were reserved, and until `until` a repeat is known. late: the
 * same, told of when nothing was reserved any more; whether there is budget left for it, the budget knows. beyond: of a second
 * purchase, which takes none.
 */
export type ReplayedReservation = {
  offerId: string;
  id: string;
  /** Name of the period. */
  period: string;
  state: 'reserved' | 'confirmed' | 'late' | 'beyond';
  isPaidWhenMade?: boolean;
  /** Of the budget when it was told, where it is late. */
  limits?: BudgetLimits;
  costMinor: number;
  toldMinor: number;
  /** When it was reserved or told, in milliseconds since 1970, as is `until`. */
  at: number;
  until: number;
};

/** An offer's budget in force at an instant. */
export type BudgetThen = BudgetTermsThen & { budget: NonNullable<BudgetTermsThen['budget']> };

/** Of an offer, under the id of the decision that made it first. `at`: when. */
type Step = { offerId: string; id: string; at: number };

export type ReplayedBudgets = {
  /**
   * Made at the cost `costMinor`, until `redeemableUntil` (milliseconds since 1970; undefined: as long as it may be used). Made
   * again, and dearer, it is out at more.
   */
  reserve: (
    then: BudgetThen,
    step: Step & { costMinor: number; redeemableUntil: number | undefined },
  ) => void;
  /** Given back, where it is out. */
  free: (step: Step) => void;
  /** Has cost so much; `decidedAt` finds the period where nothing is reserved. Repeats until `until` change nothing. */
  confirm: (then: BudgetThen, step: Settled) => void;
  /** Likewise of what has been redeemed already, which takes none of the budget. */
  confirmBeyond: (then: BudgetThen, step: Settled) => void;
  /** What is in force at the instant. */
  inForceAt: (at: number) => ReplayedReservation[];
};

type Settled = Step & { toldMinor: number; decidedAt: number; until: number };

export function replayedBudgets(): ReplayedBudgets {
  const reservations = new Map<string, ReplayedReservation>();

  function inForce(key: string, at: number): ReplayedReservation | undefined {
    const reservation = reservations.get(key);
    if (reservation?.state !== 'reserved' || reservation.until > at) return reservation;
    return reservation.isPaidWhenMade ? paid(reservation) : undefined;
  }

  return {
    reserve(then, { offerId, id, at, costMinor, redeemableUntil }) {
      const key = keyOf(offerId, id);
      const before = inForce(key, at);
      if (before !== undefined) {
        // Made again, and dearer: it was made because there was budget for the rest.
        if (before.state === 'reserved' && costMinor > before.costMinor)
          reservations.set(key, { ...before, costMinor });
        return;
      }
      reservations.set(key, {
        offerId,
        id,
        period: periodOf(then, at),
        state: 'reserved',
        ...(PAID_WHEN_MADE.has(then.benefit.kind) && { isPaidWhenMade: true }),
        costMinor,
        toldMinor: 0,
        at,
        until: (redeemableUntil ?? outUntil(then, at)) + reportingMs,
      });
    },

    free({ offerId, id, at }) {
      const key = keyOf(offerId, id);
      if (inForce(key, at)?.state === 'reserved') reservations.delete(key);
    },

    confirm(then, { offerId, id, at, toldMinor, decidedAt, until }) {
      const key = keyOf(offerId, id);
      const before = inForce(key, at);
      const told = budgetCost(toldMinor);
      if (before === undefined) {
        const settled = settledOf(then, { offerId, id, at, toldMinor, decidedAt, until });
        reservations.set(key, { ...settled, state: 'late', limits: budgetLimits(then.budget) });
      } else if (before.state === 'reserved') {
        const costMinor = Math.min(told, before.costMinor);
        reservations.set(key, { ...before, state: 'confirmed', costMinor, toldMinor: told, at, until });
      }
    },

    confirmBeyond(then, settled) {
      const key = keyOf(settled.offerId, settled.id);
      if (!reservations.has(key)) reservations.set(key, { ...settledOf(then, settled), state: 'beyond' });
    },

    inForceAt: (at) => [...reservations.keys()].flatMap((key) => inForce(key, at) ?? []),
  };
}

function keyOf(offerId: string, id: string): string {
  return `${offerId} ${id}`;
}

function periodOf(then: BudgetThen, at: number): string {
  return budgetPeriod(then.budget, validityOf(then), at).name;
}

/** With nothing reserved. */
function settledOf(
  then: BudgetThen,
  { offerId, id, at, toldMinor, decidedAt, until }: Settled,
): Omit<ReplayedReservation, 'state'> {
  const cost = budgetCost(toldMinor);
  return { offerId, id, period: periodOf(then, decidedAt), costMinor: cost, toldMinor: cost, at, until };
}

/** As the ledger has it once the time in which it could be told of is over. */
function paid(reservation: ReplayedReservation): ReplayedReservation {
  const { costMinor, until } = reservation;
  return { ...reservation, state: 'confirmed', toldMinor: costMinor, until: until + periodKeptMs };
}
