import { describe, expect, test } from 'vitest';
import {
  betaGeometricLogLikelihood,
  bgNbd,
  mbgNbd,
} from '../../../src/algorithms/customer-base/beta-geometric.ts';
import { groupSummary } from '../../../src/algorithms/customer-base/purchase-summary.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { drawBetaGeometric } from '../../support/customer-base.ts';
import { expectFinite, expectFuture, expectGradient, expectTruth, hardBases, summaryOf } from './support.ts';

const VARIANTS = [
  ['BG/NBD', bgNbd, 0],
  ['MBG/NBD', mbgNbd, 1],
] as const;

const truth = { r: 0.6, alpha: 6, a: 0.9, b: 2.5 };

test('BG/NBD: the likelihood of one customer by hand', () => {
  // r = 1, α = 1, a = 1, b = 2; x = 1, t_x = 1, T = 3
  // Γ(2)/Γ(1) = 1; B(a, b + x) / B(a, b) = b / (a + b) = 2/3; α^r / (α + T)^(r + x) = 1/16
  // odds of having left: a / (b + x − 1) · ((α + T) / (α + t_x))^(r + x) = 1/2 · 2² = 2
  const outlook = bgNbd.given({ r: 1, alpha: 1, a: 1, b: 2 });
  expect(Math.exp(outlook.logLikelihood(1, 1, 3))).toBeCloseTo((2 / 3) * (1 / 16) * (1 + 2), 14);
  expect(outlook.probabilityAlive(1, 1, 3)).toBeCloseTo(1 / 3, 14);
  // Alive, with rate Gamma(2, 4): no purchase in 4 with probability (4 / 8)² = 1/4.
  expect(outlook.noPurchaseProbability(1, 1, 3, 4)).toBeCloseTo(2 / 3 + (1 / 3) * (1 / 4), 14);
});

test('MBG/NBD: whoever bought once may have left at once; BG/NBD denies it', () => {
  // Left with p = a / (a + b) on average; else alive and silent for T: α / (α + T) = 1/4.
  const parameters = { r: 1, alpha: 1, a: 1, b: 2 };
  expect(Math.exp(mbgNbd.given(parameters).logLikelihood(0, 0, 3))).toBeCloseTo(
    1 / 3 + (2 / 3) * (1 / 4),
    14,
  );
  expect(mbgNbd.given(parameters).probabilityAlive(0, 0, 3)).toBeCloseTo(1 / 6 / (1 / 3 + 1 / 6), 14);
  expect(bgNbd.given(parameters).probabilityAlive(0, 0, 3)).toBe(1);
});

describe.each(VARIANTS)('%s', (_name, model, chancesAtFirst) => {
  const drawn = drawBetaGeometric(truth, 20_000, createRng(11, 'beta geometric', chancesAtFirst), {
    atFirst: chancesAtFirst === 1,
    horizon: 30,
  });

  test('the gradient is that of the log-likelihood', () => {
    const rows = groupSummary(
      summaryOf([...[...drawn.age.keys()].slice(0, 50).map(pastOf), [40, 30, 33], [1, 0, 9]]),
    );
    for (const parameters of [
      [0.6, 6, 0.9, 2.5],
      [20, 400, 0.02, 60],
    ])
      expectGradient(betaGeometricLogLikelihood(rows, chancesAtFirst), parameters);
  });

  test('the likelihood of all is the sum of those of each', () => {
    const rows = groupSummary(drawn);
    const total = betaGeometricLogLikelihood(rows, chancesAtFirst)(
      Float64Array.of(truth.r, truth.alpha, truth.a, truth.b).map(Math.log),
      new Float64Array(4),
    );
    const outlook = model.given(truth);
    const sum = drawn.age.reduce((sum, _, row) => sum + outlook.logLikelihood(...pastOf(row)), 0);
    expect(total).toBeCloseTo(sum, 6);
  });

  test('the parameters come back, within what the standard errors say', () => {
    expectTruth(model, drawn, truth, 0.25);
  });

  test('what is expected comes about, over all and for frequent and rare buyers', () => {
    expectFuture(model, drawn, truth, 30);
  });

  test.each(Object.entries(hardBases))('%s: everything stays finite', (_base, summary) => {
    expectFinite(model, summary);
  });

  function pastOf(row: number): [number, number, number] {
    return [drawn.frequency[row]!, drawn.recency[row]!, drawn.age[row]!];
  }
});

test('without customers there is nothing to fit', () => {
  expect(() => bgNbd.fit(summaryOf([]))).toThrow(RangeError);
});
