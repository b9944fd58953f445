/**
 * Judges a collaborative model by what customers bought next, in two protocols:
 *
 *   all purchases   every item is a candidate and counts, bought before or not: what the shop sees
 *   new items       only items that the customer had not bought before are candidates and count: discovery
 *
 * Relevant items that the model cannot know (new in the shop) stay among the relevant: they are misses for everybody.
 */
import {
  COLLABORATIVE_SOURCES,
  type CollaborativeModel,
  type CollaborativeSource,
} from '../../algorithms/collaborative-model.ts';
import {
  fuseSources,
  rankSources,
  type SourceLists,
  scoreSources,
} from '../../algorithms/collaborative-ranking.ts';
import { ndcgAtK, recallAtK } from '../../algorithms/ranking-metrics.ts';
import { nothingRanked } from '../../algorithms/top-k.ts';
import { requestOf, type TestSet } from './test-set.ts';

/** Means over customers. */
export type RankingQuality = { recallAt10: number; ndcgAt10: number };

export type ProtocolQuality = Record<CollaborativeSource | 'fused', RankingQuality> & { customers: number };
export type Evaluation = { allPurchases: ProtocolQuality; newItems: ProtocolQuality };

export const judgedLength = 10;
/** Depth of the lists that are fused. */
const listDepth = 60;
const customersBetweenReports = 100;

/** One customer's lists and what they should have foretold. */
export type JudgedLists = {
  relevant: ReadonlySet<number>;
  /** Relevant items that were not bought before. */
  relevantNew: ReadonlySet<number>;
  /** Every item is a candidate. */
  all: SourceLists;
  /** Only items that were not bought before; buy-again as it is. */
  fresh: SourceLists;
};

/** Ranks for every customer of the set, one by one, and hands each to `visit`. */
export async function rankTestSet(
  model: CollaborativeModel,
  set: TestSet,
  visit: (lists: JudgedLists) => void,
  onProgress: (share: number) => void | Promise<void>,
): Promise<void> {
  const total = set.customers.length;
  for (let n = 0; n < total; n++) {
    const request = requestOf(set, n);
    const bought = new Set(request.history.map(({ item }) => item));
    const relevant = set.relevant[n]!;
    const scores = scoreSources(model, request);
    visit({
      relevant,
      relevantNew: new Set([...relevant].filter((item) => !bought.has(item))),
      all: rankSources(scores, judgedLength),
      fresh: rankSources(scores, listDepth, (item) => !bought.has(item)),
    });
    if (n % customersBetweenReports === 0) await onProgress(n / total);
  }
}

/** Quality of every source and of their fusion, in both protocols. */
export async function evaluateCollaborative(
  model: CollaborativeModel,
  set: TestSet,
  onProgress: (share: number) => void | Promise<void> = () => {},
): Promise<Evaluation> {
  const allPurchases = new ProtocolSums();
  const newItems = new ProtocolSums();
  await rankTestSet(
    model,
    set,
    ({ relevant, relevantNew, all, fresh }) => {
      allPurchases.add(relevant, all, indicesOf(fuseSources(model.fusion, fresh, judgedLength)));
      if (relevantNew.size === 0) return;
      const discovery = { ...fresh, buyAgain: nothingRanked };
      newItems.add(relevantNew, discovery, indicesOf(fuseSources(model.fusion, discovery, judgedLength)));
    },
    onProgress,
  );
  return { allPurchases: allPurchases.means(), newItems: newItems.means() };
}

export function indicesOf(items: readonly { index: number }[]): number[] {
  return items.map(({ index }) => index);
}

/** Running sums of recall and NDCG at 10. */
export class QualitySum {
  #recall = 0;
  #ndcg = 0;
  #customers = 0;

  add(ranked: ArrayLike<number>, relevant: ReadonlySet<number>): void {
    this.#recall += recallAtK(ranked, relevant, judgedLength);
    this.#ndcg += ndcgAtK(ranked, relevant, judgedLength);
    this.#customers++;
  }

  /** 0 without customers: nothing was shown to be good. */
  mean(): RankingQuality {
    const of = Math.max(1, this.#customers);
    return { recallAt10: this.#recall / of, ndcgAt10: this.#ndcg / of };
  }
}

class ProtocolSums {
  readonly #sums = {
    ials: new QualitySum(),
    neighbours: new QualitySum(),
    buyAgain: new QualitySum(),
    popularity: new QualitySum(),
    fused: new QualitySum(),
  };
  #customers = 0;

  add(relevant: ReadonlySet<number>, lists: SourceLists, fused: readonly number[]): void {
    for (const source of COLLABORATIVE_SOURCES) this.#sums[source].add(lists[source].indices, relevant);
    this.#sums.fused.add(fused, relevant);
    this.#customers++;
  }

  means(): ProtocolQuality {
    const { ials, neighbours, buyAgain, popularity, fused } = this.#sums;
    return {
      customers: this.#customers,
      ials: ials.mean(),
      neighbours: neighbours.mean(),
      buyAgain: buyAgain.mean(),
      popularity: popularity.mean(),
      fused: fused.mean(),
    };
  }
}
