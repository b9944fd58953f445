/**
 * Gamma-Gamma (Fader and Hardie 2013, "The Gamma-Gamma Model of Monetary Value"): a customer's purchases are worth
 * Gamma(p, ν) each, ν ~ Gamma(q, v), whatever their number. Of each customer it knows x, the number of purchases that
 * the average is over, and z̄, their average value.
 *
 *   L = Γ(p x + q) / (Γ(p x) Γ(q)) · 1 / z̄ · (x z̄ / (v + x z̄))^(p x) · (v / (v + x z̄))^q      (their eq. 1a)
 */
import type { LogLikelihood } from './climb.ts';
import { digammaRise, logGamma, logRising } from './gamma.ts';
import { type Estimate, maximizeLikelihood } from './maximum-likelihood.ts';

/** One row a customer: purchases after the first, and their average value. */
export type SpendSummary = { frequency: Float64Array; averageSpend: Float64Array };

export type GammaGammaParameter = 'p' | 'q' | 'v';

export const gammaGamma = {
  /**
   * By maximum likelihood, from those with at least one repeat purchase and an average above 0 (`customers` counts them).
   * RangeError when there are none.
   */
  fit: (summary: SpendSummary): Estimate<GammaGammaParameter> => {
    const rows = payingRows(summary);
    const customers = rows.frequency.length;
    if (customers === 0)
      throw new RangeError('gamma-gamma needs customers with a repeat purchase of some value');
    const money = rows.averageSpend.reduce((sum, value) => sum + value / customers, 0);
    return maximizeLikelihood({
      scales: { p: 1, q: 1, v: money },
      starts: [
        { p: 2, q: 2, v: 1 },
        { p: 10, q: 4, v: 0.3 },
      ],
      customers,
      logLikelihood: gammaGammaLogLikelihood(rows),
    });
  },
  given: ({ p, q, v }: Readonly<Record<GammaGammaParameter, number>>) => ({
    /** Logarithm of the likelihood of an average value z̄ > 0 over x > 0 purchases. */
    logLikelihood: (x: number, averageSpend: number) =>
      logRising(p * x, q) -
      logGamma(q) -
      Math.log(averageSpend) -
      p * x * Math.log1p(v / (x * averageSpend)) -
      q * Math.log1p((x * averageSpend) / v),
    /**
     * What a purchase to come is worth on average, given x purchases of z̄ on average; x = 0: of a customer about whom
     * nothing is known (eq. 5: a mean of z̄ and of everybody's). Where so few purchases leave no mean, p x + q ≤ 1,
     * the most probable value instead.
     */
    expectedAverageSpend: (x: number, averageSpend: number) => {
      const total = p * (v + x * averageSpend);
      const weight = p * x + q;
      return total / (weight > 1 ? weight - 1 : weight + 1);
    },
  }),
};

/** Of all rows together (x > 0, z̄ > 0), with the derivatives by ln p, ln q and ln v. */
export function gammaGammaLogLikelihood({ frequency, averageSpend }: SpendSummary): LogLikelihood {
  return (logParameters, gradient) => {
    const p = Math.exp(logParameters[0]!);
    const q = Math.exp(logParameters[1]!);
    const v = Math.exp(logParameters[2]!);
    const logGammaQ = logGamma(q);
    let [sum, byP, byQ, byV] = [0, 0, 0, 0];
    let lastX = -1;
    let [logCounts, riseP, riseQ] = [0, 0, 0];
    for (let row = 0; row < frequency.length; row++) {
      const x = frequency[row]!;
      const total = x * averageSpend[row]!;
      if (x !== lastX) {
        lastX = x;
        logCounts = logRising(p * x, q) - logGammaQ;
        riseP = digammaRise(p * x, q);
        riseQ = digammaRise(q, p * x);
      }
      const logTotal = Math.log1p(v / total);
      const logV = Math.log1p(total / v);
      sum += logCounts - Math.log(averageSpend[row]!) - p * x * logTotal - q * logV;
      byP += p * x * (riseP - logTotal);
      byQ += q * (riseQ - logV);
      byV += (q * total - p * x * v) / (v + total);
    }
    gradient[0] = byP;
    gradient[1] = byQ;
    gradient[2] = byV;
    return sum;
  };
}

/** Those whose average tells something, in order of their frequency, so that what depends on it alone is computed once. */
export function payingRows({ frequency, averageSpend }: SpendSummary): SpendSummary {
  const rows = Uint32Array.from(frequency.keys()).filter(
    (row) => frequency[row]! > 0 && averageSpend[row]! > 0,
  );
  rows.sort((i, j) => frequency[i]! - frequency[j]!);
  return {
    frequency: Float64Array.from(rows, (row) => frequency[row]!),
    averageSpend: Float64Array.from(rows, (row) => averageSpend[row]!),
  };
}
