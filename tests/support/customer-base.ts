/** Customers drawn from the very models that are fitted to them. */
import type { SpendSummary } from '../../src/algorithms/customer-base/gamma-gamma.ts';
import type { PurchaseSummary } from '../../src/algorithms/customer-base/purchase-summary.ts';
import type { Rng } from '../../src/algorithms/rng.ts';

export type DrawnCustomers = PurchaseSummary & {
  /** Purchases within `horizon` after the observation. */
  future: Float64Array;
  /** 1: has not left by the end of the observation. */
  alive: Uint8Array;
};

/** When a customer leaves: the chance at each purchase (and at the first, too), or after a time. */
type Leaving = { chance: () => number; atFirst: boolean } | { lifetime: () => number };

export type BetaGeometricTruth = { r: number; alpha: number; a: number; b: number };

export function drawBetaGeometric(
  { r, alpha, a, b }: BetaGeometricTruth,
  customers: number,
  rng: Rng,
  options: { atFirst: boolean; horizon?: number },
): DrawnCustomers {
  const chance = () => {
    const [x, y] = [rng.gamma(a), rng.gamma(b)];
    return x / (x + y);
  };
  return draw(
    () => rng.gamma(r) / alpha,
    { chance, atFirst: options.atFirst },
    customers,
    rng,
    options.horizon,
  );
}

export function drawParetoNbd(
  { r, alpha, s, beta }: { r: number; alpha: number; s: number; beta: number },
  customers: number,
  rng: Rng,
  horizon?: number,
): DrawnCustomers {
  const lifetime = () => (rng.exponential() * beta) / rng.gamma(s);
  return draw(() => rng.gamma(r) / alpha, { lifetime }, customers, rng, horizon);
}

/** Ages run from 27 to 39, as in a study that follows for 39 weeks those who came in the first 12. */
function draw(
  rate: () => number,
  leaving: Leaving,
  customers: number,
  rng: Rng,
  horizon = 0,
): DrawnCustomers {
  const drawn = {
    frequency: new Float64Array(customers),
    recency: new Float64Array(customers),
    age: new Float64Array(customers),
    future: new Float64Array(customers),
    alive: new Uint8Array(customers),
  };
  for (let customer = 0; customer < customers; customer++) {
    const age = 27 + 12 * rng.next();
    const lambda = rate();
    const chance = 'chance' in leaving ? leaving.chance() : 0;
    let end = 'lifetime' in leaving ? leaving.lifetime() : Number.POSITIVE_INFINITY;
    if ('chance' in leaving && leaving.atFirst && rng.chance(chance)) end = 0;
    for (
      let at = rng.exponential() / lambda;
      at <= Math.min(end, age + horizon);
      at += rng.exponential() / lambda
    ) {
      if (at <= age) {
        drawn.frequency[customer]!++;
        drawn.recency[customer] = at;
      } else drawn.future[customer]!++;
      if (rng.chance(chance)) end = at;
    }
    drawn.age[customer] = age;
    drawn.alive[customer] = Number(end > age);
  }
  return drawn;
}

/** `frequency` many purchases of each customer, ν ~ Gamma(q, v), each worth Gamma(p, ν). */
export function drawSpend(
  { p, q, v }: { p: number; q: number; v: number },
  customers: number,
  rng: Rng,
): SpendSummary & { expectedSpend: Float64Array } {
  const frequency = new Float64Array(customers);
  const averageSpend = new Float64Array(customers);
  const expectedSpend = new Float64Array(customers);
  for (let customer = 0; customer < customers; customer++) {
    const x = rng.nextInt(8);
    const nu = rng.gamma(q) / v;
    frequency[customer] = x;
    // The sum of x draws of Gamma(p, ν) is one of Gamma(p x, ν).
    averageSpend[customer] = x === 0 ? 0 : rng.gamma(p * x) / nu / x;
    expectedSpend[customer] = p / nu;
  }
  return { frequency, averageSpend, expectedSpend };
}
