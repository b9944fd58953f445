import { describe, expect, test } from 'vitest';
import {
  type EffectPrior,
  type Evidence,
  logEvidenceOf,
  solveEffects,
  unseenArm,
} from '../../../src/algorithms/uplift/effect-posterior.ts';

/** n rows of z = 1 whose y sum to `sum`. */
const evidence = (n: number, sum: number): Evidence => ({
  gram: Float64Array.of(n),
  moment: Float64Array.of(sum),
});
const prior = (baseline: number, common: number, own: number): EffectPrior => ({
  baseline: Float64Array.of(baseline),
  common: Float64Array.of(common),
  trait: Float64Array.of(own),
  own: Float64Array.of(own),
});
const alone = [Float64Array.of(1)];

describe('one number, by hand', () => {
  test('with wide priors the effect is the difference of means, its variance 1/n + 1/n', () => {
    const { arms, baseline } = solveEffects(
      1,
      evidence(100, 50),
      [evidence(50, 100)],
      alone,
      prior(1e9, 1e9, 1e9),
    );
    expect(baseline[0]).toBeCloseTo(0.5, 6);
    expect(arms[0]!.mean[0]).toBeCloseTo(2 - 0.5, 6);
    expect(arms[0]!.covariance[0]).toBeCloseTo(1 / 100 + 1 / 50, 6);
  });

  test('a narrow prior draws it to 0: γ known, effect ~ N(0, v) gives n/(n + 1/v) of the mean', () => {
    // γ is pinned at 0. θ₀ and δ add up to a variance of 0.02 + 0.02: 50/(50 + 25) of a mean of 2.
    const { arms } = solveEffects(1, evidence(1e9, 0), [evidence(50, 100)], alone, prior(1e-12, 0.02, 0.02));
    expect(arms[0]!.mean[0]).toBeCloseTo((2 * 50) / 75, 6);
    expect(arms[0]!.covariance[0]).toBeCloseTo(1 / 75, 6);
  });

  test('evidence is that of the sum: ln N(y; 0, I + v) for one row, up to a constant', () => {
    const at = (v: number) =>
      logEvidenceOf(1, evidence(1e9, 0), [evidence(1, 3)], alone, prior(1e-12, v, 1e-12));
    const logDensity = (v: number) => -0.5 * Math.log(1 + v) - 4.5 / (1 + v);
    expect(at(2) - at(0.5)).toBeCloseTo(logDensity(2) - logDensity(0.5), 6);
  });
});

describe('arms that are alike', () => {
  // Two arms of kind A have done well, two of kind B badly; a fifth has no rows.
  const traits = [
    [1, 1, 0],
    [1, 1, 0],
    [1, 0, 1],
    [1, 0, 1],
  ].map((own) => Float64Array.from(own));
  const rows = [evidence(400, 800), evidence(400, 760), evidence(400, -400), evidence(400, -440)];
  const priors = prior(1, 1, 1);
  const found = solveEffects(1, evidence(1000, 0), rows, traits, priors);

  test('a new arm is taken for what its kind has done, with more doubt', () => {
    const a = unseenArm(1, found.shared, Float64Array.of(1, 1, 0), priors.own);
    const b = unseenArm(1, found.shared, Float64Array.of(1, 0, 1), priors.own);
    expect(a.mean[0]).toBeGreaterThan(1);
    expect(b.mean[0]).toBeLessThan(-0.2);
    expect(a.covariance[0]).toBeGreaterThan(5 * found.arms[0]!.covariance[0]!);
  });

  test('it is what an arm without rows is given in the fit', () => {
    const [, , , , fifth] = solveEffects(
      1,
      evidence(1000, 0),
      [...rows, evidence(0, 0)],
      [...traits, Float64Array.of(1, 1, 0)],
      priors,
    ).arms;
    const apart = unseenArm(1, found.shared, Float64Array.of(1, 1, 0), priors.own);
    expect(fifth!.mean[0]).toBeCloseTo(apart.mean[0]!, 9);
    expect(fifth!.covariance[0]).toBeCloseTo(apart.covariance[0]!, 9);
  });
});
