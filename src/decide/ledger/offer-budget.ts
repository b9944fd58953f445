/**
 * What an offer may cost, kept so that it holds whoever decides at once, and whoever is killed in between. Whoever makes an
 * offer reserves the most that it can cost; a redemption confirms what it did cost, a dismissal releases it, and what nobody
 * tells of lapses; but what is paid when it is made is then taken to have been made. Each step is one script on the offer's own
 * keys, so that at every instant
 *
 *   confirmed + reserved ≤ budget        in money and in number, in each period of the budget.
 */
import { moneyMaxMinor } from '../../domain/money.ts';
import { type Benefit, type Offer, PAID_WHEN_MADE } from '../../domain/offer.ts';
import type { Keys } from '../../infra/keys.ts';
import { inOrder, type ScriptValue } from '../../infra/named-script.ts';
import type { Redis } from '../../infra/redis.ts';
import {
  type BudgetPeriod,
  budgetLimits,
  budgetPeriod,
  pacedLimits,
  validityOf,
} from '../../offers/budget-period.ts';
import { letterOf } from './budget-entry.ts';
import {
  confirmScript,
  forgetScript,
  moreDue,
  moveScript,
  noLimit,
  periodKeptMs,
  releaseScript,
  reserveInputs,
  reserveScript,
  stateScript,
} from './budget-scripts.ts';

/** As much of an offer as its budget depends on. */
export type BudgetedOffer = Pick<Offer, 'offerId' | 'budget' | 'validFrom' | 'validTo'> & {
  benefit?: Pick<Benefit, 'kind'>;
};

export type Reservation = {
  /** The same id reserves once, however often it is sent; at a higher cost, it takes what is more. */
  id: string;
  /** The most that it can cost, whole minor units. */
  costMinor: number;
};

/** `exhausted`: all of it is out or spent. `paced`: all that may be by now is. */
export type Reserved = 'reserved' | 'exhausted' | 'paced';

/**
 * `unbudgeted`: the reservation had lapsed and nothing was left. The customer has had the offer, so that it is counted, apart
 * from the budget.
 */
export type Confirmed = 'confirmed' | 'repeated' | 'unbudgeted';

export type BudgetState = {
  period: string;
  reservedMinor: number;
  reservedCount: number;
  confirmedMinor: number;
  confirmedCount: number;
  unbudgetedMinor: number;
  unbudgetedCount: number;
};

export type BudgetLedger = {
  /**
   * Of one offer, in the order given; at most `reservationsMax` at once. Reserved until `expiresAt`. Where there is not enough
   * for the higher cost of one that is reserved, that is refused and the reservation stays as it was.
   */
  reserve: (
    offer: BudgetedOffer,
    reservations: readonly Reservation[],
    expiresAt: number,
    now: number,
  ) => Promise<Reserved[]>;
  /**
   * What a script that reserves beside something else wants (`reserveLua`); undefined: the offer has no budget, and nothing is
   * to be reserved.
   */
  prepare: (...wanted: Parameters<BudgetLedger['reserve']>) => PreparedReserve | undefined;
  /**
   * A redemption at this cost. `decidedAt` finds the period where the reservation has lapsed. `isBeyond`: of what has been paid
   * for already, so that it takes none of the budget and is `unbudgeted`. Repeats before `knownUntil` change nothing.
   */
  confirm: (
    offer: BudgetedOffer,
    redeemed: { id: string; costMinor: number; decidedAt: number; knownUntil: number; isBeyond?: boolean },
    now: number,
  ) => Promise<Confirmed>;
  /** Gives back what was not redeemed; what is not reserved stays as it is. */
  release: (offerId: string, id: string, now: number) => Promise<void>;
  /**
   * A redemption that was confirmed under `id` is that of `other`, whose reservation is given back: a repeat of either is then told
   * under `other`.
   */
  move: (offerId: string, id: string, other: string, now: number) => Promise<void>;
  /** Forgets these ids: what is reserved is given back, what was spent stays in the sums. Answers how many there were. */
  forget: (offerId: string, ids: readonly string[], now: number) => Promise<number>;
  /** Of the period that `now` is in. What has lapsed is given back first. */
  state: (offer: BudgetedOffer, now: number) => Promise<BudgetState>;
};

/** `reserved`: of the script's answers; undefined: it is to be run again. */
export type PreparedReserve = {
  keys: string[];
  args: ScriptValue[];
  reserved: (answers: readonly number[]) => Reserved[] | undefined;
};

export const reservationsMax = 500;

export function createBudgetLedger(redis: Redis, keys: Keys): BudgetLedger {
  const ledgerOf = (offerId: string, now: number) => ({
    entries: keys.budgetReservations(offerId),
    dueTimes: keys.budgetDue(offerId),
    now,
    periodKeys: keys.budgetPeriods(offerId),
  });

  const prepare: BudgetLedger['prepare'] = (offer, reservations, expiresAt, now) => {
    const { budget, offerId, benefit } = offer;
    if (budget === undefined) return undefined;
    if (reservations.length > reservationsMax)
      throw new RangeError(`at most ${reservationsMax} reservations at once, not ${reservations.length}`);
    const period = periodOf(offer, now);
    const limits = budgetLimits(budget);
    const paced = pacedLimits(budget, period, now);
    const given = {
      ...ledgerOf(offerId, now),
      period: period.name,
      expiresAt,
      keepUntil: keptUntil(period, expiresAt),
      limitMinor: limitOf(limits.amountMinor),
      limitCount: limitOf(limits.count),
      pacedMinor: limitOf(paced.amountMinor),
      pacedCount: limitOf(paced.count),
      stateLetter: letterOf(
        benefit !== undefined && PAID_WHEN_MADE.has(benefit.kind) ? 'payable' : 'reserved',
      ),
    };
    const each = reservations.flatMap(({ id, costMinor }) => [id, budgetCost(costMinor)]);
    return { ...inOrder(reserveInputs, given, each), reserved: reservedOf };
  };

  return {
    async reserve(offer, reservations, expiresAt, now) {
      const prepared = prepare(offer, reservations, expiresAt, now);
      if (prepared === undefined) return reservations.map(() => 'reserved');
      if (reservations.length === 0) return [];
      let outcomes: Reserved[] | undefined;
      do {
        const answers = await reserveScript(redis, prepared.keys, prepared.args);
        outcomes = prepared.reserved(answers as number[]);
      } while (outcomes === undefined);
      return outcomes;
    },
    prepare,

    async confirm(offer, { id, costMinor, decidedAt, knownUntil, isBeyond = false }, now) {
      const { budget, offerId } = offer;
      // Without a budget nothing was reserved; one that was taken away since has left nothing to hold to.
      if (budget === undefined) return 'confirmed';
      const period = periodOf(offer, decidedAt);
      const limits = isBeyond ? { amountMinor: 0, count: 0 } : budgetLimits(budget);
      const answer = await confirmScript(redis, {
        ...ledgerOf(offerId, now),
        period: period.name,
        id,
        cost: budgetCost(costMinor),
        limitMinor: limitOf(limits.amountMinor),
        limitCount: limitOf(limits.count),
        knownUntil,
        keepUntil: keptUntil(period, Math.max(now, knownUntil)),
      });
      return answer === 2 ? 'repeated' : answer === 1 ? 'confirmed' : 'unbudgeted';
    },

    async release(offerId, id, now) {
      await releaseScript(redis, { ...ledgerOf(offerId, now), id });
    },

    async move(offerId, id, other, now) {
      await moveScript(redis, { ...ledgerOf(offerId, now), id, other });
    },

    async forget(offerId, ids, now) {
      let known = 0;
      for (let start = 0; start < ids.length; start += reservationsMax) {
        const some = ids.slice(start, start + reservationsMax);
        known += Number(await forgetScript(redis, ledgerOf(offerId, now), some));
      }
      return known;
    },

    async state(offer, now) {
      const period = periodOf(offer, now).name;
      let reply: Buffer[] | typeof moreDue;
      do
        reply = (await stateScript(redis, { ...ledgerOf(offer.offerId, now), period })) as
          | Buffer[]
          | typeof moreDue;
      while (reply === moreDue);
      const fields = new Map<string, number>();
      for (let at = 0; at + 1 < reply.length; at += 2) fields.set(String(reply[at]), Number(reply[at + 1]));
      const of = (field: string) => fields.get(field) ?? 0;
      return {
        period,
        reservedMinor: of('reservedMinor'),
        reservedCount: of('reservedCount'),
        confirmedMinor: of('confirmedMinor'),
        confirmedCount: of('confirmedCount'),
        unbudgetedMinor: of('unbudgetedMinor'),
        unbudgetedCount: of('unbudgetedCount'),
      };
    },
  };
}

function reservedOf(answers: readonly number[]): Reserved[] | undefined {
  if (answers[0] === moreDue) return undefined;
  return answers.map((answer) => (answer === 1 ? 'reserved' : answer === 2 ? 'paced' : 'exhausted'));
}

function periodOf(offer: BudgetedOffer, at: number): BudgetPeriod {
  return budgetPeriod(offer.budget ?? { period: 'total', pacing: 'none' }, validityOf(offer), at);
}

/** A budget without an end is never forgotten: what was spent would be spent again. */
function keptUntil({ endsAt }: BudgetPeriod, inUseUntil: number): number {
  return Number.isFinite(endsAt) ? Math.max(endsAt, inUseUntil) + periodKeptMs : noLimit;
}

/**
 * A cost as an entry holds it. Bounded, because Lua writes numbers of more than 14 digits as powers of ten, which no entry is
 * read back from.
 */
export function budgetCost(costMinor: number): number {
  return Math.min(Math.max(0, Math.ceil(costMinor)), moneyMaxMinor);
}

function limitOf(limit: number): number {
  return Number.isFinite(limit) ? limit : noLimit;
}
