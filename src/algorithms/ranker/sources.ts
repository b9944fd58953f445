/**
 * The sources that candidates come from, and what each says of every item. A source is one entry of `SOURCES`: its
 * features, its part in training, evaluation and serving follow from that.
 */
import { dayMs } from '../../domain/time.ts';
import { type ItemHistory, rankBuyAgain } from '../buy-again.ts';
import type { CollaborativeModel } from '../collaborative-model.ts';
import type { CsrMatrix } from '../csr.ts';
import { similarCustomerScores } from '../customer-neighbours.ts';
import { decayedPurchases } from '../decayed-purchases.ts';
import { multiplyRows } from '../dense.ts';
import { createRowSolver } from '../ials-row.ts';

export const RANKER_SOURCES = [
  'ials',
  'ease',
  'neighbours',
  'complements',
  'customers',
  'habit',
  'buyAgain',
  'popularity',
] as const;
export type RankerSource = (typeof RANKER_SOURCES)[number];

/** One of something for each source. */
export function bySource<T>(make: (source: RankerSource, s: number) => T): Record<RankerSource, T> {
  const made: Partial<Record<RankerSource, T>> = {};
  for (const [s, source] of RANKER_SOURCES.entries()) made[source] = make(source, s);
  return made as Record<RankerSource, T>;
}

/** Whom candidates are sought for. */
export type RankerSubject = {
  history: readonly ItemHistory[];
  /** Weights (confidence − 1) of what the customer bought and looked at, for the sources that read tastes. */
  interests: { items: Int32Array; weights: Float32Array };
  /** The customer's factors, where they are known already; else they are folded in from the interests. */
  userFactors?: Float32Array;
  segment?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
};

/** Writes a score for every item into `out`, which is all 0; 0 = the source does not know the item. Higher is better. */
export type SourceScorer = (subject: RankerSubject, out: Float32Array) => void;

/** Half-life of the orders that complements are sought for. */
const complementHalfLifeDays = 14;

/** Each source of this model; those that the model lacks score nothing. */
export function createSourceScorers(model: CollaborativeModel): Record<RankerSource, SourceScorer> {
  const { itemFactors, factors, gram, neighbours, boughtTogether, rhythm, sources } = model;
  const solve = createRowSolver({ factors: itemFactors, size: factors, gram }, model);
  const row = new Float32Array(factors);
  return {
    ials: ({ interests: { items, weights }, userFactors }, out) => {
      if (items.length === 0 && userFactors === undefined) return;
      if (userFactors === undefined) solve(items, weights, 0, items.length, row, 0);
      multiplyRows(itemFactors, userFactors ?? row, out);
    },
    ease: ({ interests: { items, weights } }, out) => {
      if (sources?.ease !== undefined) addRows(sources.ease, items, (h) => weights[h]!, out);
    },
    neighbours: ({ interests: { items, weights } }, out) =>
      addRows(neighbours, items, (h) => weights[h]!, out),
    complements: ({ history, now }, out) => {
      for (const { item, lastAt } of history) addRow(boughtTogether, item, recency(lastAt, now), out);
    },
    customers: ({ history, now }, out) => {
      if (sources !== undefined && history.length > 0)
        out.set(similarCustomerScores(sources.customers, history, now));
    },
    habit: ({ history, now }, out) => {
      if (sources === undefined) return;
      for (const { item, purchaseCount, firstAt, lastAt } of history)
        out[item] = decayedPurchases(purchaseCount, firstAt, lastAt, now, sources.habitHalfLifeDays);
    },
    buyAgain: ({ history, now }, out) => {
      for (const { item, score } of rankBuyAgain(rhythm, history, now, model.buyAgainHorizonDays))
        out[item] = score;
    },
    popularity: ({ segment = '' }, out) => {
      const at = Math.max(0, model.segments.indexOf(segment)) * out.length;
      out.set(model.popularity.subarray(at, at + out.length));
    },
  };
}

function recency(lastAt: number, now: number): number {
  return 2 ** (-Math.max(0, now - lastAt) / dayMs / complementHalfLifeDays);
}

function addRows(
  matrix: CsrMatrix,
  items: Int32Array,
  weightOf: (h: number) => number,
  out: Float32Array,
): void {
  for (let h = 0; h < items.length; h++) addRow(matrix, items[h]!, weightOf(h), out);
}

function addRow({ indptr, indices, data }: CsrMatrix, row: number, weight: number, out: Float32Array): void {
  for (let p = indptr[row]!; p < indptr[row + 1]!; p++) out[indices[p]!]! += weight * data[p]!;
}
