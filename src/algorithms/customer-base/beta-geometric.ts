/**
 * BG/NBD (Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way) and MBG/NBD (Batislam, Denizel and
 * Filiztekin 2007): customers buy by a Poisson process of rate λ ~ Gamma(r, α), and leave after a purchase with
 * probability p ~ Beta(a, b).
 *
 * With BG/NBD nobody leaves after the first purchase, so that whoever bought once counts as alive for certain; with
 * MBG/NBD everybody has had one chance more. Both are one formula in the number n of chances to leave that an alive
 * customer has passed up, x or x + 1:
 *
 *   L = Γ(r + x) / Γ(r) · (b)ₙ / (a + b)ₙ · α^r / (α + T)^(r + x) · (1 + e^κ)
 *   e^κ = a / (b + n − 1) · ((α + T) / (α + t_x))^(r + x), the odds of having left (none where n = 0)
 */
import type { LogLikelihood } from './climb.ts';
import { createMomentsWhileAlive } from './expected-while-alive.ts';
import { digammaRise, logRising } from './gamma.ts';
import { softplus } from './log-scale.ts';
import { maximizeLikelihood } from './maximum-likelihood.ts';
import type { PurchaseModel } from './purchase-model.ts';
import { type GroupedSummary, groupSummary, meanAge, thinOut } from './purchase-summary.ts';

export type BetaGeometricParameter = 'r' | 'alpha' | 'a' | 'b';

export const bgNbd: PurchaseModel<BetaGeometricParameter> = betaGeometricModel(0);
export const mbgNbd: PurchaseModel<BetaGeometricParameter> = betaGeometricModel(1);

/** Rows on which the search begins, where there are more. */
const roughRows = 10_000;

/** `chancesAtFirst`: whether the first purchase is an occasion to leave (1) or not (0). */
function betaGeometricModel(chancesAtFirst: 0 | 1): PurchaseModel<BetaGeometricParameter> {
  return {
    fit: (summary) => {
      const rows = groupSummary(summary);
      const time = meanAge(rows);
      const few = thinOut(rows, roughRows);
      return maximizeLikelihood({
        scales: { r: 1, alpha: time, a: 1, b: 1 },
        starts: [
          { r: 0.5, alpha: 0.25, a: 0.5, b: 2 },
          { r: 3, alpha: 0.5, a: 1, b: 20 },
          { r: 0.5, alpha: 0.5, a: 0.05, b: 0.2 },
        ],
        customers: rows.customers,
        logLikelihood: betaGeometricLogLikelihood(rows, chancesAtFirst),
        ...(few !== rows && { rough: betaGeometricLogLikelihood(few, chancesAtFirst) }),
      });
    },
    given: ({ r, alpha, a, b }) => {
      const whileAlive = createMomentsWhileAlive(a, b);
      const logOddsOfHavingLeft = (x: number, tx: number, T: number) => {
        const chances = x + chancesAtFirst;
        if (chances === 0) return Number.NEGATIVE_INFINITY;
        return Math.log(a / (b + chances - 1)) + (r + x) * Math.log1p((T - tx) / (alpha + tx));
      };
      const probabilityAlive = (x: number, tx: number, T: number) =>
        1 / (1 + Math.exp(logOddsOfHavingLeft(x, tx, T)));
      return {
        probabilityAlive,
        logLikelihood: (x, tx, T) =>
          logRising(r, x) -
          r * Math.log1p(T / alpha) -
          x * Math.log(alpha + T) +
          logRising(b, x + chancesAtFirst) -
          logRising(a + b, x + chancesAtFirst) +
          softplus(logOddsOfHavingLeft(x, tx, T)),
        expectedPurchases: (x, tx, T, horizon) =>
          probabilityAlive(x, tx, T) * whileAlive.expected(r + x, x + chancesAtFirst, horizon / (alpha + T)),
        squaredPurchases: (x, tx, T, horizon) =>
          probabilityAlive(x, tx, T) * whileAlive.squared(r + x, x + chancesAtFirst, horizon / (alpha + T)),
        // An alive customer can leave only at a purchase: none within the horizon is a matter of her rate alone.
        noPurchaseProbability: (x, tx, T, horizon) =>
          1 + probabilityAlive(x, tx, T) * Math.expm1(-(r + x) * Math.log1p(horizon / (alpha + T))),
      };
    },
  };
}

/** Of all rows together, with the derivatives by ln r, ln α, ln a and ln b. */
export function betaGeometricLogLikelihood(rows: GroupedSummary, chancesAtFirst: 0 | 1): LogLikelihood {
  const { frequency, recency, age, weight } = rows;
  return (logParameters, gradient) => {
    const r = Math.exp(logParameters[0]!);
    const alpha = Math.exp(logParameters[1]!);
    const a = Math.exp(logParameters[2]!);
    const b = Math.exp(logParameters[3]!);
    let [sum, byR, byAlpha, byA, byB] = [0, 0, 0, 0, 0];
    // What depends on the frequency alone is computed once for all rows of one frequency: they lie together.
    let lastX = -1;
    let [logCounts, riseR, riseA, riseB, logOddsAtOnce, shareB] = [0, 0, 0, 0, 0, 0];
    for (let row = 0; row < weight.length; row++) {
      const x = frequency[row]!;
      const tx = recency[row]!;
      const T = age[row]!;
      const w = weight[row]!;
      const chances = x + chancesAtFirst;
      if (x !== lastX) {
        lastX = x;
        logCounts = logRising(r, x) + logRising(b, chances) - logRising(a + b, chances);
        riseR = digammaRise(r, x);
        riseA = -digammaRise(a + b, chances);
        riseB = digammaRise(b, chances) + riseA;
        logOddsAtOnce = chances === 0 ? Number.NEGATIVE_INFINITY : Math.log(a / (b + chances - 1));
        shareB = chances === 0 ? 0 : b / (b + chances - 1);
      }
      const m = r + x;
      const logAge = Math.log1p(T / alpha);
      const logSilence = Math.log1p((T - tx) / (alpha + tx));
      const logOdds = logOddsAtOnce + m * logSilence;
      const left = 1 / (1 + Math.exp(-logOdds));
      sum += w * (logCounts - r * logAge - x * Math.log(alpha + T) + softplus(logOdds));
      byR += w * r * (riseR - logAge + left * logSilence);
      byAlpha +=
        w *
        ((r * T - x * alpha) / (alpha + T) - (left * m * alpha * (T - tx)) / ((alpha + T) * (alpha + tx)));
      byA += w * (a * riseA + left);
      byB += w * (b * riseB - left * shareB);
    }
    gradient[0] = byR;
    gradient[1] = byAlpha;
    gradient[2] = byA;
    gradient[3] = byB;
    return sum;
  };
}
