/**
 * Quantiles of the gamma distribution, by the regularised incomplete gamma function: its series below the mean, Legendre's
 * continued fraction above (Abramowitz and Stegun 1964, 6.5.29 and 6.5.31).
 */
import { logGamma } from './gamma.ts';

const rounding = 1e-15;
const termsMax = 1000;

/** P(k, x) = γ(k, x) / Γ(k): the share of Gamma(k, 1) below x; k > 0, x ≥ 0. */
export function gammaShareBelow(k: number, x: number): number {
  return shareBelow(k, x, logGamma(k));
}

function shareBelow(k: number, x: number, logGammaK: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(k * Math.log(x) - x - logGammaK);
  if (x < k + 1) {
    let term = 1 / k;
    let sum = term;
    for (let n = 1; n < termsMax && term > rounding * sum; n++) {
      term *= x / (k + n);
      sum += term;
    }
    return Math.min(1, front * sum);
  }
  // Lentz's method.
  let b = x + 1 - k;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < termsMax; n++) {
    const a = -n * (n - k);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < rounding) break;
  }
  return Math.max(0, 1 - front * fraction);
}

/**
 * x with P(k, x) = `share`, 0 < share < 1, to eight digits: Halley's method in ln x from Wilson and Hilferty's cube (1931),
 * from the density's power law where k is small.
 */
export function gammaQuantile(k: number, share: number): number {
  const logGammaK = logGamma(k);
  let x = firstGuess(k, share, logGammaK);
  for (let round = 0; round < 30; round++) {
    const miss = shareBelow(k, x, logGammaK) - share;
    // Slope of the share by ln x; bent by k − x.
    const slope = Math.exp(k * Math.log(x) - x - logGammaK);
    if (!(slope > 0)) return x;
    const newton = miss / slope;
    const step = newton / Math.max(0.5, 1 - 0.5 * newton * (k - x));
    const bounded = Math.max(-1, Math.min(1, step));
    x *= Math.exp(-bounded);
    if (Math.abs(bounded) < 1e-9) break;
  }
  return x;
}

function firstGuess(k: number, share: number, logGammaK: number): number {
  const cube = 1 - 1 / (9 * k) + normalQuantile(share) / (3 * Math.sqrt(k));
  // P(k, x) → x^k / Γ(k + 1) for x → 0.
  if (k < 1 || cube < 0.2) {
    const logged = (Math.log(share) + logGammaK + Math.log(k)) / k;
    // An underflow is as good as 0: nobody is told so small an amount apart.
    return Math.max(1e-300, Math.min(k + 10, Math.exp(logged)));
  }
  return k * cube ** 3;
}

/** Of the standard normal, to .00045 (Abramowitz and Stegun, 26.2.23): where a search begins. */
function normalQuantile(share: number): number {
  const tail = Math.min(share, 1 - share);
  const t = Math.sqrt(-2 * Math.log(tail));
  const z =
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return share < 0.5 ? -z : z;
}
