/** Products for a page: gathers candidates, fuses them by the scenario's weights, fills up, and says why. */
import { LRUCache } from 'lru-cache';
import {
  boughtTogetherWith,
  type CollaborativeModel,
  similarItems,
} from '../../algorithms/collaborative-model.ts';
import { fuseByRank } from '../../algorithms/fusion.ts';
import type { Ranked } from '../../algorithms/top-k.ts';
import type { Item } from '../../domain/item.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { Catalogue, Models } from '../deps.ts';
import { gatherCandidates, type Taste, tasteOf } from './candidates.ts';
import { popularityOrder } from './popularity-order.ts';
import { type Reason, reasonOf } from './reasons.ts';
import { CANDIDATE_SOURCES, type Scenario, type Source, sourceWeights } from './scenarios.ts';
import { type Subject, subjectOf } from './subject.ts';

export type RecommendationRequest = {
  n: number;
  scenario: Scenario;
  /** Items of the page or the basket; unknown ones are passed over. */
  itemIds: readonly string[];
  category: string | undefined;
  exclude: ReadonlySet<string>;
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

  /** The catalogue decides; without one, what the model has learned from past sales stands in. */
  function isServable(itemId: string, category: string | undefined): boolean {
    if (!isKnown(catalogue)) return category === undefined;
    const item = catalogue.items.get(itemId);
    return item !== undefined && isSold(item) && (category === undefined || item.category === category);
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

  const nameOf = (itemId: string) => catalogue.items.get(itemId)?.name || itemId;

  function named(itemId: string): { itemId: string; name?: string } {
    const name = catalogue.items.get(itemId)?.name;
    return name ? { itemId, name } : { itemId };
  }

  /** Items of the catalogue that the model has never seen sold. */
  function* unsoldItems(model: CollaborativeModel | undefined): Generator<string> {
    for (const itemId of catalogue.items.keys()) if (!model?.itemIndex.has(itemId)) yield itemId;
  }

  function fromModel(
    model: CollaborativeModel,
    version: string,
    request: RecommendationRequest,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ): RecommendedItem[] {
    const { n, scenario, category, exclude } = request;
    const subject = subjectOf(model, record);
    const weights = sourceWeights(scenario, model.fusion);
    const pageItems = request.itemIds.flatMap((itemId) => model.itemIndex.get(itemId) ?? []);
    const isOnPage = new Set(pageItems);
    const allowed = (item: number) => {
      const itemId = model.itemIds[item]!;
      return !isOnPage.has(item) && !exclude.has(itemId) && isServable(itemId, category);
    };
    const isNew = (item: number) => (scenario.includeBought || !subject.bought.has(item)) && allowed(item);
    const { lists, evidence } = gatherCandidates({
      model,
      subject,
      taste: record && tasteFor(model, version, subjectId, record, subject, now),
      pageItems,
      similarTo: (item) => similarTo(model, version, item),
      sources: CANDIDATE_SOURCES.filter((source) => weights[source] > 0),
      allowed,
      allowedNew: isNew,
      length: n + extraDepth,
      now,
    });
    const fused = fuseByRank(
      [...lists].map(([source, list]) => ({ source, weight: weights[source], list })),
      n,
      model.fusion.rankConstant,
    );
    const items = fused.map(
      ({ index, score, sources: voices }): RecommendedItem => ({
        ...named(model.itemIds[index]!),
        score,
        source: voices[0]!.source,
        reasons: voices
          .slice(0, reasonsMax)
          .filter(({ share }) => share >= reasonFromShare * voices[0]!.share)
          .map(({ source }) => reasonOf(source, evidence(source, index), nameOf)),
        contributions: Object.fromEntries(voices.map(({ source, share }) => [source, share])),
      }),
    );
    const taken = new Set(fused.map(({ index }) => index));
    for (const item of items.length < n ? popularityOrder(model, subject.segment) : []) {
      if (items.length === n) break;
      if (taken.has(item) || !isNew(item)) continue;
      items.push(filler(model.itemIds[item]!, 'popularity', subject.segment));
    }
    return items;
  }

  function filler(itemId: string, source: 'popularity' | 'catalogue', segment: string): RecommendedItem {
    return {
      ...named(itemId),
      score: 0,
      source,
      reasons: [reasonOf(source, { segment }, nameOf)],
      contributions: {},
    };
  }

  return {
    recommend: (request, subjectId, record, now) => {
      const served = models.collaborative;
      const items =
        served === undefined ? [] : fromModel(served.model, served.version, request, subjectId, record, now);
      const passedOver = new Set([...request.exclude, ...request.itemIds]);
      for (const itemId of items.length < request.n ? unsoldItems(served?.model) : []) {
        if (items.length === request.n) break;
        if (passedOver.has(itemId) || !isServable(itemId, request.category)) continue;
        items.push(filler(itemId, 'catalogue', ''));
      }
      return { items, modelVersion: served?.version ?? null, degradedBy: degradationsOf(served, catalogue) };
    },
    related: (kind, itemId, n) => {
      const served = models.collaborative;
      const degradedBy = degradationsOf(served, catalogue);
      const item = served?.model.itemIndex.get(itemId);
      if (item === undefined && !catalogue.items.has(itemId)) {
        // Without a catalogue nobody can say that the item does not exist.
        if (isKnown(catalogue) || served !== undefined) return undefined;
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
        if (ranked.scores[at]! > 0 && isServable(relatedId, undefined))
          items.push({ ...named(relatedId), score: ranked.scores[at]! });
      }
      return { items, modelVersion: served.version, degradedBy };
    },
  };
}

function isKnown(catalogue: Catalogue): boolean {
  return catalogue.loaded && catalogue.items.size > 0;
}

function isSold(item: Item): boolean {
  return item.inStock && !item.discontinued;
}

function degradationsOf(served: unknown, catalogue: Catalogue): Degradation[] {
  return [
    ...(served === undefined ? (['no-model'] as const) : []),
    ...(isKnown(catalogue) ? [] : (['no-catalogue'] as const)),
  ];
}
