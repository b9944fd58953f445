/**
 * `nextbest bench decide`: the closed loop on simulated shops. What every policy earns in the long run, how far the engine comes on
 * the way from the best of the others to an oracle that knows the truth, whether estimates out of a log cover what was
 * earned, and whether anybody was contacted who must not be.
 */

import { ESTIMATORS, type EstimatorName } from '../../algorithms/off-policy/estimators.ts';
import {
  bestSinglePolicy,
  nonePolicy,
  oraclePolicy,
  randomPolicy,
  responsePolicy,
  riskPolicy,
} from './decide/baselines.ts';
import { type LoopPolicy, runLoop } from './decide/closed-loop.ts';
import { openClosedShop } from './decide/closed-shop.ts';
import { nextbestPolicy } from './decide/nextbest.ts';
import { checkOffPolicy, type OffPolicyCheck } from './decide/off-policy-check.ts';

export type DecideBenchOptions = {
  /** Simulated customers of a shop; those who have ordered when the loop begins are decided on. */
  customers: number;
  weeks: number;
  /**
   * Shops: seeds `firstSeed` to `firstSeed + seeds − 1`. What was chosen about simulation, learning and policies was chosen on
   * seeds from 101.
   */
  seeds: number;
  firstSeed: number;
  /** How much of what keeps customers about contacts there is: 1, as simulated; 0, they keep nobody. */
  contactsKeep: number;
  /** Weeks from one learning of the engine to the next. */
  learnEvery: number;
};

export type DecideBenchLine = {
  policy: string;
  /** Mean long-run profit a customer, minor units: of the weeks and of the year after. With a 95 % interval over customers. */
  value: number;
  lower: number;
  upper: number;
  /** Less what the same customers bring without any offer, whose interval is that of the differences. */
  gain: number;
  gainLower: number;
  gainUpper: number;
  /** The same in expectation: what each contact was to change, by the truth when it was made. Without the chance of single orders. */
  expectedGain: number;
  expectedGainLower: number;
  expectedGainUpper: number;
  contacts: number;
  violations: number;
};

export type DecideBenchSummary = {
  summary: 'decide';
  customers: number;
  bestOther: string;
  /** (nextbest − best other) / (oracle − best other). */
  share: number;
  /** The same of the expected gains. */
  expectedShare: number;
  /** Both of `nextbest-gated`: what is served where a model must pass its gate first. */
  gatedShare: number;
  gatedExpectedShare: number;
  violations: number;
  /** Share of the estimates whose 95 % interval holds what was earned, by estimator. */
  coverage: Record<EstimatorName, number>;
  /** By each of them. */
  estimates: number;
};

const DECIDE_POLICIES = [
  'nextbest',
  'nextbest-gated',
  'nextbest-assumed',
  'response',
  'risk',
  'best-single',
  'random',
  'none',
  'oracle',
] as const;
type PolicyName = (typeof DECIDE_POLICIES)[number];

/** Each drawn anew on the same customers. */
const LOGS_A_SHOP = 3;
/** Seeds of shops are below: logs have seeds of their own. */
const SHOPS_MAX = 1000;

export async function benchDecide(
  { customers, weeks, seeds, firstSeed, contactsKeep, learnEvery }: DecideBenchOptions,
  onLine: (line: DecideBenchLine) => void,
  say: (text: string) => void,
): Promise<DecideBenchSummary> {
  const results = new Map<
    PolicyName,
    { profit: number[]; expected: number[]; contacts: number; violations: number }
  >(DECIDE_POLICIES.map((name) => [name, { profit: [], expected: [], contacts: 0, violations: 0 }]));
  const checks: OffPolicyCheck[] = [];
  for (let shop = 1; shop <= seeds; shop++) {
    const seed = firstSeed + shop - 1;
    say(`shop ${shop} of ${seeds}: a history of ${customers} customers …`);
    const closed = openClosedShop({ customers, seed, weeks, contactsKeep });
    const engine = (learns: 'always' | 'gated' | 'never') => () =>
      nextbestPolicy(closed, seed, { learns, everyWeeks: learnEvery });
    const policies: Record<PolicyName, () => LoopPolicy> = {
      nextbest: engine('always'),
      'nextbest-gated': engine('gated'),
      'nextbest-assumed': engine('never'),
      response: responsePolicy,
      risk: riskPolicy,
      'best-single': bestSinglePolicy,
      random: () => randomPolicy(seed),
      none: nonePolicy,
      oracle: oraclePolicy,
    };
    for (const name of DECIDE_POLICIES) {
      say(`shop ${shop} of ${seeds}: ${name} …`);
      const ran = await runLoop(closed, policies[name]());
      const { profitMinor, expectedMinor, contacts, violations, breaches } = ran;
      if (violations > 0) say(`${name} broke ${JSON.stringify(breaches)}`);
      const result = results.get(name);
      if (result === undefined) continue;
      for (const profit of profitMinor) result.profit.push(profit);
      for (const expected of expectedMinor) result.expected.push(expected);
      result.contacts += contacts;
      result.violations += violations;
    }
    say(`shop ${shop} of ${seeds}: estimates from a log …`);
    // Of one week's decisions the gate decides between those of the other two.
    const { random: _itself, 'nextbest-gated': _between, ...estimated } = policies;
    const logs = Array.from({ length: LOGS_A_SHOP }, (_, log) => seed + log * SHOPS_MAX);
    checks.push(...(await checkOffPolicy(closed, logs, Object.values(estimated))));
  }
  const profitOf = (name: PolicyName) => results.get(name)?.profit ?? [];
  const none = profitOf('none');
  const lines = DECIDE_POLICIES.map((policy): DecideBenchLine => {
    const { profit = [], expected = [], contacts = 0, violations = 0 } = results.get(policy) ?? {};
    const own = intervalOf(profit);
    const expectedGain = intervalOf(expected);
    const gain = intervalOf(profit.map((value, customer) => value - (none[customer] ?? 0)));
    return {
      policy,
      ...own,
      gain: gain.value,
      gainLower: gain.lower,
      gainUpper: gain.upper,
      expectedGain: expectedGain.value,
      expectedGainLower: expectedGain.lower,
      expectedGainUpper: expectedGain.upper,
      contacts,
      violations,
    };
  });
  for (const line of lines) onLine(line);
  return summarise(lines, none.length, checks);
}

/** `customers`, decided on over all shops; `checks`, of which each estimator has as many. */
export function summarise(
  lines: readonly DecideBenchLine[],
  customers: number,
  checks: readonly OffPolicyCheck[],
): DecideBenchSummary {
  const others = lines.filter(({ policy }) => !policy.startsWith('nextbest') && policy !== 'oracle');
  const best = others.reduce((a, b) => (b.value > a.value ? b : a));
  const shareBy = (figure: 'value' | 'expectedGain', engine: PolicyName = 'nextbest') => {
    const earnedBy = (name: PolicyName) =>
      lines.find(({ policy }) => policy === name)?.[figure] ?? Number.NaN;
    const bestOfOthers = Math.max(...others.map((line) => line[figure]));
    return (earnedBy(engine) - bestOfOthers) / (earnedBy('oracle') - bestOfOthers);
  };
  const coverageOf = (estimator: EstimatorName) => {
    const own = checks.filter((check) => check.estimator === estimator);
    return own.filter(({ covered }) => covered).length / own.length;
  };
  return {
    summary: 'decide',
    customers,
    bestOther: best.policy,
    share: shareBy('value'),
    expectedShare: shareBy('expectedGain'),
    gatedShare: shareBy('value', 'nextbest-gated'),
    gatedExpectedShare: shareBy('expectedGain', 'nextbest-gated'),
    violations: lines.reduce((sum, { violations }) => sum + violations, 0),
    coverage: {
      ips: coverageOf('ips'),
      snips: coverageOf('snips'),
      direct: coverageOf('direct'),
      doublyRobust: coverageOf('doublyRobust'),
    },
    estimates: checks.length / ESTIMATORS.length,
  };
}

/** Mean with its 95 % interval, by the central limit theorem. */
function intervalOf(values: readonly number[]): { value: number; lower: number; upper: number } {
  const value = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / Math.max(1, values.length - 1);
  const half = 1.96 * Math.sqrt(variance / values.length);
  return { value, lower: value - half, upper: value + half };
}
