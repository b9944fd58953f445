/** What two policies would have done in the logged decisions of a sample, gathered for estimators of what a policy is worth. */
import type { LoggedActions, RewardModel } from '../../algorithms/off-policy/logged-actions.ts';
import type { ShopEvent } from '../../domain/event.ts';
import { applyEvent, emptyRecord } from '../../features/record.ts';
import type { LoggedAction } from '../../history/logged-decisions.ts';
import type { OfferSamples } from './samples.ts';
import {
  createDecisionTrial,
  nothing,
  type Redemption,
  type TrialOptions,
  type TriedRow,
  type Trying,
} from './try-decision.ts';

export type PolicyTrial = {
  log: LoggedActions & { customer: Int32Array };
  /** By the candidate. It has not learnt from these decisions. */
  model: RewardModel;
  /** By row: 1 where the customer stayed, 0 where not; NaN where that is not known. And what the candidate expects of it. */
  stayed: Float64Array;
  staying: RewardModel;
  /** By row: what the customer is yet to bring as long as she stays, minor units. */
  remainingMinor: Float64Array;
  actions: number;
  /** By action; '' of nothing. */
  offerIds: readonly string[];
  candidate: Int32Array;
  champion: Int32Array;
  /** Value that the candidate expects of its choice; 0 of nothing. */
  score: Float64Array;
  /** Likewise the champion. */
  championScore: Float64Array;
  /** Rows in which an offer was made. */
  offered: ({ row: number } & Redemption)[];
};

export function createPolicyTrial(options: TrialOptions) {
  const rows: TriedRow[] = [];
  const offered: PolicyTrial['offered'] = [];
  const numbers = new Map<string, number>();
  const tryDecision = createDecisionTrial(options, (offerId) => {
    if (offerId === undefined) return nothing;
    const known = numbers.get(offerId) ?? numbers.size + 1;
    numbers.set(offerId, known);
    return known;
  });

  function expectedOf(row: number, action: number) {
    const expected = rows[row]?.expected.get(action);
    // Only what a policy does, what was done, and nothing are ever asked for.
    if (expected === undefined) throw new RangeError(`nothing was expected of action ${action}`);
    return expected;
  }

  return {
    /** false: the offer is known to nobody any more, so that nothing can be said. */
    add(trying: Trying): boolean {
      const tried = tryDecision(trying);
      if (tried === undefined) return false;
      if (tried.redemption !== undefined) offered.push({ row: rows.length, ...tried.redemption });
      rows.push(tried.row);
      return true;
    },
    finish(): PolicyTrial {
      return {
        log: {
          action: Int32Array.from(rows, ({ action }) => action),
          propensity: Float64Array.from(rows, ({ propensity }) => propensity),
          reward: Float64Array.from(rows, ({ reward }) => reward),
          customer: Int32Array.from(rows, ({ customer }) => customer),
        },
        model: (row, action) => expectedOf(row, action).reward,
        stayed: Float64Array.from(rows, ({ stayed }) => stayed),
        staying: (row, action) => expectedOf(row, action).stays,
        remainingMinor: Float64Array.from(rows, ({ remainingMinor }) => remainingMinor),
        actions: numbers.size + 1,
        offerIds: ['', ...numbers.keys()],
        candidate: Int32Array.from(rows, (row) => row.candidate),
        champion: Int32Array.from(rows, (row) => row.champion),
        score: Float64Array.from(rows, ({ score }) => score),
        championScore: Float64Array.from(rows, ({ championScore }) => championScore),
        offered,
      };
    },
  };
}

/**
 * Both policies on some of a customer's decisions: `rows` of the samples, in the order of time, each with the customer as she
 * was before it. Answers the rows of which something can be said.
 */
export function tryCustomer(
  trial: ReturnType<typeof createPolicyTrial>,
  { log, at, action: positions, customerIds }: OfferSamples,
  rows: readonly number[],
  events: readonly ShopEvent[],
  actions: readonly LoggedAction[],
): number[] {
  const record = emptyRecord();
  let next = 0;
  return rows.filter((row) => {
    const decidedAt = at[row]!;
    for (; next < events.length && events[next]!.occurredAt < decidedAt; next++)
      applyEvent(record, events[next]!);
    const customer = log.customer[row]!;
    return trial.add({
      customer,
      subjectId: customerIds[customer]!,
      record,
      action: actions[positions[row]!]!,
      earlier: actions.filter((other) => other.at < decidedAt),
      outcome: { orders: log.orders[row]!, redeemed: log.redeemed[row]!, churned: log.churned[row]! },
    });
  });
}
