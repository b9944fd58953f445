/**
 * The sources that candidates come from, and what each says of every item. A source is one entry of `SOURCES`: its
 * features, its part in training, evaluation and serving follow from that.
 */
import { dayMs } from '../../domain/time.ts';
import { type ItemHistory, rankBuyAgain } from '../buy-again.ts';
import { type CollaborativeModel, popularityScores } from '../collaborative-model.ts';
import type { CsrMatrix } from '../csr.ts';
import { createSimilarCustomers } from '../customer-neighbours.ts';
import { decayedPurchases } from '../decayed-purchases.ts';
import { multiplyRow } from '../dense.ts';
import { createRowSolver } from '../ials-row.ts';
import type { ItemPart } from '../item-part.ts';
import { mostPopular } from '../most-popular.ts';
import { type ScoreSheet, scoreSheets } from '../score-sheet.ts';
import { bestOfTaste } from '../taste-scan.ts';
import { nothingRanked, type Ranked } from '../top-k.ts';

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

/** Those that know few items of each subject, and keep what they say on a sheet. */
const SHEETED_SOURCES = [
  'ease',
  'neighbours',
  'complements',
  'customers',
  'habit',
  'buyAgain',
] as const satisfies readonly RankerSource[];
type SheetedSource = (typeof SHEETED_SOURCES)[number];

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

/** A source's best candidates for a subject, and its score of any item, which is good until the next subject. */
export type SourceCandidates = {
  /** Best first; scores above 0 alone. */
  list: Ranked;
  /** 0: the source does not know the item. */
  scoreOf: (item: number) => number;
};

export type RankerSourceFinder = (
  subject: RankerSubject,
  depth: number,
  allowed?: (item: number) => boolean,
  /** All that `allowed` takes is among these: sources that have something to say of every item look at them alone. */
  among?: ItemPart,
) => SourceCandidates;

/** Half-life of the orders that complements are sought for. */
const complementHalfLifeDays = 14;

const nothingKnown: SourceCandidates = { list: nothingRanked, scoreOf: () => 0 };

/** Each source of this model; those that the model lacks know nothing. They own scratch memory: one call at a time. */
export function createSourceFinders(model: CollaborativeModel): Record<RankerSource, RankerSourceFinder> {
  const { neighbours, boughtTogether, rhythm, sources } = model;
  const ofSimilar = sources && createSimilarCustomers(sources.customers);

  const sheets = scoreSheets(model.itemIds.length, SHEETED_SOURCES.length);

  /** Of the few items that customers like this one are about. */
  const sparse = (
    source: SheetedSource,
    write: (subject: RankerSubject, out: ScoreSheet) => void,
  ): RankerSourceFinder => {
    const sheet = sheets[SHEETED_SOURCES.indexOf(source)]!;
    const scoreOf = (item: number) => sheet.scoreOf(item);
    return (subject, depth, allowed) => {
      sheet.clear();
      write(subject, sheet);
      return { list: sheet.best(depth, allowed), scoreOf };
    };
  };

  return {
    ials: createTasteFinder(model),
    ease: sparse('ease', ({ interests }, out) => {
      if (sources?.ease !== undefined) addRows(sources.ease, interests, out);
    }),
    neighbours: sparse('neighbours', ({ interests }, out) => addRows(neighbours, interests, out)),
    complements: sparse('complements', ({ history, now }, out) => {
      for (const { item, lastAt } of history) addRow(boughtTogether, item, recency(lastAt, now), out);
    }),
    customers: sparse('customers', ({ history, now }, out) => {
      if (history.length > 0) ofSimilar?.(history, now, out);
    }),
    habit: sparse('habit', ({ history, now }, out) => {
      if (sources === undefined) return;
      for (const { item, purchaseCount, firstAt, lastAt } of history)
        out.add(item, decayedPurchases(purchaseCount, firstAt, lastAt, now, sources.habitHalfLifeDays));
    }),
    buyAgain: sparse('buyAgain', ({ history, now }, out) => {
      for (const { item, score } of rankBuyAgain(rhythm, history, now, model.buyAgainHorizonDays))
        out.add(item, score);
    }),
    popularity: createPopularityFinder(model),
  };
}

/** What lies in the direction of the customer's factors: the one source that has something to say of every item. */
function createTasteFinder(model: CollaborativeModel): RankerSourceFinder {
  const { itemFactors, factors, gram } = model;
  const solve = createRowSolver({ factors: itemFactors, size: factors, gram }, model);
  const row = new Float32Array(factors);
  return ({ history, interests: { items, weights }, userFactors }, depth, allowed, among) => {
    if (items.length === 0 && userFactors === undefined) return nothingKnown;
    if (userFactors === undefined) solve(items, weights, 0, items.length, row, 0);
    const vector = userFactors ?? row;
    return {
      list: bestOfTaste(model, vector, depth, { allowed, above: 0, refused: history.length, among }),
      scoreOf: (item) => Math.fround(multiplyRow(itemFactors, item * factors, vector)),
    };
  };
}

function createPopularityFinder(model: CollaborativeModel): RankerSourceFinder {
  return ({ segment = '' }, depth, allowed, among) => {
    const shares = popularityScores(model, segment);
    return {
      list: mostPopular(model, segment, depth, { allowed, among }),
      scoreOf: (item) => shares[item]!,
    };
  };
}

function recency(lastAt: number, now: number): number {
  return 2 ** (-Math.max(0, now - lastAt) / dayMs / complementHalfLifeDays);
}

function addRows(matrix: CsrMatrix, { items, weights }: RankerSubject['interests'], out: ScoreSheet): void {
  for (let h = 0; h < items.length; h++) addRow(matrix, items[h]!, weights[h]!, out);
}

function addRow({ indptr, indices, data }: CsrMatrix, row: number, weight: number, out: ScoreSheet): void {
  for (let p = indptr[row]!; p < indptr[row + 1]!; p++) out.add(indices[p]!, weight * data[p]!);
}
