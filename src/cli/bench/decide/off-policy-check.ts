/**
 * Do estimates out of the log of one policy tell what another would have earned? Of one week: decisions are drawn at random
 * and logged, what other policies would have earned is estimated from that log, and then they really decide. Reward is the
 * profit until the offers' windows have passed.
 */
import { ESTIMATORS, type EstimatorName, policyValue } from '../../../algorithms/off-policy/estimators.ts';
import { deterministic, type LoggedActions } from '../../../algorithms/off-policy/logged-actions.ts';
import { dayMs } from '../../../domain/time.ts';
import { randomPolicy } from './baselines.ts';
import { type LoopPolicy, type Proposal, runLoop } from './closed-loop.ts';
import type { ClosedShop } from './closed-shop.ts';
import { noOffer } from './decided-log.ts';

export type OffPolicyCheck = {
  policy: string;
  estimator: EstimatorName;
  /** Minor units a customer, with the ends of the estimate's 95 % interval. */
  estimate: number;
  lower: number;
  upper: number;
  /** What the policy earned when it decided itself, of the same customers. */
  earned: number;
  covered: boolean;
};

const rewardDays = 17;

/** Every policy is estimated from the log of each of the `seeds`, by each estimator. */
export async function checkOffPolicy(
  closed: ClosedShop,
  seeds: readonly number[],
  policies: readonly (() => LoopPolicy)[],
): Promise<OffPolicyCheck[]> {
  const week = { ...closed, weeks: 1, endAt: closed.startAt + rewardDays * dayMs };
  const actions = closed.shop.offers.length + 1;
  const logs: RandomLog[] = [];
  for (const seed of seeds) logs.push(await randomLog(week, seed));
  const checks: OffPolicyCheck[] = [];
  for (const make of policies) {
    const policy = make();
    let proposals: Proposal[] = [];
    const watched: LoopPolicy = {
      ...policy,
      propose: (asked) => {
        proposals = policy.propose(asked);
        return proposals;
      },
    };
    const { profitMinor } = await runLoop(week, watched, { budgets: false });
    for (const log of logs) {
      const { customers } = log;
      const choice = customers.map((customer) => (proposals[customer]?.offer?.number ?? noOffer) + 1);
      const earned = customers.reduce((sum, customer) => sum + profitMinor[customer]!, 0) / customers.length;
      const byAction = meanRewards(log, actions);
      for (const estimator of ESTIMATORS) {
        const { value, lower, upper } = policyValue(
          estimator,
          log,
          deterministic(choice, actions),
          (_row, action) => byAction[action]!,
        );
        const covered = lower <= earned && earned <= upper;
        checks.push({ policy: policy.name, estimator, estimate: value, lower, upper, earned, covered });
      }
    }
  }
  return checks;
}

/** Actions are numbered from 0, which stands for no offer. */
type RandomLog = LoggedActions & { customers: Int32Array };

async function randomLog(week: ClosedShop, seed: number): Promise<RandomLog> {
  const { log, profitMinor } = await runLoop(week, randomPolicy(seed), { budgets: false });
  const customers = Int32Array.from(log, ({ customer }) => customer);
  return {
    customers,
    action: Int32Array.from(log, ({ action }) => action + 1),
    propensity: Float64Array.from(log, ({ propensity }) => propensity),
    reward: Float64Array.from(customers, (customer) => profitMinor[customer]!),
  };
}

/**
 * The plainest model of rewards there is: the mean of each action. It does not know that who may have an offer differs from who
 * may not.
 */
function meanRewards(
  { action, propensity, reward }: { action: Int32Array; propensity: Float64Array; reward: Float64Array },
  actions: number,
): Float64Array {
  const weights = new Float64Array(actions);
  const sums = new Float64Array(actions);
  for (let row = 0; row < action.length; row++) {
    weights[action[row]!]! += 1 / propensity[row]!;
    sums[action[row]!]! += reward[row]! / propensity[row]!;
  }
  return sums.map((sum, a) => (weights[a]! > 0 ? sum / weights[a]! : 0));
}
