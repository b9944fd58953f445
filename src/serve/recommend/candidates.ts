/** Each source's ranked candidates for one request, and what they can say for themselves. */

import { dueItem } from '../../algorithms/buy-again.ts';
import {
  boughtTogetherWith,
  buyAgain,
  type CollaborativeModel,
  neighbourScores,
} from '../../algorithms/collaborative-model.ts';
import type { ItemPart } from '../../algorithms/item-part.ts';
import { mostPopular } from '../../algorithms/most-popular.ts';
import { bestOfTaste } from '../../algorithms/taste-scan.ts';
import { nothingRanked, type Ranked, topK } from '../../algorithms/top-k.ts';
import type { Subject } from '../../scoring/interests.ts';
import { isDue } from './due.ts';
import { strongestComplement, strongestEase } from './learned.ts';
import type { Evidence } from './reasons.ts';
import type { CandidateSource, Source } from './scenarios.ts';
import { keptOfTaste, type Taste } from './taste.ts';

/** Whether an item may be answered, by its index in the model. */
export type Allowed = (item: number) => boolean;

export type CandidateRequest = {
  model: CollaborativeModel;
  subject: Subject;
  /** undefined: nothing is known of the customer's interests. */
  taste: Taste | undefined;
  /** Items of the page or the basket, as indices. */
  pageItems: readonly number[];
  /**
   * Of the items of the page, those that stand in for one which is too new: they may be answered themselves, and what is
   * similar is similar to the new one.
   */
  standsFor: ReadonlyMap<number, string>;
  similarTo: (item: number) => Ranked;
  sources: readonly CandidateSource[];
  /** What may be answered at all; buyAgain chooses from it. */
  allowed: Allowed;
  /** What may be answered and was not bought; the other sources choose from it. */
  allowedNew: Allowed;
  /** All of that is among these, where they are given. */
  among: ItemPart | undefined;
  /** Candidates a source. */
  length: number;
  now: number;
};

export type Candidates = {
  lists: Map<CandidateSource, Ranked>;
  evidence: (source: Source, item: number) => Evidence;
};

export function gatherCandidates(request: CandidateRequest): Candidates {
  const { model, subject, taste, allowedNew: allowed, among, length } = request;
  const lists = new Map<CandidateSource, Ranked>();
  const context = contextOf(request);
  const isContext = new Set(context.filter((item) => !request.standsFor.has(item)));
  const becauseTogether = new Map<number, number>();
  const notInContext: Allowed = (item) => !isContext.has(item) && allowed(item);

  const gather: Record<CandidateSource, () => Ranked> = {
    ials: () =>
      taste === undefined
        ? nothingRanked
        : firstAllowed(taste.ials(), length, allowed, () =>
            bestOfTaste(model, taste.userFactors, length, { allowed, among }),
          ),
    neighbours: () =>
      taste === undefined
        ? nothingRanked
        : firstAllowed(taste.neighbours(), length, positive(allowed, taste.neighbours()), () =>
            topK(withoutZeros(neighbourScores(model, taste.items, taste.weights)), length, allowed),
          ),
    buyAgain: () => {
      const due = buyAgain(model, subject.history, request.now).filter(
        (entry) => isDue(entry) && request.allowed(entry.item),
      );
      return rankedOf(due.slice(0, length).map(({ item, score }) => [item, score]));
    },
    popularity: () => mostPopular(model, subject.segment, length, { allowed, among }),
    boughtTogether: () =>
      merge(
        context.map((item) => [item, boughtTogetherWith(model, item, length)]),
        notInContext,
        length,
        becauseTogether,
      ),
    similar: () => {
      const [first] = context;
      if (first === undefined) return nothingRanked;
      const alike = request.similarTo(first);
      return firstAllowed(alike, length, positive(notInContext, alike), undefined);
    },
  };
  for (const source of request.sources) lists.set(source, gather[source]());

  const idOf = (item: number | undefined) => (item === undefined ? undefined : model.itemIds[item]);
  return {
    lists,
    evidence: (source, item) => {
      const { segment } = subject;
      if (source === 'boughtTogether') {
        const because = becauseTogether.get(item) ?? strongestComplement(model, subject, item);
        return { because: idOf(because), segment };
      }
      if (source === 'ease') return { because: idOf(taste && strongestEase(model, taste, item)), segment };
      if (source === 'similar')
        return { because: request.standsFor.get(context[0] ?? -1) ?? idOf(context[0]), segment };
      if (source === 'neighbours') return { because: idOf(strongestNeighbour(model, taste, item)), segment };
      if (source === 'buyAgain') return { usualGap: gapOf(model, subject, item, request.now), segment };
      return { segment, isRising: source === 'popularity' && isRising(model, item) };
    },
  };
}

/** What a trend is: an item's share of all sales lately, beside its share over a longer time (`ItemFacts.trend`). */
const risingFrom = Math.log(2);

function isRising({ sources }: CollaborativeModel, item: number): boolean {
  return (sources?.facts.trend[item] ?? 0) >= risingFrom;
}

/** Most recent interests that stand in for a page's items. */
const contextMax = 5;

/** What the page or the basket is about; where it is about nothing, what the customer was last busy with. */
function contextOf({ pageItems, subject }: CandidateRequest): number[] {
  if (pageItems.length > 0) return [...pageItems];
  const browsed = subject.browsed.map(({ item }) => item);
  const bought = subject.history.slice(-contextMax).map(({ item }) => item);
  return [...browsed, ...bought.reverse()].slice(0, contextMax);
}

/** The customer's rhythm for an item of their own. */
function gapOf(
  model: CollaborativeModel,
  { history }: Subject,
  item: number,
  now: number,
): Evidence['usualGap'] {
  const entry = history.find((own) => own.item === item);
  if (entry === undefined) return undefined;
  const { usualGapDays } = dueItem(model.rhythm, entry, now, model.buyAgainHorizonDays);
  return { days: usualGapDays, personal: entry.purchaseCount > 1 };
}

/** The first of a kept list that are allowed; all items are scanned again where too much of the list is not. */
function firstAllowed(
  kept: Ranked,
  length: number,
  allowed: Allowed,
  rescan: (() => Ranked) | undefined,
): Ranked {
  const chosen: [number, number][] = [];
  for (let at = 0; at < kept.indices.length && chosen.length < length; at++) {
    if (allowed(kept.indices[at]!)) chosen.push([kept.indices[at]!, kept.scores[at]!]);
  }
  const isWhole = chosen.length === length || kept.indices.length < keptOfTaste;
  return isWhole || rescan === undefined ? rankedOf(chosen) : rescan();
}

/** No neighbour in common, or a taste at right angles, is no recommendation: scores of 0 and less are left out. */
function positive(allowed: Allowed, kept: Ranked): Allowed {
  const zeros = new Set<number>();
  for (let at = kept.scores.length - 1; at >= 0 && kept.scores[at]! <= 0; at--) zeros.add(kept.indices[at]!);
  return zeros.size === 0 ? allowed : (item) => !zeros.has(item) && allowed(item);
}

function withoutZeros(scores: Float32Array): Float32Array {
  return scores.map((score) => (score > 0 ? score : Number.NEGATIVE_INFINITY));
}

/** Sums the lists; `because` learns for each item which of them spoke for it most. */
function merge(
  lists: readonly [number, Ranked][],
  allowed: Allowed,
  length: number,
  because: Map<number, number>,
): Ranked {
  const sums = new Map<number, number>();
  const strongest = new Map<number, number>();
  for (const [context, { indices, scores }] of lists) {
    for (let at = 0; at < indices.length; at++) {
      const item = indices[at]!;
      if (!allowed(item)) continue;
      sums.set(item, (sums.get(item) ?? 0) + scores[at]!);
      if (scores[at]! > (strongest.get(item) ?? Number.NEGATIVE_INFINITY)) {
        strongest.set(item, scores[at]!);
        because.set(item, context);
      }
    }
  }
  return rankedOf([...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, length));
}

function rankedOf(pairs: readonly (readonly [number, number])[]): Ranked {
  return {
    indices: Int32Array.from(pairs, ([item]) => item),
    scores: Float32Array.from(pairs, ([, score]) => score),
  };
}

/** The interest that speaks most for an item: argmax over the customer's items of weight × similarity. */
function strongestNeighbour(
  model: CollaborativeModel,
  taste: Taste | undefined,
  item: number,
): number | undefined {
  if (taste === undefined) return undefined;
  const { indptr, indices, data } = model.neighbours;
  let best: number | undefined;
  let bestScore = 0;
  for (let h = 0; h < taste.items.length; h++) {
    const row = taste.items[h]!;
    for (let p = indptr[row]!; p < indptr[row + 1]!; p++) {
      const score = taste.weights[h]! * data[p]!;
      if (indices[p] === item && score > bestScore) {
        best = row;
        bestScore = score;
      }
    }
  }
  return best;
}
