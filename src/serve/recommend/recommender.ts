/** Products for a page: gathers candidates, fuses them by the scenario's weights, fills up, arranges, and says why. */
import { LRUCache } from 'lru-cache';
import {
  boughtTogetherWith,
  type CollaborativeModel,
  similarItems,
} from '../../algorithms/collaborative-model.ts';
import { fuseByRank } from '../../algorithms/fusion.ts';
import type { Ranked } from '../../algorithms/top-k.ts';
import type { ItemId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { Catalogue, Models, Served } from '../deps.ts';
import { type Arranged, arrange, type Candidate, type Move } from './arrange.ts';
import { gatherCandidates, type Taste, tasteOf } from './candidates.ts';
import { popularityOrder } from './popularity-order.ts';
import { promotedReason, type Reason, reasonOf } from './reasons.ts';
import { CANDIDATE_SOURCES, type Scenario, type Source, sourceWeights } from './scenarios.ts';
import { createShelf, type Shelf, type ShelfFilter } from './shelf.ts';
import { type Subject, subjectOf } from './subject.ts';

export type RecommendationRequest = {
  n: number;
  scenario: Scenario;
  /** Items of the page or the basket; unknown ones are passed over. */
  itemIds: readonly string[];
  category: string | undefined;
  exclude: ReadonlySet<string>;
  /** Whose page it is, for the rotation: the same text sees the same list until the scenario's window of time is over. */
  seed: string;
};

export type RecommendedItem = {
  itemId: string;
  /** Absent where the catalogue has none. */
  name?: string;
  /** Ranks within this answer; no probability. */
  score: number;
  source: Source;
  /** Strongest first; at least one. */
  reasons: Reason[];
  /** What each source added to the score. */
  contributions: Partial<Record<Source, number>>;
  /** The scenario's rules that changed its place. */
  arranged: Move[];
};

/** What the rules choose from; reasons are worded for what is shown. */
type PoolItem = Candidate & {
  source: Source;
  shares: readonly { source: Source; share: number }[];
  /** Strongest first. */
  reasons: () => Reason[];
};

/** What an answer had to do without. */
export const DEGRADATIONS = ['records-unavailable', 'no-model', 'no-catalogue'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export type Recommendations = {
  items: RecommendedItem[];
  modelVersion: string | null;
  degradedBy: Degradation[];
};

export type RelatedItem = { itemId: string; name?: string; score: number };
export type RelatedItems = { items: RelatedItem[]; modelVersion: string | null; degradedBy: Degradation[] };

export type Recommender = {
  /** `record`: undefined for somebody of whom nothing is known. `subjectId` names whose it is. */
  recommend: (
    request: RecommendationRequest,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ) => Recommendations;
  /** undefined: neither the model nor the catalogue knows the item. */
  related: (kind: 'similar' | 'boughtTogether', itemId: string, n: number) => RelatedItems | undefined;
};

const keptTastes = 10_000;
/** Product pages whose similar items are kept, and how many of them. */
const keptPages = 5000;
const keptSimilar = 250;
/** Purchases weigh less as time passes, so that a taste does not stand for ever. */
const tasteTtlMs = 3_600_000;
/** How much deeper than the n that are asked for each source's list goes into the fusion; as in training's evaluation. */
const extraDepth = 50;
const reasonsMax = 3;
/** A source that added less than this share of what the loudest did is no reason. */
const reasonFromShare = 0.1;

export function createRecommender(models: Models, catalogue: Catalogue): Recommender {
  const tastes = new LRUCache<string, Taste>({ max: keptTastes, ttl: tasteTtlMs });
  const alike = new LRUCache<string, Ranked>({ max: keptPages });
  const shelf = createShelf(catalogue);

  /** A scan of the catalogue, and the same for everybody. */
  function similarTo(model: CollaborativeModel, version: string, item: number): Ranked {
    const key = `${version} ${item}`;
    let ranked = alike.get(key);
    if (ranked === undefined) {
      ranked = similarItems(model, item, keptSimilar);
      alike.set(key, ranked);
    }
    return ranked;
  }

  function tasteFor(
    model: CollaborativeModel,
    version: string,
    subjectId: string | undefined,
    record: CustomerRecord,
    subject: Subject,
    now: number,
  ): Taste | undefined {
    if (subject.history.length === 0 && subject.browsed.length === 0) return undefined;
    const key = JSON.stringify([
      version,
      subjectId,
      record.eventCount,
      record.lastEventId,
      record.appliedThrough,
    ]);
    let taste = tastes.get(key);
    if (taste === undefined) {
      taste = tasteOf(model, subject, now);
      tastes.set(key, taste);
    }
    return taste;
  }

  /** Items of the catalogue that the model has never seen sold. */
  function* unsoldItems(model: CollaborativeModel | undefined): Generator<string> {
    for (const itemId of catalogue.items.keys()) if (!model?.itemIndex.has(itemId)) yield itemId;
  }

  /** Ranked, and more than are asked for: the rules choose among them. */
  function fromModel(
    { model, version }: Served<CollaborativeModel>,
    request: RecommendationRequest,
    filter: ShelfFilter,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ): PoolItem[] {
    const { n, scenario } = request;
    const subject = subjectOf(model, record);
    const weights = sourceWeights(scenario, model.fusion);
    const pageItems = request.itemIds.flatMap((itemId) => model.itemIndex.get(itemId) ?? []);
    const isOnPage = new Set(pageItems);
    const servable = (item: number) => !isOnPage.has(item) && shelf.isServable(model.itemIds[item]!, filter);
    const isNew = (item: number) => !subject.bought.has(item) && servable(item);
    const { lists, evidence } = gatherCandidates({
      model,
      subject,
      taste: record && tasteFor(model, version, subjectId, record, subject, now),
      pageItems,
      similarTo: (item) => similarTo(model, version, item),
      sources: CANDIDATE_SOURCES.filter((source) => weights[source] > 0),
      allowed: scenario.includeBought === 'never' ? isNew : servable,
      allowedNew: scenario.includeBought === 'always' ? servable : isNew,
      length: n + extraDepth,
      now,
    });
    const fused = fuseByRank(
      [...lists].map(([source, list]) => ({ source, weight: weights[source], list })),
      n + extraDepth,
      model.fusion.rankConstant,
    );
    const vectorOf = (item: number) =>
      model.itemFactors.subarray(item * model.factors, (item + 1) * model.factors);
    const pool = fused.map(
      ({ index, score, sources: voices }): PoolItem => ({
        itemId: model.itemIds[index]!,
        ...shelf.traitsOf(model.itemIds[index]!),
        score,
        vector: vectorOf(index),
        source: voices[0]!.source,
        shares: voices,
        reasons: () =>
          voices
            .slice(0, reasonsMax)
            .filter(({ share }) => share >= reasonFromShare * voices[0]!.share)
            .map(({ source }) => reasonOf(source, evidence(source, index), shelf.nameOf)),
      }),
    );
    const taken = new Set(fused.map(({ index }) => index));
    for (const item of pool.length < n ? popularityOrder(model, subject.segment) : []) {
      if (pool.length === n) break;
      const mayCome = scenario.includeBought === 'always' ? servable(item) : isNew(item);
      if (taken.has(item) || !mayCome) continue;
      pool.push(poolItem(model.itemIds[item]!, 'popularity', subject.segment));
    }
    return pool;
  }

  /** An item for which no ranking speaks. */
  function poolItem(
    itemId: string,
    source: 'popularity' | 'pinned' | 'catalogue',
    segment: string,
  ): PoolItem {
    return {
      itemId,
      ...shelf.traitsOf(itemId),
      score: 0,
      vector: undefined,
      source,
      shares: [],
      reasons: () => [reasonOf(source, { segment }, shelf.nameOf)],
    };
  }

  function present({ item, score, factor, moves, isPinned }: Arranged<PoolItem>): RecommendedItem {
    const { source, shares } = item;
    const reasons = item.reasons();
    if (isPromoted(moves, factor)) reasons.push(promotedReason);
    if (isPinned && source !== 'pinned') reasons.push(reasonOf('pinned', { segment: '' }, shelf.nameOf));
    return {
      ...shelf.named(item.itemId),
      score,
      source,
      reasons,
      contributions: Object.fromEntries(shares.map(({ source, share }) => [source, factor * share])),
      arranged: moves,
    };
  }

  return {
    recommend: (request, subjectId, record, now) => {
      const { n, scenario, category, itemIds } = request;
      const served = models.collaborative;
      const filter = { category, exclude: request.exclude, exclusions: scenario.exclude };
      const pool = served === undefined ? [] : fromModel(served, request, filter, subjectId, record, now);
      const onPage = new Set(itemIds);
      const mayShow = (itemId: string) => !onPage.has(itemId) && shelf.isServable(itemId, filter);
      const wasBought = (itemId: string) => record?.items.has(itemId as ItemId) ?? false;
      for (const itemId of pool.length < n ? unsoldItems(served?.model) : []) {
        if (pool.length === n) break;
        if (scenario.includeBought !== 'always' && wasBought(itemId)) continue;
        if (mayShow(itemId)) pool.push(poolItem(itemId, 'catalogue', ''));
      }
      const list = arrange(pool, scenario, {
        n,
        now,
        seed: request.seed,
        capCategories: category === undefined,
        newcomers: [],
        pinned: ({ itemId }) => {
          if (!mayShow(itemId) || (scenario.includeBought === 'never' && wasBought(itemId))) return undefined;
          return pool.find((item) => item.itemId === itemId) ?? poolItem(itemId, 'pinned', '');
        },
      });
      return {
        items: list.map(present),
        modelVersion: served?.version ?? null,
        degradedBy: degradationsOf(served, shelf),
      };
    },
    related: (kind, itemId, n) => {
      const served = models.collaborative;
      const degradedBy = degradationsOf(served, shelf);
      const item = served?.model.itemIndex.get(itemId);
      if (item === undefined && !catalogue.items.has(itemId)) {
        // Without a catalogue nobody can say that the item does not exist.
        if (shelf.known || served !== undefined) return undefined;
      }
      if (served === undefined || item === undefined) {
        return { items: [], modelVersion: served?.version ?? null, degradedBy };
      }
      const ranked =
        kind === 'similar'
          ? similarTo(served.model, served.version, item)
          : boughtTogetherWith(served.model, item, keptSimilar);
      const items: RelatedItem[] = [];
      for (let at = 0; at < ranked.indices.length && items.length < n; at++) {
        const relatedId = served.model.itemIds[ranked.indices[at]!]!;
        // Opposite tastes have a cosine as well.
        if (ranked.scores[at]! > 0 && shelf.isServable(relatedId, {}))
          items.push({ ...shelf.named(relatedId), score: ranked.scores[at]! });
      }
      return { items, modelVersion: served.version, degradedBy };
    },
  };
}

function degradationsOf(served: unknown, shelf: Shelf): Degradation[] {
  return [
    ...(served === undefined ? (['no-model'] as const) : []),
    ...(shelf.known ? [] : (['no-catalogue'] as const)),
  ];
}

/** Did the shop's own factor bring it further up? */
function isPromoted(moves: readonly Move[], factor: number): boolean {
  return factor > 1 && moves.some(({ rule, from, to }) => rule === 'boosts' && to < (from ?? to));
}
