/** A customer's list by the learned ranker, and what each source did for it. */
import type { CollaborativeModel } from '../collaborative-model.ts';
import type { ItemPart } from '../item-part.ts';
import { topK } from '../top-k.ts';
import { createCandidateFinder, ITEM_COLUMNS, RANKER_FEATURES, SOURCE_COLUMNS } from './features.ts';
import { createRankerScorer, type Ranker } from './ranker.ts';
import { RANKER_SOURCES, type RankerSource, type RankerSubject } from './sources.ts';

/** Candidates that each source brings, in training as in serving. */
export const candidateDepth = 100;
const width = RANKER_FEATURES.length;

export type LearnedList = {
  /** Best first. */
  indices: Int32Array;
  /** Rank; no probabilities. */
  scores: Float32Array;
  /** indices × RANKER_FEATURES.length: what the ranker was told of each. */
  features: Float32Array;
};

export type LearnedRanking = {
  /**
   * The at most k best candidates of all sources. `allowed` bounds every source; all that it takes is among `among`, where that
   * is given.
   */
  rank: (
    subject: RankerSubject,
    k: number,
    allowed?: (item: number) => boolean,
    among?: ItemPart,
  ) => LearnedList;
  /**
   * What each source added to the score of a row of features: the score less the score of the same row without what the
   * source says (its features 0, those of the item at their average).
   */
  contributions: (row: Float32Array) => Record<RankerSource, number>;
};

/** Holds scratch memory for the catalogue: make one for each model, and keep it. */
export function createLearnedRanking(model: CollaborativeModel, ranker: Ranker): LearnedRanking {
  const find = createCandidateFinder(model);
  const score = model.scoreCandidates ?? createRankerScorer(ranker);
  let scores = new Float32Array(0);
  /** What a source that says nothing leaves in a row. */
  const absent = new Float32Array(width);
  for (const column of ITEM_COLUMNS) absent[column] = ranker.mean[column]!;
  const ablated = new Float32Array((RANKER_SOURCES.length + 1) * width);
  const ablatedScores = new Float32Array(RANKER_SOURCES.length + 1);
  return {
    rank: (subject, k, allowed, among) => {
      const { count, items, features } = find(subject, candidateDepth, allowed, among);
      if (scores.length < count) scores = new Float32Array(2 * count);
      score(features, count, scores);
      const best = topK(scores.subarray(0, count), k);
      const rows = new Float32Array(best.indices.length * width);
      for (let b = 0; b < best.indices.length; b++) {
        const at = best.indices[b]! * width;
        rows.set(features.subarray(at, at + width), b * width);
      }
      return { indices: best.indices.map((c) => items[c]!), scores: best.scores, features: rows };
    },
    contributions: (row) => {
      // Last the row as it is, before it those without each source that says something: most say nothing of an item.
      const spoken = RANKER_SOURCES.filter((source) =>
        SOURCE_COLUMNS[source].some((column) => row[column] !== absent[column]),
      );
      for (let s = 0; s <= spoken.length; s++) ablated.set(row, s * width);
      for (const [s, source] of spoken.entries())
        for (const column of SOURCE_COLUMNS[source]) ablated[s * width + column] = absent[column]!;
      score(ablated, spoken.length + 1, ablatedScores);
      const whole = ablatedScores[spoken.length]!;
      const parts: Partial<Record<RankerSource, number>> = {};
      for (const source of RANKER_SOURCES) parts[source] = 0;
      for (const [s, source] of spoken.entries()) parts[source] = whole - ablatedScores[s]!;
      return parts as Record<RankerSource, number>;
    },
  };
}
