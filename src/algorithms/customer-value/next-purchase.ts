/**
 * When a customer who has not left comes next. Gaps between errands are Gamma(k, k λ), λ the customer's rate and k the
 * shop's regularity (Platzer and Reutterer 2016, "Ticking Away the Moments"), here a whole number; with rates Gamma(r, α) the
 * customer's own past of x gaps in t_x days leaves Gamma(m, A), m = r + k x, A = α + k t_x. The time until the next errand is a gap
 * that is longer than what has passed since the last one:
 *
 *   S(t) = P(gap > t) = Σ (m)_j / j! · w^j (1 − w)^m over j < k,  w = k t / (A + k t)        S(passed + t) / S(passed)
 */
import type { CustomerPast, CustomerValueModel } from './customer-value-model.ts';

/** Days from now: 10 in 100 customers like this one come before `early`, half before `middle`, 10 after `late`. */
export type NextPurchase = { early: number; middle: number; late: number };

export const regularityMax = 8;
/** Halvings of a bracket of ln t: to less than a millionth of t. */
const halvings = 28;
const longestDays = 36_500;

export function nextPurchase(model: CustomerValueModel, past: CustomerPast): NextPurchase {
  const { regularity: k } = model;
  const { r = 1, alpha = 1 } = model.purchases.parameters;
  const m = r + k * (past.errands - 1);
  const A = alpha + k * past.recencyDays;
  const passed = past.ageDays - past.recencyDays;
  const logLeft = logLonger(k, m, A, passed);
  const after = (share: number) => {
    const wanted = logLeft + Math.log1p(-share);
    let low = Math.log(1e-4);
    let high = Math.log(longestDays);
    for (let round = 0; round < halvings; round++) {
      const middle = (low + high) / 2;
      if (logLonger(k, m, A, passed + Math.exp(middle)) > wanted) low = middle;
      else high = middle;
    }
    return Math.exp(high);
  };
  return { early: after(0.1), middle: after(0.5), late: after(0.9) };
}

/** ln S(t). */
function logLonger(k: number, m: number, A: number, t: number): number {
  const w = (k * t) / (A + k * t);
  let term = 1;
  let sum = 1;
  for (let j = 1; j < k; j++) {
    term *= ((m + j - 1) / j) * w;
    sum += term;
  }
  return Math.log(sum) - m * Math.log1p((k * t) / A);
}

/**
 * Regularity from pairs of a customer's consecutive gaps: g₁ / (g₁ + g₂) ~ Beta(k, k), whatever the rate, has the variance
 * 1 / (4 (2 k + 1)) (Wheat and Morrison 1990). A whole number from 1 to 8.
 */
export function regularityOf(shareVariance: number): number {
  if (!(shareVariance > 0)) return regularityMax;
  const k = (1 - 4 * shareVariance) / (8 * shareVariance);
  return Math.max(1, Math.min(regularityMax, Math.round(k)));
}
