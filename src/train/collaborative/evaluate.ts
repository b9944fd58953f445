/**
 * Judges a collaborative model by what customers bought next, in two protocols:
 *
 *   all purchases   every item is a candidate and counts, bought before or not: what the shop sees
 *   new items       only items that the customer had not bought before are candidates and count: discovery
 *
 * Relevant items that the model cannot know (new in the shop) stay among the relevant: they are misses for everybody.
 */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import {
  fuseSources,
  rankSources,
  type SourceLists,
  scoreSources,
} from '../../algorithms/collaborative-ranking.ts';
import { createCandidateFinder } from '../../algorithms/ranker/features.ts';
import { candidateDepth, createLearnedRanking } from '../../algorithms/ranker/rank.ts';
import { RANKER_SOURCES, type RankerSource } from '../../algorithms/ranker/sources.ts';
import { nothingRanked } from '../../algorithms/top-k.ts';
import { Judged, judgedLength } from './quality.ts';
import { rankerSubjectOf } from './ranker-samples.ts';
import { requestOf, type TestSet } from './test-set.ts';

/** Whatever makes a list: a source alone, their fusion by rank, the learned ranker where the model has one. */
export type JudgedName = RankerSource | 'fused' | 'ranker';
export type ProtocolEvaluation = ReadonlyMap<JudgedName, Judged>;
export type Evaluation = { allPurchases: ProtocolEvaluation; newItems: ProtocolEvaluation };

/** Depth of the lists that are fused. */
const listDepth = 60;
const customersBetweenReports = 100;
type OnShare = (share: number) => void | Promise<void>;

/** The list that is served. */
export function servedOf(protocol: ProtocolEvaluation): Judged {
  const served = protocol.get('ranker') ?? protocol.get('fused');
  if (served === undefined) throw new RangeError('nobody was judged');
  return served;
}

/** Quality of every source, of their fusion, and of the model's ranker, in both protocols. */
export async function evaluateCollaborative(
  model: CollaborativeModel,
  set: TestSet,
  onProgress: OnShare = () => {},
): Promise<Evaluation> {
  const allPurchases = newProtocol(model);
  const newItems = newProtocol(model);
  const find = createCandidateFinder(model);
  const learned = model.ranker && createLearnedRanking(model, model.ranker);
  for (let n = 0; n < set.customers.length; n++) {
    const subject = rankerSubjectOf(model, set, n);
    const bought = new Set(subject.history.map(({ item }) => item));
    const isNew = (item: number) => !bought.has(item);
    const relevant = set.relevant[n]!;
    const fresh = freshLists(model, set, n, bought);

    const judge = (
      protocol: ReadonlyMap<JudgedName, Judged>,
      wanted: ReadonlySet<number>,
      fused: SourceLists,
      allowed?: (item: number) => boolean,
    ) => {
      const { lists } = find(subject, candidateDepth, allowed);
      for (const source of RANKER_SOURCES) protocol.get(source)?.add(lists[source].indices, wanted);
      protocol.get('fused')?.add(indicesOf(fuseSources(model.fusion, fused, judgedLength)), wanted);
      protocol.get('ranker')?.add(learned!.rank(subject, judgedLength, allowed).indices, wanted);
    };
    judge(allPurchases, relevant, fresh);
    const relevantNew = new Set([...relevant].filter(isNew));
    if (relevantNew.size > 0) judge(newItems, relevantNew, { ...fresh, buyAgain: nothingRanked }, isNew);
    if (n % customersBetweenReports === 0) await onProgress(n / set.customers.length);
  }
  return { allPurchases, newItems };
}

function newProtocol(model: CollaborativeModel): ReadonlyMap<JudgedName, Judged> {
  const hasEase = model.sources?.ease !== undefined;
  const names: JudgedName[] = [...RANKER_SOURCES.filter((name) => name !== 'ease' || hasEase), 'fused'];
  if (model.ranker !== undefined) names.push('ranker');
  return new Map(names.map((name) => [name, new Judged()]));
}

/** One customer's lists and what they should have foretold. */
export type JudgedLists = {
  relevant: ReadonlySet<number>;
  /** Relevant items that were not bought before. */
  relevantNew: ReadonlySet<number>;
  /** Only items that were not bought before; buy-again as it is. */
  fresh: SourceLists;
};

/** Ranks for every customer of the set, one by one, and hands each to `visit`. */
export async function rankTestSet(
  model: CollaborativeModel,
  set: TestSet,
  visit: (lists: JudgedLists) => void,
  onProgress: OnShare,
): Promise<void> {
  for (let n = 0; n < set.customers.length; n++) {
    const bought = new Set(requestOf(set, n).history.map(({ item }) => item));
    const relevant = set.relevant[n]!;
    visit({
      relevant,
      relevantNew: new Set([...relevant].filter((item) => !bought.has(item))),
      fresh: freshLists(model, set, n, bought),
    });
    if (n % customersBetweenReports === 0) await onProgress(n / set.customers.length);
  }
}

/** The lists that are fused: what was bought before is buy-again's, everything else the other sources'. */
function freshLists(
  model: CollaborativeModel,
  set: TestSet,
  n: number,
  bought: ReadonlySet<number>,
): SourceLists {
  return rankSources(scoreSources(model, requestOf(set, n)), listDepth, (item) => !bought.has(item));
}

/** The n-th customer's list by rank fusion. */
export function fusedList(model: CollaborativeModel, set: TestSet, n: number): number[] {
  const bought = new Set(requestOf(set, n).history.map(({ item }) => item));
  return indicesOf(fuseSources(model.fusion, freshLists(model, set, n, bought), judgedLength));
}

export function indicesOf(items: readonly { index: number }[]): number[] {
  return items.map(({ index }) => index);
}
