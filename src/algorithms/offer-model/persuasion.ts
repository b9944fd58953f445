/**
 * Which part of those who take an offer up order because of it, offer by offer, and what an offer that annoys costs in orders at once:
 *
 *   orders − E[orders] = zᵀγ + shareₐ · P(redeemed) − leftOut · P(dismissed | read, not taken) · E[orders] + ε
 *
 * E[orders] is foretold by a fit to other customers. Orders are counted, not whether there was one: who orders anyway orders
 * once more. The two are learnt together, since the same offers do both: alone, what annoyance leaves out would be taken for a
 * lack of persuasion. A share begins at what is assumed of the offer's kind.
 */
import { ANNOYANCE, PERSUADED_DEVIATION, persuadedShareOf } from './assumed-effects.ts';
import { gaussianSizes } from './gaussian-sizes.ts';

export type Persuasion = {
  /** By offer, in the order of the log's: share of those who redeem, and what is not known of it. */
  share: Float64Array;
  deviation: Float64Array;
  /** Share of the orders that who dismisses for sure leaves out for a while; and what is not known of it. */
  leftOut: number;
  leftOutDeviation: number;
};

export type PersuasionRows = {
  rows: number;
  /** By row: number of the offer, negative where there was none. */
  offer: Int32Array;
  /** By row: of the pair, 0 where there was none. Of what is not sold nobody is annoyed. */
  accepts: Float64Array;
  dismisses: Float64Array;
  /** Of the customer, whatever was offered. */
  annoyed: Float64Array;
  orders: Float64Array;
  expected: Float64Array;
  weight: Float64Array;
};

const controlDeviation = 10;

export function fitPersuasion(log: PersuasionRows, kinds: readonly string[]): Persuasion {
  const offers = kinds.length;
  // Shares, what is left out, and 1, E[orders], the customer's annoyance, the offer's.
  const size = offers + 5;
  const assumed = new Float64Array(size);
  const deviation = new Float64Array(size).fill(controlDeviation);
  for (const [o, kind] of kinds.entries()) {
    assumed[o] = persuadedShareOf(kind);
    deviation[o] = PERSUADED_DEVIATION;
  }
  assumed[offers] = ANNOYANCE.leftOut;
  deviation[offers] = ANNOYANCE.deviation;
  const target = log.orders.map((orders, row) => orders - log.expected[row]!);
  const { mean, covariance } = gaussianSizes(
    { rows: log.rows, target, weight: log.weight },
    { assumed, deviation },
    (row, x) => {
      x.fill(0);
      const offer = log.offer[row]!;
      if (offer >= 0) x[offer] = log.accepts[row]!;
      x[offers] = -log.dismisses[row]! * log.expected[row]!;
      x[offers + 1] = 1;
      x[offers + 2] = log.expected[row]!;
      x[offers + 3] = log.annoyed[row]!;
      x[offers + 4] = log.dismisses[row]!;
    },
  );
  const deviationOf = (k: number) => Math.sqrt(covariance[k * size + k]!);
  return {
    share: Float64Array.from(kinds, (_, o) => bounded(mean[o]!)),
    deviation: Float64Array.from(kinds, (_, o) => deviationOf(o)),
    leftOut: bounded(mean[offers]!),
    leftOutDeviation: deviationOf(offers),
  };
}

/** Before any log, or of an offer that it does not have: as those of its kind, the surer the more they count; else as assumed. */
export function shareOfKind(
  { share, deviation }: Persuasion,
  kinds: readonly string[],
  kind: string,
): { share: number; deviation: number } {
  let precision = 0;
  let sum = 0;
  for (const [o, other] of kinds.entries()) {
    if (other !== kind) continue;
    const weight = 1 / (deviation[o]! ** 2 + PERSUADED_DEVIATION ** 2);
    precision += weight;
    sum += weight * share[o]!;
  }
  if (precision === 0) return { share: persuadedShareOf(kind), deviation: PERSUADED_DEVIATION };
  return { share: sum / precision, deviation: Math.hypot(PERSUADED_DEVIATION, 1 / Math.sqrt(precision)) };
}

/** Nobody is persuaded less than not at all, nor leaves out more than everything. */
function bounded(share: number): number {
  return Math.max(0, Math.min(1, share));
}
