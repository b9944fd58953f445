/** Decisions with their outcomes, as the learners of an offer's effect take them. */
import type { ContextBasis } from './context-basis.ts';

/** In `UpliftLog.arm`: the customer was not contacted. */
export const noContact = -1;

export type UpliftLog = {
  /** Decisions. */
  rows: number;
  /** Numbers that a context has. */
  columns: number;
  /** rows × columns: what was known of the customer before the decision, every value finite; texts as 0 and 1. */
  contexts: Float32Array;
  /** That of the contexts, where it has been fitted already, of as many axes as are asked for or more: it takes longest of all. */
  basis?: ContextBasis;
  /** Which arm was chosen, by its position among the arms, or `noContact`. */
  arm: Int32Array;
  /** Probability, in (0, 1], with which that was chosen there. */
  propensity: Float64Array;
  /** What came of it: money, or 0 and 1 for a yes or no. */
  reward: Float64Array;
  /** Number (≥ 0) of the customer, who may have several decisions. Absent: each decision is a customer of its own. */
  customer?: Int32Array;
  /**
   * A number of the pair: how well what the arm is about suits the customer of the row, 0 where it neither does nor does not.
   * Absent: arms differ by nothing but what they are.
   */
  fit?: (row: number, arm: number) => number;
  /**
   * The effect that is expected of the pair before the rewards are looked at, in their unit: what is learnt is what comes beside it.
   * Must not have seen the row's own reward. Absent: 0.
   */
  assumed?: (row: number, arm: number) => number;
};

export type UpliftArm = {
  id: string;
  /**
   * What arms are alike by, about −1 to 1 each (`{"kind=percentOff": 1, "depth": 0.2}`): an arm of which little is
   * known is taken for what arms of the same traits have done.
   */
  traits: Readonly<Record<string, number>>;
};

/** The customer of a row: that of the log, or the row itself. */
export function customerOf(log: Pick<UpliftLog, 'customer'>, row: number): number {
  return log.customer === undefined ? row : log.customer[row]!;
}
