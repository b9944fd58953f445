import { describe, expect, test } from 'vitest';
import {
  direct,
  doublyRobust,
  ESTIMATORS,
  ips,
  policyValue,
  snips,
} from '../../../src/algorithms/off-policy/estimators.ts';
import {
  deterministic,
  effectiveSampleSize,
  type LoggedActions,
  uniform,
} from '../../../src/algorithms/off-policy/logged-actions.ts';
import { createRng } from '../../../src/algorithms/rng.ts';

describe('by hand', () => {
  // The policy always takes action 1: weights 0, 1/0.25 = 4, 1/0.5 = 2, 0.
  const log: LoggedActions = {
    action: Int32Array.of(0, 1, 1, 0),
    propensity: Float64Array.of(0.5, 0.25, 0.5, 0.75),
    reward: Float64Array.of(1, 3, 1, 2),
  };
  const always = deterministic([1, 1, 1, 1], 2);
  const model = (_row: number, action: number) => 2 * action;

  test('IPS: (4·3 + 2·1) / 4', () => {
    const found = ips(log, always);
    expect(found.value).toBeCloseTo(3.5, 12);
    // Terms 0, 12, 2, 0 about 3.5: variance (12.25 + 72.25 + 2.25 + 12.25) / 3 = 33
    expect(found.standardError).toBeCloseTo(Math.sqrt(33 / 4), 12);
    expect(found.upper - found.value).toBeCloseTo(1.959964 * Math.sqrt(33 / 4), 5);
    // (4 + 2)² / (16 + 4)
    expect(found.effectiveSampleSize).toBeCloseTo(1.8, 12);
  });

  test('SNIPS: (4·3 + 2·1) / (4 + 2)', () => {
    expect(snips(log, always).value).toBeCloseTo(14 / 6, 12);
  });

  test('direct: what the model says', () => {
    expect(direct(log, always, model).value).toBe(2);
    // Half of the time 0, half of the time 2.
    expect(direct(log, uniform([0, 1], 2), model).value).toBe(1);
  });

  test('doubly robust: (2 + 2 + 4·(3 − 2) + 2 + 2·(1 − 2) + 2) / 4', () => {
    expect(doublyRobust(log, always, model).value).toBeCloseTo(10 / 4, 12);
  });

  test('decisions on one customer count as one: twice the same log is not twice as sure', () => {
    const twice = (values: Float64Array) => Float64Array.of(...values, ...values);
    const doubled: LoggedActions = {
      action: Int32Array.of(...log.action, ...log.action),
      propensity: twice(log.propensity),
      reward: twice(log.reward),
      customer: Int32Array.of(7, 8, 9, 10, 7, 8, 9, 10),
    };
    const policy = deterministic(new Int32Array(8).fill(1), 2);
    expect(ips(doubled, policy).standardError).toBeCloseTo(ips(log, always).standardError, 12);
  });

  test('of a policy that the log never followed nothing is known', () => {
    const other = deterministic([1, 0, 0, 1], 2);
    expect(snips(log, other).value).toBeNaN();
    expect(snips(log, other).effectiveSampleSize).toBe(0);
    expect(effectiveSampleSize([])).toBe(0);
  });
});

describe('coverage', () => {
  // r = x + a·(1 − 2x) + noise, logged with P(a = 1 | x) = 0.2 + 0.6x; the policy takes 1 where x < ½.
  // Its value: E[x + (1 − 2x)·1[x < ½]] = ½ + ∫₀^½ (1 − 2x) dx = ½ + ¼.
  const truth = 0.75;
  const rows = 400;
  const logs = Array.from({ length: 2000 }, (_, n) => {
    const rng = createRng(5, 'coverage', n);
    const x = Float64Array.from({ length: rows }, () => rng.next());
    const action = Int32Array.from(x, (value) => (rng.chance(0.2 + 0.6 * value) ? 1 : 0));
    return {
      x,
      log: {
        action,
        propensity: x.map((value, row) => (action[row] === 1 ? 0.2 + 0.6 * value : 0.8 - 0.6 * value)),
        reward: x.map((value, row) => value + action[row]! * (1 - 2 * value) + 0.5 * rng.normal()),
      },
    };
  });
  const covered = (estimator: (typeof ESTIMATORS)[number], bend: number) =>
    logs.filter(({ x, log }) => {
      const policy = deterministic(
        x.map((value) => (value < 0.5 ? 1 : 0)),
        2,
      );
      // With bend 0 the model is right; with another it is not.
      const model = (row: number, a: number) => x[row]! + a * (1 - 2 * x[row]!) + bend * a;
      const { lower, upper } = policyValue(estimator, log, policy, model);
      return lower <= truth && truth <= upper;
    }).length / logs.length;

  // 0.95 ± 3 · √(0.95 · 0.05 / 2000) = ± 0.0146, and what is left of normality at 400 decisions.
  test.each(ESTIMATORS)('%s: the truth is inside the interval in 95 % of 2,000 logs', (estimator) => {
    const share = covered(estimator, 0);
    expect(share).toBeGreaterThan(0.933);
    expect(share).toBeLessThan(0.966);
  });

  test('doubly robust still is where the model is wrong, direct is not', () => {
    expect(covered('doublyRobust', 0.5)).toBeGreaterThan(0.933);
    expect(covered('direct', 0.5)).toBeLessThan(0.5);
  });
});
