import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logGamma } from '../../../src/algorithms/customer-base/gamma.ts';
import { paretoNbd, paretoNbdLogLikelihood } from '../../../src/algorithms/customer-base/pareto-nbd.ts';
import { groupSummary } from '../../../src/algorithms/customer-base/purchase-summary.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { drawParetoNbd } from '../../support/customer-base.ts';
import { expectFinite, expectFuture, expectGradient, expectTruth, hardBases, summaryOf } from './support.ts';

const truth = { r: 0.6, alpha: 8, s: 0.7, beta: 12 };
const drawn = drawParetoNbd(truth, 20_000, createRng(12, 'pareto'), 30);
const pastOf = (row: number): [number, number, number] => [
  drawn.frequency[row]!,
  drawn.recency[row]!,
  drawn.age[row]!,
];

test('the likelihood of one customer by hand', () => {
  // r = 1, α = 1, s = 1, β = 1; x = 0, T = 1: alive (1/2)(1/2); gone ∫₀¹ (1 + τ)⁻³ dτ = (1 − 1/4) / 2 = 3/8
  const outlook = paretoNbd.given({ r: 1, alpha: 1, s: 1, beta: 1 });
  expect(Math.exp(outlook.logLikelihood(0, 0, 1))).toBeCloseTo(1 / 4 + 3 / 8, 13);
  expect(outlook.probabilityAlive(0, 0, 1)).toBeCloseTo(2 / 5, 13);
  // s = 1: (r + x) (β + T) / (α + T) · ln((β + T + t) / (β + T)), alive with 2/5
  expect(outlook.expectedPurchases(0, 0, 1, 2)).toBeCloseTo((2 / 5) * Math.log(2), 13);
});

/** Fader and Hardie (2005, eq. 20–22): the same with Gauss hypergeometric functions, as their series. */
function closedForm(r: number, alpha: number, s: number, beta: number, x: number, tx: number, T: number) {
  const n = r + s + x;
  const [low, high, second] = alpha < beta ? [alpha, beta, r + x] : [beta, alpha, s + 1];
  const part = (t: number) => {
    const z = (high - low) / (high + t);
    let [term, sum] = [1, 1];
    for (let k = 0; term > 1e-17 * sum; k++) {
      term *= (((n + k) * (second + k)) / ((n + 1 + k) * (k + 1))) * z;
      sum += term;
    }
    return sum * (high + t) ** -n;
  };
  const alive = (alpha + T) ** -(r + x) * (beta + T) ** -s;
  const gone = (s / n) * (part(tx) - part(T));
  return logGamma(r + x) - logGamma(r) + r * Math.log(alpha) + s * Math.log(beta) + Math.log(alive + gone);
}

test('is the hypergeometric form of Fader and Hardie, wherever that can be computed', () => {
  const shape = fc.double({ min: 0.05, max: 8, noNaN: true });
  const scale = fc.double({ min: 0.5, max: 60, noNaN: true });
  fc.assert(
    fc.property(
      shape,
      scale,
      shape,
      scale,
      fc.integer({ min: 0, max: 30 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1, max: 80, noNaN: true }),
      (r, alpha, s, beta, x, share, T) => {
        const tx = x === 0 ? 0 : share * T;
        const expected = closedForm(r, alpha, s, beta, x, tx, T);
        const found = paretoNbd.given({ r, alpha, s, beta }).logLikelihood(x, tx, T);
        expect(Math.abs(found - expected)).toBeLessThan(1e-8 * (1 + Math.abs(expected)));
      },
    ),
  );
});

test('the gradient is that of the log-likelihood, also where α and β are far apart or purchases many', () => {
  const rows = groupSummary(
    summaryOf([...[...drawn.age.keys()].slice(0, 50).map(pastOf), [3, 9, 9], [400, 20, 38], [1, 0, 9]]),
  );
  for (const parameters of [
    [0.6, 8, 0.7, 12],
    [0.6, 12, 0.7, 8],
    [3, 1e-3, 0.2, 1e4],
    [30, 200, 500, 0.01],
  ])
    expectGradient(paretoNbdLogLikelihood(rows), parameters);
});

test('the likelihood of all is the sum of those of each', () => {
  const total = paretoNbdLogLikelihood(groupSummary(drawn))(
    Float64Array.of(truth.r, truth.alpha, truth.s, truth.beta).map(Math.log),
    new Float64Array(4),
  );
  const outlook = paretoNbd.given(truth);
  expect(total).toBeCloseTo(
    drawn.age.reduce((sum, _, row) => sum + outlook.logLikelihood(...pastOf(row)), 0),
    6,
  );
});

test('the parameters come back, within what the standard errors say', () => {
  expectTruth(paretoNbd, drawn, truth, 0.4);
});

test('what is expected comes about, over all and for frequent and rare buyers', () => {
  expectFuture(paretoNbd, drawn, truth, 30);
});

test.each(Object.entries(hardBases))('%s: everything stays finite', (_base, summary) => {
  expectFinite(paretoNbd, summary);
});
