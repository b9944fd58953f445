/**
 * Intervals that may be looked at as often as one likes: with probability 95 % the truth lies in all of them, at whatever
 * moment and for whatever reason one stops. Asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas
 * 2024, Annals of Statistics 52, "Time-uniform central limit theory and asymptotic confidence sequences"): Robbins' normal
 * mixture (1970) around an estimate whose error moves like Brownian motion,
 *
 *   estimate ± standardError · √( (1 + 1/τ) · (ln(1 + τ) − 2 ln α) ),   τ = ρ² · time.
 *
 * Time is that of the Brownian motion: what has come at a time must be a sum that grows by independent parts. For independent
 * answers that is their number. Outcomes of the same customers that grow while one looks have clocks of their own:
 *
 * - sums over time (money): days of customers watched. Customers who differ in how much they buy tie the looks to each other
 *   more closely than Brownian motion does, so that the intervals err on the wide side.
 * - shares of customers to whom something has happened for the first time: n · p / (1 − p). Their errors are an empirical
 *   process, a Brownian bridge in p, which is Brownian motion in the odds once it is divided by 1 − p (Doob 1949).
 */

const alpha = 0.05;

/** τ at which the intervals are narrowest beside those of a single look, 1.55 times as wide: the paper's choice of ρ. */
const tightest = -2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha));

/**
 * Half the interval's width, in standard errors. `clock` is the time as a multiple of one that was chosen before the first
 * look; there the interval is narrowest, and hardly wider from a tenth to a hundred times of it.
 */
export function sequenceBound(clock: number): number {
  const tau = tightest * clock;
  return Math.sqrt((1 + 1 / tau) * (Math.log1p(tau) - 2 * Math.log(alpha)));
}

/** What was seen in one group of independent customers. `variance` is that between them. */
export type Moments = { n: number; mean: number; variance: number };

/** second − first, at any look. null where a group has fewer than two customers or nothing varies. */
export function sequentialDifference(
  first: Moments,
  second: Moments,
  clock: number,
): { low: number; high: number } | null {
  if (first.n < 2 || second.n < 2 || !(clock > 0)) return null;
  const standardError = Math.sqrt(first.variance / first.n + second.variance / second.n);
  if (!(standardError > 0)) return null;
  const half = sequenceBound(clock) * standardError;
  const difference = second.mean - first.mean;
  return { low: difference - half, high: difference + half };
}
