/**
 * The gamma function's logarithm and its derivative, and their differences.
 *
 * Likelihoods of purchase counts are made of Γ(a + n) / Γ(a). Taken as two logarithms, the difference of two large
 * numbers would lose the likelihood of a homogeneous customer base (a of millions) in rounding; here it is one formula.
 * Stirling's series after Abramowitz and Stegun (1964), 6.1.41 and 6.3.18, from arguments of 10 on; smaller ones are
 * moved up there by Γ(z + 1) = z Γ(z).
 */

const seriesFrom = 10;
/** Up to here a product of n factors is faster than the series, and cannot overflow. */
const shortProduct = 12;
const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/** ln Γ(z) for z > 0. */
export function logGamma(z: number): number {
  const steps = stepsUp(z);
  const high = z + steps;
  return (high - 0.5) * Math.log(high) - high + halfLogTwoPi + logTail(high) - Math.log(product(z, steps));
}

/** ln Γ(a + n) − ln Γ(a) for a > 0 and n ≥ 0: for whole n the logarithm of the rising factorial a (a + 1) … (a + n − 1). */
export function logRising(a: number, n: number): number {
  if (n <= shortProduct && Number.isInteger(n)) return Math.log(product(a, n));
  const stepsLow = stepsUp(a);
  const stepsHigh = stepsUp(a + n);
  const low = a + stepsLow;
  const high = a + n + stepsHigh;
  const distance = n + stepsHigh - stepsLow;
  return (
    (low - 0.5) * Math.log1p(distance / low) +
    distance * (Math.log(high) - 1) +
    (logTail(high) - logTail(low)) +
    Math.log(product(a, stepsLow)) -
    Math.log(product(a + n, stepsHigh))
  );
}

/** ψ(a + n) − ψ(a), the derivative of `logRising` by a; by n it is this and ψ(a). */
export function digammaRise(a: number, n: number): number {
  if (n <= shortProduct && Number.isInteger(n)) return sumOfInverses(a, n);
  const stepsLow = stepsUp(a);
  const stepsHigh = stepsUp(a + n);
  const low = a + stepsLow;
  const high = a + n + stepsHigh;
  return (
    Math.log1p((n + stepsHigh - stepsLow) / low) +
    (digammaTail(high) - digammaTail(low)) +
    sumOfInverses(a, stepsLow) -
    sumOfInverses(a + n, stepsHigh)
  );
}

function stepsUp(z: number): number {
  return z >= seriesFrom ? 0 : Math.ceil(seriesFrom - z);
}

function product(z: number, factors: number): number {
  let value = 1;
  for (let i = 0; i < factors; i++) value *= z + i;
  return value;
}

function sumOfInverses(z: number, terms: number): number {
  let sum = 0;
  for (let i = 0; i < terms; i++) sum += 1 / (z + i);
  return sum;
}

/** What ln Γ(z) is beyond (z − ½) ln z − z + ½ ln 2π. */
function logTail(z: number): number {
  const w = 1 / (z * z);
  return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188 - (w * 691) / 360360))))) / z;
}

/** What ψ(z) is beyond ln z. */
function digammaTail(z: number): number {
  const w = 1 / (z * z);
  return -0.5 / z - w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w * (1 / 240 - (w * 1) / 132))));
}
