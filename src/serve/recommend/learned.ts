/** The learned ranker's list for one customer, and which sources brought each item where it stands. */
import { dueItem } from '../../algorithms/buy-again.ts';
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import type { CsrMatrix } from '../../algorithms/csr.ts';
import type { ItemPart } from '../../algorithms/item-part.ts';
import { createLearnedRanking, type LearnedList, type LearnedRanking } from '../../algorithms/ranker/rank.ts';
import { RANKER_SOURCES, type RankerSource, type RankerSubject } from '../../algorithms/ranker/sources.ts';
import { nothingRanked } from '../../algorithms/top-k.ts';
import type { Subject } from '../../scoring/interests.ts';
import type { Allowed } from './candidates.ts';
import { isDue } from './due.ts';
import type { Voice } from './pool-item.ts';
import type { CandidateSource, Scenario, Source } from './scenarios.ts';

/** As an answer names them: what a customer is used to buy is bought again, a complement goes with what was bought. */
const ANSWERED_AS: Readonly<Record<RankerSource, Source>> = {
  ials: 'ials',
  ease: 'ease',
  neighbours: 'neighbours',
  complements: 'boughtTogether',
  customers: 'customers',
  habit: 'buyAgain',
  buyAgain: 'buyAgain',
  popularity: 'popularity',
};

/** Its scratch memory is as large as the catalogue: made once a model, and kept as long as that is. */
const rankings = new WeakMap<CollaborativeModel, LearnedRanking>();

function rankingOf(model: CollaborativeModel): LearnedRanking | undefined {
  if (model.ranker === undefined) return undefined;
  let ranking = rankings.get(model);
  if (ranking === undefined) {
    ranking = createLearnedRanking(model, model.ranker);
    rankings.set(model, ranking);
  }
  return ranking;
}

type Interests = RankerSubject['interests'];

/** A learned list, and what each source did for the items that were asked about. */
export type LearnedCandidates = LearnedList & { parts: Map<number, Record<RankerSource, number>> };

/** Reckoning what each source did costs as much as ranking does: kept as long as the customer's list is. */
const partsOfKept = new WeakMap<LearnedList, LearnedCandidates['parts']>();

function partsOf(kept: LearnedList): LearnedCandidates['parts'] {
  let parts = partsOfKept.get(kept);
  if (parts === undefined) {
    parts = new Map();
    partsOfKept.set(kept, parts);
  }
  return parts;
}

/** Items that are kept of a list, with what the ranker was told of each. */
const keptLearned = 100;

/** The customer's best items: new ones, and their own that are due. undefined without a ranker. */
export function learnedListOf(
  model: CollaborativeModel,
  subject: Subject,
  interests: Interests,
  userFactors: Float32Array,
  now: number,
): LearnedList | undefined {
  const dues = dueAmong(model, subject, now);
  return rankingOf(model)?.rank(
    { history: subject.history, interests, userFactors, segment: subject.segment, now },
    keptLearned,
    (item) => !subject.bought.has(item) || dues.has(item),
  );
}

/** The first of the kept list that are allowed; ranked anew where too many of it are not. */
export function learnedCandidates(
  model: CollaborativeModel,
  subject: Subject,
  taste: Interests & { userFactors: Float32Array; learned: () => LearnedList | undefined },
  length: number,
  { allowed, among }: { allowed: Allowed; among: ItemPart | undefined },
  includeBought: Scenario['includeBought'],
  now: number,
): LearnedCandidates {
  const kept = taste.learned();
  const ranking = rankingOf(model);
  if (kept === undefined || ranking === undefined) return nothingLearned;
  const dues = dueAmong(model, subject, now);
  const mayCome: Allowed = (item) => {
    if (subject.bought.has(item)) {
      if (includeBought === 'never') return false;
      if (includeBought === 'whenDue' && !dues.has(item)) return false;
    }
    return allowed(item);
  };
  const places: number[] = [];
  for (let at = 0; at < kept.indices.length && places.length < length; at++)
    if (mayCome(kept.indices[at]!)) places.push(at);
  const isWhole = places.length === length || kept.indices.length < keptLearned;
  if (!isWhole || includeBought === 'always') {
    const asked = {
      history: subject.history,
      interests: taste,
      userFactors: taste.userFactors,
      segment: subject.segment,
      now,
    };
    return { ...ranking.rank(asked, length, mayCome, among), parts: new Map() };
  }
  const width = kept.features.length / Math.max(1, kept.indices.length);
  const features = new Float32Array(places.length * width);
  for (const [n, at] of places.entries())
    features.set(kept.features.subarray(at * width, (at + 1) * width), n * width);
  return {
    indices: Int32Array.from(places, (at) => kept.indices[at]!),
    scores: Float32Array.from(places, (at) => kept.scores[at]!),
    features,
    parts: partsOf(kept),
  };
}

export const nothingLearned: LearnedCandidates = {
  ...nothingRanked,
  features: new Float32Array(0),
  parts: new Map(),
};

/** Items of the customer's that are due. */
function dueAmong(model: CollaborativeModel, { history }: Subject, now: number): ReadonlySet<number> {
  const dues = new Set<number>();
  for (const entry of history)
    if (isDue(dueItem(model.rhythm, entry, now, model.buyAgainHorizonDays))) dues.add(entry.item);
  return dues;
}

/** The voices of a fused item: the learned list speaks for the sources that it was made of. */
export function voicesOf(
  model: CollaborativeModel,
  learned: LearnedCandidates,
  item: number,
  sources: readonly { source: CandidateSource | 'learned'; share: number }[],
): Voice[] {
  const sums = new Map<Source, number>();
  for (const { source, share } of sources) {
    const voices = source === 'learned' ? shareBySource(model, learned, item, share) : [{ source, share }];
    for (const voice of voices) sums.set(voice.source, (sums.get(voice.source) ?? 0) + voice.share);
  }
  return [...sums].map(([source, share]) => ({ source, share })).sort((a, b) => b.share - a.share);
}

/**
 * `share` divided among the sources whose features raised the item's score, by how much each did; all to the strongest
 * where none did. Largest first.
 */
function shareBySource(
  model: CollaborativeModel,
  { indices, features, parts: known }: LearnedCandidates,
  item: number,
  share: number,
): Voice[] {
  const at = indices.indexOf(item);
  const ranking = rankingOf(model);
  if (at === -1 || ranking === undefined) return [];
  const width = features.length / indices.length;
  const parts = known.get(item) ?? ranking.contributions(features.subarray(at * width, (at + 1) * width));
  known.set(item, parts);
  const sums = new Map<Source, number>();
  let strongest: RankerSource = RANKER_SOURCES[0];
  for (const source of RANKER_SOURCES) {
    if (parts[source] > parts[strongest]) strongest = source;
    if (parts[source] > 0)
      sums.set(ANSWERED_AS[source], (sums.get(ANSWERED_AS[source]) ?? 0) + parts[source]);
  }
  if (sums.size === 0) return [{ source: ANSWERED_AS[strongest], share }];
  let total = 0;
  for (const part of sums.values()) total += part;
  return [...sums]
    .map(([source, part]) => ({ source, share: (share * part) / total }))
    .sort((a, b) => b.share - a.share);
}

/** The purchase that a complement goes with: the latest whose orders hold it often. */
export function strongestComplement(
  model: CollaborativeModel,
  { history }: Subject,
  item: number,
): number | undefined {
  return strongest(history.map((entry) => entry.item).reverse(), (bought) =>
    weightIn(model.boughtTogether, bought, item),
  );
}

/** The interest that EASE has speak most for an item. */
export function strongestEase(
  model: CollaborativeModel,
  { items, weights }: Interests,
  item: number,
): number | undefined {
  const ease = model.sources?.ease;
  if (ease === undefined) return undefined;
  return strongest([...items], (bought, h) => weights[h]! * weightIn(ease, bought, item));
}

function strongest(
  items: readonly number[],
  weightOf: (item: number, place: number) => number,
): number | undefined {
  let best: number | undefined;
  let highest = 0;
  for (const [place, item] of items.entries()) {
    const weight = weightOf(item, place);
    if (weight > highest) {
      best = item;
      highest = weight;
    }
  }
  return best;
}

function weightIn({ indptr, indices, data }: CsrMatrix, row: number, column: number): number {
  for (let p = indptr[row]!; p < indptr[row + 1]!; p++) if (indices[p] === column) return data[p]!;
  return 0;
}
