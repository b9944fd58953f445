/**
 * The number of purchases of a customer who is alive: its mean, and that of its square.
 *
 * Purchases to expect of a customer who is alive, when purchases end with her leaving: the mean over p of
 * (1 − (1 + p z)^−m) / p, where p ~ Beta(a, b + n), m = r + x, and z is the horizon over α + T.
 *
 * It is what Fader, Hardie and Lee (2005, eq. 10) write as
 *   (a + b + n − 1) / (a − 1) · [1 − (1 + z)^−m ₂F₁(m, b + n; a + b + n − 1; z / (1 + z))],
 * which has no value at a = 1, loses its digits near it, and overflows for large m. A sum of positive terms does neither.
 */
import { softplus } from './log-scale.ts';

export type MomentsWhileAlive = {
  /** (m, n, z) → expectation. Keeps the points of each n that it met. */
  expected: (m: number, n: number, z: number) => number;
  /** Of the square of the number of purchases X. */
  squared: (m: number, n: number, z: number) => number;
};

export function createMomentsWhileAlive(a: number, b: number): MomentsWhileAlive {
  const pointsOf = new Map<number, BetaPoints>();
  const pointsAt = (n: number): BetaPoints => {
    const points = pointsOf.get(n) ?? betaPoints(a, b + n);
    pointsOf.set(n, points);
    return points;
  };
  const meanOver = (n: number, value: (chance: number) => number): number => {
    const { p, weight } = pointsAt(n);
    let sum = 0;
    for (let i = 0; i < p.length; i++) sum += weight[i]! * value(p[i]!);
    return sum;
  };
  return {
    expected: (m, n, z) =>
      meanOver(n, (chance) =>
        // Below this the fraction is its limit for p → 0 to the last digit, and 0 / 0 before long.
        chance < 1e-200 ? m * z : -Math.expm1(-m * Math.log1p(chance * z)) / chance,
      ),
    squared: (m, n, z) =>
      meanOver(n, (chance) => {
        const first = chance < 1e-200 ? m * z : -Math.expm1(-m * Math.log1p(chance * z)) / chance;
        return first + secondFactorialMoment(m, chance, z);
      }),
  };
}

/**
 * Mean of X (X − 1) for a given chance p of leaving at each purchase, over rates λ ~ Gamma(m, A) and z = horizon / A. With
 * N ~ Poisson(λ horizon), P(X ≥ n) = (1 − p)^(n − 1) P(N ≥ n), and twice the sum of (n − 1) P(X ≥ n) is
 *   2 (1 − p) [1 − (1 + y)^−m − m y (1 + y)^−(m + 1)] / p², y = p z.
 */
function secondFactorialMoment(m: number, p: number, z: number): number {
  const y = p * z;
  // Near 0 the bracket is a difference of nearly equal numbers: its series instead, m (m + 1) y² (1/2 − …).
  if ((m + 3) * y < 1e-3)
    return (
      2 *
      (1 - p) *
      m *
      (m + 1) *
      z *
      z *
      (0.5 - (m + 2) * y * (1 / 3 - (m + 3) * y * (1 / 8 - ((m + 4) * y) / 30)))
    );
  const left = Math.exp(-m * Math.log1p(y));
  return (2 * (1 - p) * (1 - left - (m * y * left) / (1 + y))) / (p * p);
}

type BetaPoints = { p: Float64Array; weight: Float64Array };

const step = 1 / 16;
/** Points whose density is below e^−this of the highest are left out. */
const cutOff = 40;

/**
 * Points and weights (of sum 1) for a mean over Beta(a, b): the trapezoidal rule in v where logit p = centre + σ sinh v,
 * which decays doubly exponentially on both sides however small a or b are (Takahasi and Mori 1974).
 */
function betaPoints(a: number, b: number): BetaPoints {
  const centre = Math.log(a / b);
  const sigma = Math.sqrt((a + b) / (a * b));
  const logDensity = (v: number) => {
    const y = centre + sigma * Math.sinh(v);
    return a * y - (a + b) * softplus(y) + Math.log(Math.cosh(v));
  };
  const highest = logDensity(0);
  const p: number[] = [];
  const weight: number[] = [];
  let total = 0;
  for (const direction of [-1, 1]) {
    for (let i = direction === 1 ? 0 : 1; i < 4000; i++) {
      const v = direction * i * step;
      const height = logDensity(v) - highest;
      // cosh grows before the density falls: not the first points of small density, but those far out.
      if (height < -cutOff) break;
      const y = centre + sigma * Math.sinh(v);
      p.push(y > 0 ? 1 / (1 + Math.exp(-y)) : Math.exp(y) / (1 + Math.exp(y)));
      weight.push(Math.exp(height));
      total += Math.exp(height);
    }
  }
  return { p: Float64Array.from(p), weight: Float64Array.from(weight, (value) => value / total) };
}
