/** Turns customers with a known future into what a ranker learns from and is chosen by. */
import { browsingWeight } from '../../algorithms/browsing.ts';
import { type CollaborativeModel, historyWeights } from '../../algorithms/collaborative-model.ts';
import { createCandidateFinder, RANKER_FEATURES } from '../../algorithms/ranker/features.ts';
import { candidateDepth } from '../../algorithms/ranker/rank.ts';
import { createRankerScorer, type Ranker } from '../../algorithms/ranker/ranker.ts';
import { type RankerSamples, SampleCollector, thinSamples } from '../../algorithms/ranker/samples.ts';
import type { RankerSubject } from '../../algorithms/ranker/sources.ts';
import { createRng } from '../../algorithms/rng.ts';
import { topK } from '../../algorithms/top-k.ts';
import { fusedList } from './evaluate.ts';
import { Judged, judgedLength } from './quality.ts';
import { requestOf, type TestSet } from './test-set.ts';

/** A stretch of time: the sources as they stood at its start, and what customers bought in it. */
export type RankerWindow = {
  /** Of customers that the rankers learn from. */
  learning: RankerSamples;
  /** Of customers that take no part in that, and choose between them. */
  choosing: RankerSamples;
  /** Rank fusion on those who choose. */
  fused: Judged;
};

/** Share of the customers that choose. */
const choosingShareDefault = 0.25;
/** Candidates of a customer that were not bought and are learnt from. */
export const negativesMax = 100;
const customersBetweenReports = 100;

/** Whom the ranker is asked about for the n-th customer of the set. */
export function rankerSubjectOf(model: CollaborativeModel, set: TestSet, n: number): RankerSubject {
  const { history, segment, now } = requestOf(set, n);
  const purchases = historyWeights(model, history, now);
  const browsed = browsedBy(set, n);
  const interests = {
    items: Int32Array.from([...purchases.items, ...browsed.map(({ item }) => item)]),
    weights: Float32Array.from([
      ...purchases.weights,
      ...browsed.map(({ addedToCart, at }) => browsingWeight(model.weighting, addedToCart, at, model.asOf)),
    ]),
  };
  return { history, interests, segment, now };
}

/** As many as a customer's record keeps for an answer. */
const browsedMax = 10;

/** What the customer looked at and had not bought, the latest first. */
function browsedBy({ train: { browsing }, pairs, customers }: TestSet, n: number) {
  if (browsing === undefined) return [];
  const u = customers[n]!;
  const bought = new Set(pairs.item.subarray(pairs.indptr[u]!, pairs.indptr[u + 1]!));
  const found: { item: number; addedToCart: boolean; at: number }[] = [];
  for (let b = firstNotBelow(browsing.customer, u); browsing.customer[b] === u; b++)
    if (!bought.has(browsing.item[b]!))
      found.push({
        item: browsing.item[b]!,
        addedToCart: browsing.addedToCart[b] === 1,
        at: browsing.lastAt[b]!,
      });
  return found.sort((x, y) => y.at - x.at).slice(0, browsedMax);
}

function firstNotBelow(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `model` knows nothing later than `set.now`. */
export async function rankerWindow(
  model: CollaborativeModel,
  set: TestSet,
  seed: number,
  {
    choosingShare = choosingShareDefault,
    onProgress = () => {},
  }: { choosingShare?: number; onProgress?: (share: number) => void | Promise<void> } = {},
): Promise<RankerWindow> {
  const find = createCandidateFinder(model);
  const width = RANKER_FEATURES.length;
  const learning = new SampleCollector(width);
  const choosing = new SampleCollector(width);
  const fused = new Judged();
  for (let n = 0; n < set.customers.length; n++) {
    const { count, items, features } = find(rankerSubjectOf(model, set, n), candidateDepth);
    const relevant = set.relevant[n]!;
    const chooses = isChooser(set, n, seed, choosingShare);
    const collector = chooses ? choosing : learning;
    for (let c = 0; c < count; c++)
      collector.add(features.subarray(c * width, (c + 1) * width), relevant.has(items[c]!));
    collector.endGroup(relevant.size);
    if (chooses) fused.add(fusedList(model, set, n), relevant);
    if (n % customersBetweenReports === 0) await onProgress(n / set.customers.length);
  }
  return {
    learning: thinSamples(learning.finish(), negativesMax, createRng(seed, 'ranker', 'negatives', set.now)),
    choosing: choosing.finish(),
    fused,
  };
}

/** The same in every window: a customer's tastes are the same. */
function isChooser(set: TestSet, n: number, seed: number, choosingShare: number): boolean {
  const id = set.train.customerIds[set.customers[n]!]!;
  return createRng(seed, 'ranker', 'chooses', id).next() < choosingShare;
}

/** How good a ranker is on whole groups of candidates. */
export function judgeRanker(ranker: Ranker, samples: RankerSamples): Judged {
  const { width, indptr, features, labels, relevant } = samples;
  const score = createRankerScorer(ranker);
  const judged = new Judged();
  for (let g = 0; g < relevant.length; g++) {
    const from = indptr[g]!;
    const count = indptr[g + 1]! - from;
    const scores = new Float32Array(count);
    score(features.subarray(from * width, (from + count) * width), count, scores);
    const wanted = new Set<number>();
    for (let c = 0; c < count; c++) if (labels[from + c] === 1) wanted.add(c);
    // What no source brought is missed: places below 0 are never ranked.
    for (let missed = 1; wanted.size < relevant[g]!; missed++) wanted.add(-missed);
    judged.add(topK(scores, judgedLength).indices, wanted);
  }
  return judged;
}
