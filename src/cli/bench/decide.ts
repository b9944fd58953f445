/**
 * `nextbest bench decide`: the closed loop on simulated shops. What every policy earns in the long run, how far the engine comes on
 * the way from the best of the others to an oracle that knows the truth, whether estimates out of a log cover what was
 * earned, and whether anybody was contacted who must not be.
 */
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
  /** Shops: seeds 1 to `seeds`. What was chosen about simulation, learning and policies was chosen on seeds from 101. */
  seeds: number;
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
  contacts: number;
  violations: number;
};

export type DecideBenchSummary = {
  summary: 'decide';
  customers: number;
  bestOther: string;
  /** (nextbest − best other) / (oracle − best other). */
  share: number;
  violations: number;
  /** Share of the estimates whose 95 % interval holds what was earned, by estimator. */
  coverage: Record<OffPolicyCheck['estimator'], number>;
  estimates: number;
};

export const DECIDE_POLICIES = [
  'nextbest',
  'response',
  'risk',
  'best-single',
  'random',
  'none',
  'oracle',
] as const;
type PolicyName = (typeof DECIDE_POLICIES)[number];

export async function benchDecide(
  { customers, weeks, seeds }: DecideBenchOptions,
  onLine: (line: DecideBenchLine) => void,
  say: (text: string) => void,
): Promise<DecideBenchSummary> {
  const results = new Map<PolicyName, { profit: number[]; contacts: number; violations: number }>(
    DECIDE_POLICIES.map((name) => [name, { profit: [], contacts: 0, violations: 0 }]),
  );
  const checks: OffPolicyCheck[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    say(`shop ${seed} of ${seeds}: a history of ${customers} customers …`);
    const closed = openClosedShop({ customers, seed, weeks });
    const policies: Record<PolicyName, () => LoopPolicy> = {
      nextbest: () => nextbestPolicy(closed, seed),
      response: responsePolicy,
      risk: riskPolicy,
      'best-single': bestSinglePolicy,
      random: () => randomPolicy(seed),
      none: nonePolicy,
      oracle: oraclePolicy,
    };
    for (const name of DECIDE_POLICIES) {
      say(`shop ${seed} of ${seeds}: ${name} …`);
      const { profitMinor, contacts, violations, breaches } = await runLoop(closed, policies[name]());
      if (violations > 0) say(`${name} broke ${JSON.stringify(breaches)}`);
      const result = results.get(name);
      if (result === undefined) continue;
      for (const profit of profitMinor) result.profit.push(profit);
      result.contacts += contacts;
      result.violations += violations;
    }
    say(`shop ${seed} of ${seeds}: estimates from a log …`);
    const { none, response, risk, oracle } = policies;
    checks.push(
      ...(await checkOffPolicy(closed, seed, [none, response, risk, policies['best-single'], oracle])),
    );
  }
  const profitOf = (name: PolicyName) => results.get(name)?.profit ?? [];
  const none = profitOf('none');
  const lines = DECIDE_POLICIES.map((policy): DecideBenchLine => {
    const { profit = [], contacts = 0, violations = 0 } = results.get(policy) ?? {};
    const own = intervalOf(profit);
    const gain = intervalOf(profit.map((value, customer) => value - (none[customer] ?? 0)));
    return {
      policy,
      ...own,
      gain: gain.value,
      gainLower: gain.lower,
      gainUpper: gain.upper,
      contacts,
      violations,
    };
  });
  for (const line of lines) onLine(line);
  return summarise(lines, none.length, checks);
}

function summarise(
  lines: readonly DecideBenchLine[],
  customers: number,
  checks: readonly OffPolicyCheck[],
): DecideBenchSummary {
  const earnedBy = (name: PolicyName) => lines.find(({ policy }) => policy === name)?.value ?? Number.NaN;
  const others = lines.filter(({ policy }) => policy !== 'nextbest' && policy !== 'oracle');
  const best = others.reduce((a, b) => (b.value > a.value ? b : a));
  const coverageOf = (estimator: OffPolicyCheck['estimator']) => {
    const own = checks.filter((check) => check.estimator === estimator);
    return own.filter(({ covered }) => covered).length / own.length;
  };
  return {
    summary: 'decide',
    customers,
    bestOther: best.policy,
    share: (earnedBy('nextbest') - best.value) / (earnedBy('oracle') - best.value),
    violations: lines.reduce((sum, { violations }) => sum + violations, 0),
    coverage: {
      ips: coverageOf('ips'),
      snips: coverageOf('snips'),
      doublyRobust: coverageOf('doublyRobust'),
    },
    estimates: checks.length,
  };
}

/** Mean with its 95 % interval, by the central limit theorem. */
function intervalOf(values: readonly number[]): { value: number; lower: number; upper: number } {
  const value = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / Math.max(1, values.length - 1);
  const half = 1.96 * Math.sqrt(variance / values.length);
  return { value, lower: value - half, upper: value + half };
}
