/**
 * Pareto/NBD (Schmittlein, Morrison and Colombo 1987): customers buy by a Poisson process of rate λ ~ Gamma(r, α) for as
 * long as they live, and live for a time of rate μ ~ Gamma(s, β).
 *
 *   L = Γ(r + x) / Γ(r) · α^r β^s · [ (α + T)^−(r + x) (β + T)^−s + s ∫ (α + τ)^−(r + x) (β + τ)^−(s + 1) dτ ]
 *
 * with the integral, over the moment τ of leaving, from t_x to T. Fader and Hardie (2005, "A Note on Deriving the
 * Pareto/NBD Model", eq. 20–22) write it as a difference of two Gauss hypergeometric functions. These overflow for
 * frequent buyers, lose their digits where the two are nearly equal, converge slowly where α and β are far apart, and
 * their derivatives by r and s are no such functions. The integral itself is smooth and positive: Gauss and Legendre's
 * rule gives it and all its derivatives at once, to twelve digits.
 */
import type { LogLikelihood } from './climb.ts';
import { createDepartureIntegral } from './departure-integral.ts';
import { digammaRise, logRising } from './gamma.ts';
import { logSum } from './log-scale.ts';
import { maximizeLikelihood } from './maximum-likelihood.ts';
import type { PurchaseModel } from './purchase-model.ts';
import { type GroupedSummary, groupSummary, meanAge, thinOut } from './purchase-summary.ts';

export type ParetoNbdParameter = 'r' | 'alpha' | 's' | 'beta';

/** Rows on which the search begins, where there are more. */
const roughRows = 10_000;

export const paretoNbd: PurchaseModel<ParetoNbdParameter> = {
  fit: (summary) => {
    const rows = groupSummary(summary);
    const time = meanAge(rows);
    const few = thinOut(rows, roughRows);
    return maximizeLikelihood({
      scales: { r: 1, alpha: time, s: 1, beta: time },
      starts: [
        { r: 0.5, alpha: 0.3, s: 0.5, beta: 0.3 },
        { r: 3, alpha: 0.5, s: 1, beta: 3 },
      ],
      customers: rows.customers,
      logLikelihood: paretoNbdLogLikelihood(rows),
      ...(few !== rows && { rough: paretoNbdLogLikelihood(few) }),
    });
  },
  given: ({ r, alpha, s, beta }) => {
    const departure = createDepartureIntegral();
    /** Logarithms of the likelihood's two halves, without Γ(r + x) / Γ(r): alive at T, and gone before. */
    const halves = (m: number, alpha: number, s: number, beta: number, x: number, tx: number, T: number) => {
      const r = m - x;
      departure.integrate(alpha, beta, m, s + 1, tx, T);
      return {
        alive: -r * Math.log1p(T / alpha) - x * Math.log(alpha + T) - s * Math.log1p(T / beta),
        gone: logGone(r, alpha, s, beta, x, tx, departure.logIntegral),
      };
    };
    const probabilityAlive = (x: number, tx: number, T: number) => {
      const { alive, gone } = halves(r + x, alpha, s, beta, x, tx, T);
      return 1 / (1 + Math.exp(gone - alive));
    };
    return {
      probabilityAlive,
      logLikelihood: (x, tx, T) => {
        const { alive, gone } = halves(r + x, alpha, s, beta, x, tx, T);
        return logRising(r, x) + logSum(alive, gone);
      },
      // Fader and Hardie (2005, eq. 41), continued through s = 1.
      expectedPurchases: (x, tx, T, horizon) =>
        (probabilityAlive(x, tx, T) * (r + x) * timeLived(s, beta + T, horizon).mean) / (alpha + T),
      // Poisson at rate λ for the time lived within the horizon: E[X²] = E[λ] E[t] + E[λ²] E[t²].
      squaredPurchases: (x, tx, T, horizon) => {
        const m = r + x;
        const { mean, squared } = timeLived(s, beta + T, horizon);
        return (probabilityAlive(x, tx, T) * m * (mean + ((m + 1) * squared) / (alpha + T))) / (alpha + T);
      },
      // Of those alive the rates are Gamma(r + x, α + T) and Gamma(s, β + T): a customer base that begins anew.
      noPurchaseProbability: (x, tx, T, horizon) => {
        const { alive, gone } = halves(r + x, alpha + T, s, beta + T, 0, 0, horizon);
        return 1 + probabilityAlive(x, tx, T) * Math.expm1(logSum(alive, gone));
      },
    };
  },
};

/**
 * Mean of the time lived within a horizon h, and of its square, where lives end at a rate of Gamma(s, b): with ρ = 1 + h / b,
 * b (ρ^(1 − s) − 1) / (1 − s), and 2 b² [(ρ^(2 − s) − 1) / (2 − s) − (ρ^(1 − s) − 1) / (1 − s)].
 */
function timeLived(s: number, b: number, horizon: number): { mean: number; squared: number } {
  const logRatio = Math.log1p(horizon / b);
  const power = (c: number) => (c === 0 ? logRatio : Math.expm1(c * logRatio) / c);
  const mean = b * power(1 - s);
  // So short a time against b is lived to its end; the difference would be rounding.
  const squared = logRatio < 1e-6 ? horizon * horizon : 2 * b * b * (power(2 - s) - power(1 - s));
  return { mean, squared };
}

/** Of all rows together, with the derivatives by ln r, ln α, ln s and ln β. */
export function paretoNbdLogLikelihood(rows: GroupedSummary): LogLikelihood {
  const { frequency, recency, age, weight } = rows;
  const departure = createDepartureIntegral();
  return (logParameters, gradient) => {
    const r = Math.exp(logParameters[0]!);
    const alpha = Math.exp(logParameters[1]!);
    const s = Math.exp(logParameters[2]!);
    const beta = Math.exp(logParameters[3]!);
    let [sum, byR, byAlpha, byS, byBeta] = [0, 0, 0, 0, 0];
    let lastX = -1;
    let [logCounts, riseR] = [0, 0];
    for (let row = 0; row < weight.length; row++) {
      const x = frequency[row]!;
      const tx = recency[row]!;
      const T = age[row]!;
      const w = weight[row]!;
      if (x !== lastX) {
        lastX = x;
        logCounts = logRising(r, x);
        riseR = digammaRise(r, x);
      }
      const logAlpha = Math.log1p(T / alpha);
      const logBeta = Math.log1p(T / beta);
      departure.integrate(alpha, beta, r + x, s + 1, tx, T);
      const alive = -r * logAlpha - x * Math.log(alpha + T) - s * logBeta;
      const gone = logGone(r, alpha, s, beta, x, tx, departure.logIntegral);
      const left = 1 / (1 + Math.exp(alive - gone));
      const stayed = 1 - left;
      sum += w * (logCounts + logSum(alive, gone));
      byR += w * r * (riseR - stayed * logAlpha - left * (Math.log1p(tx / alpha) + departure.meanLogAlpha));
      byAlpha +=
        w *
        ((stayed * (r * T - x * alpha)) / (alpha + T) +
          left * (r * (1 - departure.meanShareAlpha) - x * departure.meanShareAlpha));
      byS += w * (left - s * (stayed * logBeta + left * (Math.log1p(tx / beta) + departure.meanLogBeta)));
      byBeta +=
        w *
        ((stayed * s * T) / (beta + T) +
          left * (s * (1 - departure.meanShareBeta) - departure.meanShareBeta));
    }
    gradient[0] = byR;
    gradient[1] = byAlpha;
    gradient[2] = byS;
    gradient[3] = byBeta;
    return sum;
  };
}

/** ln of α^r β^s s ∫ …, given the logarithm of the integral of its integrand's ratio to that at t_x. */
function logGone(
  r: number,
  alpha: number,
  s: number,
  beta: number,
  x: number,
  tx: number,
  logIntegral: number,
): number {
  return (
    Math.log(s) -
    r * Math.log1p(tx / alpha) -
    x * Math.log(alpha + tx) -
    s * Math.log1p(tx / beta) -
    Math.log(beta + tx) +
    logIntegral
  );
}
