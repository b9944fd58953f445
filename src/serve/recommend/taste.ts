/** A customer's taste: what follows from the interests alone, whatever page is asked for, and so is kept between requests. */
import { LRUCache } from 'lru-cache';
import {
  type CollaborativeModel,
  foldInUser,
  neighbourScores,
  type WeightedVectors,
} from '../../algorithms/collaborative-model.ts';
import type { LearnedList } from '../../algorithms/ranker/rank.ts';
import { bestOfTaste } from '../../algorithms/taste-scan.ts';
import { type Ranked, topK } from '../../algorithms/top-k.ts';
import type { CustomerRecord } from '../../features/record.ts';
import { once } from '../../infra/once.ts';
import { interestWeights, type Subject } from '../../scoring/interests.ts';
import type { Served } from '../../scoring/served.ts';
import { learnedListOf } from './learned.ts';
import type { NewItems } from './new-items.ts';
import { unsoldInterests } from './newcomers.ts';

/** What is derived from the customer's interests alone; costs a scan of the catalogue, so that it is kept. */
export type Taste = {
  items: Int32Array;
  weights: Float32Array;
  userFactors: Float32Array;
  /** Best items that were not bought, whatever the request allows. Reckoned when they are first asked for. */
  ials: () => Ranked;
  neighbours: () => Ranked;
  /** The learned ranker's; undefined where the model has none. Reckoned when it is first asked for. */
  learned: () => LearnedList | undefined;
};

/** Items that are kept of each list. */
export const keptOfTaste = 300;

/** `unsold`: interests in items that the model does not know. */
export function tasteOf(
  model: CollaborativeModel,
  subject: Subject,
  unsold: WeightedVectors,
  now: number,
): Taste {
  const { items, weights } = interestWeights(model, subject, now);
  const userFactors = foldInUser(model, items, weights, unsold);
  const isNew = (item: number) => !subject.bought.has(item);
  return {
    items,
    weights,
    userFactors,
    ials: once(() =>
      bestOfTaste(model, userFactors, keptOfTaste, { allowed: isNew, refused: subject.bought.size }),
    ),
    neighbours: once(() => topK(neighbourScores(model, items, weights), keptOfTaste, isNew)),
    learned: once(() => learnedListOf(model, subject, { items, weights }, userFactors, now)),
  };
}

const keptTastes = 10_000;
/** Purchases weigh less as time passes, so that a taste does not stand for ever. */
const tasteTtlMs = 3_600_000;

/** Tastes of customers, each kept as long as neither the record nor the model changes; undefined without any interest. */
export function createTastes() {
  const tastes = new LRUCache<string, Taste>({ max: keptTastes, ttl: tasteTtlMs });
  return function tasteFor(
    { model, version }: Served<CollaborativeModel>,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    subject: Subject,
    fresh: NewItems | undefined,
    now: number,
  ): Taste | undefined {
    if (record === undefined) return undefined;
    const unsold = unsoldInterests(model, record, fresh);
    const interests = subject.history.length + subject.browsed.length + unsold.vectors.length;
    if (interests === 0) return undefined;
    const key = JSON.stringify([
      version,
      subjectId,
      record.eventCount,
      record.lastEventId,
      record.appliedThrough,
      unsold.vectors.length,
    ]);
    let taste = tastes.get(key);
    if (taste === undefined) {
      taste = tasteOf(model, subject, unsold, now);
      tastes.set(key, taste);
    }
    return taste;
  };
}
