import { expect, test } from 'vitest';
import type { OffPolicyCheck } from '../../../src/cli/bench/decide/off-policy-check.ts';
import { type DecideBenchLine, type DecideBenchSummary, summarise } from '../../../src/cli/bench/decide.ts';
import { sandbox } from '../../support/nextbest.ts';

const policies = [
  'nextbest',
  'nextbest-gated',
  'nextbest-assumed',
  'response',
  'risk',
  'best-single',
  'random',
  'none',
  'oracle',
];

const line = (policy: string, value: number, expectedGain: number, violations = 0): DecideBenchLine => ({
  policy,
  value,
  lower: value - 1,
  upper: value + 1,
  gain: value - 100,
  gainLower: value - 101,
  gainUpper: value - 99,
  expectedGain,
  expectedGainLower: expectedGain - 1,
  expectedGainUpper: expectedGain + 1,
  contacts: 0,
  violations,
});

const check = (estimator: OffPolicyCheck['estimator'], covered: boolean): OffPolicyCheck => ({
  policy: 'none',
  estimator,
  estimate: 0,
  lower: 0,
  upper: 0,
  earned: 0,
  covered,
});

test('the share is of the way from the best other to the oracle, of what was earned and of what was expected each by its own best', () => {
  const lines = [
    line('nextbest', 150, 41, 1),
    line('nextbest-gated', 140, 30),
    // Above all others, and none of them: it is the engine.
    line('nextbest-assumed', 155, 44),
    line('response', 120, 20, 2),
    line('risk', 95, -3),
    line('best-single', 110, 25),
    line('random', 90, -5),
    line('none', 100, 0),
    line('oracle', 160, 45),
  ];
  const checks = [
    check('ips', true),
    check('ips', false),
    check('snips', true),
    check('snips', true),
    check('direct', false),
    check('direct', false),
    check('doublyRobust', false),
    check('doublyRobust', true),
  ];
  expect(summarise(lines, 7, checks)).toEqual({
    summary: 'decide',
    customers: 7,
    bestOther: 'response',
    // (150 − 120) / (160 − 120), (41 − 25) / (45 − 25)
    share: 0.75,
    expectedShare: 0.8,
    // (140 − 120) / 40, (30 − 25) / 20
    gatedShare: 0.5,
    gatedExpectedShare: 0.25,
    violations: 3,
    coverage: { ips: 0.5, snips: 1, direct: 0, doublyRobust: 0.5 },
    estimates: 2,
  });
});

test('from the command line: a line a policy, on the same customers, and a summary of just these lines', async () => {
  const { run } = await sandbox();
  const shop = ['--customers', '60', '--weeks', '1', '--seeds', '1', '--first-seed', '301'];
  const { exitCode, stdout, stderr } = await run([
    'bench',
    'decide',
    ...shop,
    '--learn-every',
    '1',
    '--json',
  ]);
  expect(exitCode, stderr).toBe(0);
  const told = stdout.trim().split('\n');
  const lines: DecideBenchLine[] = told.slice(0, -1).map((text) => JSON.parse(text));
  const summary: DecideBenchSummary = JSON.parse(told.at(-1) ?? '');
  expect(lines.map(({ policy }) => policy)).toEqual(policies);
  const of = (policy: string) => lines[policies.indexOf(policy)]!;
  const none = of('none');
  expect(none).toMatchObject({ gain: 0, expectedGain: 0, contacts: 0 });
  for (const { value, lower, upper, gain, gainLower, gainUpper, contacts, ...more } of lines) {
    expect(lower).toBeLessThan(value);
    expect(upper).toBeGreaterThan(value);
    // By differences customer by customer, whose mean is that of the means.
    expect(gain).toBeCloseTo(value - none.value, 6);
    expect(gainLower).toBeLessThanOrEqual(gain);
    expect(gainUpper).toBeGreaterThanOrEqual(gain);
    // Who contacts nobody changes nothing.
    expect(contacts > 0).toBe(more.policy !== 'none');
    expect(more.expectedGain).toBeLessThanOrEqual(of('oracle').expectedGain);
    expect(more.violations).toBe(0);
  }
  const { customers, coverage, estimates } = summary;
  expect(customers).toBeGreaterThan(0);
  expect(customers).toBeLessThanOrEqual(60);
  // Seven policies, from three logs each.
  expect(estimates).toBe(21);
  for (const covered of Object.values(coverage)) {
    expect(covered * estimates).toBeCloseTo(Math.round(covered * estimates), 6);
    expect(covered).toBeLessThanOrEqual(1);
  }
  // Weighed by probabilities, intervals hold most of what was earned, also of a small log; of all, 95 %.
  expect(coverage.doublyRobust).toBeGreaterThan(0.5);
  expect({ ...summarise(lines, customers, []), coverage, estimates }).toEqual(summary);
});
