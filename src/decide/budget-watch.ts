/**
 * Which offers' budgets are used up, as far as this process knows: looked at before offers compete, so that what cannot be had
 * is not even drawn. The ledger has the last word.
 */
import type { BudgetLevel } from '../domain/decision.ts';
import type { Offer } from '../domain/offer.ts';
import { budgetLimits, budgetPeriod, burnRate, pacedLimits, validityOf } from '../offers/budget-period.ts';
import type { Economics } from '../offers/cost.ts';
import { reservedCostMinor } from '../offers/reserved-cost.ts';
import { budgetLeft } from './budget-left.ts';
import type { BudgetLedger, BudgetState } from './ledger/offer-budget.ts';

export type BudgetReason = 'budget-exhausted' | 'budget-paced';

export type BudgetWatch = {
  /** Reads the states where they are old. Rejects when Redis is away. */
  refresh: (offers: Iterable<Offer>) => Promise<void>;
  /** By the states that were read last; undefined for an offer without a budget, or of which nothing is known. */
  reasonFor: (offer: Offer) => BudgetReason | undefined;
  /** The state that was read last, for the log; undefined: nothing is known. */
  levelOf: (offerId: string) => BudgetLevel | undefined;
  /** The ledger has refused the offer: it counts as that until the next reading. */
  refused: (offerId: string, reason: BudgetReason) => void;
  /** Of offers with a budget: how many bear another offer, and how many do not. */
  counts: () => Record<'open' | 'paced' | 'exhausted', number>;
  /** Of the budget that goes the fastest (`burnRate`); undefined where no offer has one. */
  greatestBurnRate: () => number | undefined;
};

/** As old as states may be; with very many budgets, as old as it takes for the reading to be a small part of the work. */
const maxAgeMs = 1000;
const maxAgeMsPerBudget = 5;

export function createBudgetWatch(
  ledger: Pick<BudgetLedger, 'state'>,
  economics: Economics,
  now: () => number,
): BudgetWatch {
  let states = new Map<string, { offer: Offer; state: BudgetState }>();
  const refusals = new Map<string, BudgetReason>();
  /** Worked out once a reading: a list asks for each again with every customer. */
  const levels = new Map<string, BudgetLevel>();
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function read(offers: Iterable<Offer>): Promise<void> {
    const startedAt = now();
    const budgeted = [...offers].filter(({ budget, validTo }) => budget && !isOver(validTo, startedAt));
    const read = await Promise.all(budgeted.map((offer) => ledger.state(offer, startedAt)));
    states = new Map(
      budgeted.flatMap((offer, i) => {
        const state = read[i];
        return state === undefined ? [] : [[offer.offerId, { offer, state }]];
      }),
    );
    refusals.clear();
    levels.clear();
    readAt = startedAt;
  }

  function reasonFor(offer: Offer): BudgetReason | undefined {
    if (offer.budget === undefined) return undefined;
    return refusals.get(offer.offerId) ?? reasonBy(states.get(offer.offerId)?.state, offer, economics, now());
  }

  function levelOf(offerId: string): BudgetLevel | undefined {
    const known = states.get(offerId);
    if (known === undefined) return undefined;
    const told = levels.get(offerId);
    if (told !== undefined) return told;
    const { offer, state } = known;
    const { period, remains, availableNow } = budgetLeft(offer, state, readAt);
    const level: BudgetLevel = {
      offerId: offer.offerId,
      at: new Date(readAt).toISOString(),
      period,
      remains,
      availableNow,
      ...(refusals.has(offerId) && { refusedSince: true as const }),
    };
    levels.set(offerId, level);
    return level;
  }

  return {
    refresh: async (offers) => {
      if (now() - readAt < Math.max(maxAgeMs, maxAgeMsPerBudget * states.size)) return;
      reading ??= read(offers).finally(() => {
        reading = undefined;
      });
      await reading;
    },
    reasonFor,
    levelOf,
    refused: (offerId, reason) => {
      refusals.set(offerId, reason);
      levels.delete(offerId);
    },
    counts: () => {
      const counts = { open: 0, paced: 0, exhausted: 0 };
      for (const { offer } of states.values()) {
        const reason = reasonFor(offer);
        counts[reason === undefined ? 'open' : reason === 'budget-paced' ? 'paced' : 'exhausted']++;
      }
      return counts;
    },
    greatestBurnRate: () =>
      states.size === 0
        ? undefined
        : Math.max(...[...states.values()].map(({ offer, state }) => burnRateBy(state, offer, now()))),
  };
}

/** Would the ledger reserve another offer of it? */
function reasonBy(
  state: BudgetState | undefined,
  offer: Offer,
  economics: Economics,
  now: number,
): BudgetReason | undefined {
  if (state === undefined || offer.budget === undefined) return undefined;
  const period = budgetPeriod(offer.budget, validityOf(offer), now);
  const { amountMinor: minor, count } = usedIn(period.name, state);
  const cost = reservedCostMinor(offer.benefit, economics);
  const isBeyond = (limits: { amountMinor: number; count: number }) =>
    minor + cost > limits.amountMinor || count + 1 > limits.count;
  if (isBeyond(budgetLimits(offer.budget))) return 'budget-exhausted';
  // The first of a period does not wait for its pace.
  if (minor === 0 && count === 0) return undefined;
  return isBeyond(pacedLimits(offer.budget, period, now)) ? 'budget-paced' : undefined;
}

function burnRateBy(state: BudgetState, { budget, ...offer }: Offer, now: number): number {
  if (budget === undefined) return 0;
  const period = budgetPeriod(budget, validityOf(offer), now);
  return burnRate(budget, period, usedIn(period.name, state), now);
}

/** Out and spent. Where another period has begun since the state was read, nothing of it is yet. */
function usedIn(period: string, state: BudgetState): { amountMinor: number; count: number } {
  if (period !== state.period) return { amountMinor: 0, count: 0 };
  return {
    amountMinor: state.reservedMinor + state.confirmedMinor,
    count: state.reservedCount + state.confirmedCount,
  };
}

function isOver(validTo: string | undefined, now: number): boolean {
  return validTo !== undefined && Date.parse(validTo) <= now;
}
