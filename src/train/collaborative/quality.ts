/** What a list is worth, customer by customer, so that two lists can be compared on the same people. */
import { bootstrapDifference, bootstrapMean, type Interval } from '../../algorithms/bootstrap.ts';
import { ndcgAtK, recallAtK } from '../../algorithms/ranking-metrics.ts';
import { createRng } from '../../algorithms/rng.ts';

/** Means over customers. */
export type RankingQuality = { recallAt10: number; ndcgAt10: number };

export const judgedLength = 10;

/** Recall and NDCG at 10 of one list for each customer, in the order in which they were judged. */
export class Judged {
  readonly #recall: number[] = [];
  readonly #ndcg: number[] = [];

  add(ranked: ArrayLike<number>, relevant: ReadonlySet<number>): void {
    this.#recall.push(recallAtK(ranked, relevant, judgedLength));
    this.#ndcg.push(ndcgAtK(ranked, relevant, judgedLength));
  }

  get customers(): number {
    return this.#recall.length;
  }

  /** By customer. */
  values(metric: keyof RankingQuality): Float64Array {
    return Float64Array.from(metric === 'recallAt10' ? this.#recall : this.#ndcg);
  }

  /** 0 without customers: nothing was shown to be good. */
  mean(): RankingQuality {
    const meanOf = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    return { recallAt10: meanOf(this.#recall), ndcgAt10: meanOf(this.#ndcg) };
  }

  /** One figure for a choice: the mean of the two. */
  overall(): number {
    const { recallAt10, ndcgAt10 } = this.mean();
    return (recallAt10 + ndcgAt10) / 2;
  }

  interval(metric: keyof RankingQuality, seed: number): Interval {
    return bootstrapMean(this.values(metric), createRng(seed, 'bootstrap', metric));
  }
}

/** Of a − b on the same customers: the mean and its 95 % interval. */
export function differenceOf(a: Judged, b: Judged, metric: keyof RankingQuality, seed: number): Interval {
  return bootstrapDifference(a.values(metric), b.values(metric), createRng(seed, 'bootstrap', metric));
}
