/** Intervals of 95 % for shares and means of independent customers. */

/** 97.5 % quantile of the standard normal. */
export const z95 = 1.959963984540054;

export type Bounds = { low: number; high: number };

/**
 * Wilson's score interval (Wilson 1927, JASA 22): right for few customers and for shares near 0 and 1, where p ± z·√(p(1−p)/n)
 * is not. null without customers.
 */
export function wilsonInterval(successes: number, n: number): Bounds | null {
  if (n <= 0) return null;
  const p = successes / n;
  const centre = (p + z95 ** 2 / (2 * n)) / (1 + z95 ** 2 / n);
  const half = (z95 / (1 + z95 ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z95 ** 2 / (4 * n ** 2));
  // At the ends rounding would leave out the share itself.
  return { low: successes === 0 ? 0 : centre - half, high: successes === n ? 1 : centre + half };
}

/** mean ± z·s/√n, by the central limit theorem: rough below some thirty customers. null below two. */
export function normalInterval(mean: number, deviation: number, n: number): Bounds | null {
  if (n < 2) return null;
  const half = (z95 * deviation) / Math.sqrt(n);
  return { low: mean - half, high: mean + half };
}

/**
 * Of the net promoter score 100·(p − d): adjusted Wald with three answers added, ¾ promoter, 1½ passive, ¾ detractor
 * (Rocks 2016, The American Statistician 70), so that ten promoters of ten are not certain to be 100. null without answers.
 */
export function npsInterval(promoters: number, detractors: number, n: number): Bounds | null {
  if (n <= 0) return null;
  const p = (promoters + 0.75) / (n + 3);
  const d = (detractors + 0.75) / (n + 3);
  const half = z95 * Math.sqrt((p + d - (p - d) ** 2) / (n + 3));
  const own = (promoters - detractors) / n;
  return {
    low: 100 * Math.max(-1, Math.min(own, p - d - half)),
    high: 100 * Math.min(1, Math.max(own, p - d + half)),
  };
}

/**
 * Of the difference of two shares, first − second, from their Wilson intervals (Newcombe 1998, Statistics in Medicine 17, his
 * method 10). null where one has no customers.
 */
export function differenceInterval(
  first: { successes: number; n: number },
  second: { successes: number; n: number },
): Bounds | null {
  const a = wilsonInterval(first.successes, first.n);
  const b = wilsonInterval(second.successes, second.n);
  if (a === null || b === null) return null;
  const p = first.successes / first.n;
  const q = second.successes / second.n;
  return {
    low: p - q - Math.hypot(p - a.low, b.high - q),
    high: p - q + Math.hypot(a.high - p, q - b.low),
  };
}
