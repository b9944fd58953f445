/** What a policy did, with which probability, and what came of it: the input of every off-policy estimate. */

/** Parallel arrays, one entry a decision. Actions are numbers from 0; one of them may stand for doing nothing. */
export type LoggedActions = {
  action: Int32Array;
  /** Probability, in (0, 1], with which the logging policy took that action there. */
  propensity: Float64Array;
  /** Any unit: estimates come in the same one. */
  reward: Float64Array;
  /**
   * Number of the customer. Decisions on one customer are not independent: intervals count customers. Absent: each
   * decision is a customer of its own.
   */
  customer?: Int32Array;
};

/** The probability that a policy takes `action` in the decision `row`; over all actions they sum to 1. */
export type Policy = { actions: number; probability: (row: number, action: number) => number };

/** Expected reward of `action` in the decision `row`, by a model that has not learnt from these decisions. */
export type RewardModel = (row: number, action: number) => number;

/** Always the action that `choice` names for the row. */
export function deterministic(choice: ArrayLike<number>, actions: number): Policy {
  return { actions, probability: (row, action) => (choice[row] === action ? 1 : 0) };
}

/** Every one of `among` with the same probability, whatever the row. */
export function uniform(among: readonly number[], actions: number): Policy {
  const share = new Float64Array(actions);
  for (const action of among) share[action] = 1 / among.length;
  return { actions, probability: (_row, action) => share[action]! };
}

/** wᵢ = π(aᵢ | xᵢ) / π₀(aᵢ | xᵢ): how many decisions of the policy a logged one stands for. */
export function importanceWeights(log: LoggedActions, policy: Policy): Float64Array {
  return log.propensity.map((propensity, row) => policy.probability(row, log.action[row]!) / propensity);
}

/** (Σw)² / Σw² (Kish 1965): as many decisions of the policy's own would tell as much. 0 without weights above 0. */
export function effectiveSampleSize(weights: ArrayLike<number>): number {
  let sum = 0;
  let squares = 0;
  for (let row = 0; row < weights.length; row++) {
    sum += weights[row]!;
    squares += weights[row]! ** 2;
  }
  return squares > 0 ? sum ** 2 / squares : 0;
}
