/** Products for a page: gathers candidates, fuses them by the scenario's weights, fills up, arranges, and says why. */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import { fuseByRank } from '../../algorithms/fusion.ts';
import { mostPopular } from '../../algorithms/most-popular.ts';
import type { ItemId } from '../../domain/ids.ts';
import type { CustomerRecord } from '../../features/record.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import { type Subject, shoppingPastOf } from '../../scoring/interests.ts';
import type { Models, Served } from '../../scoring/served.ts';
import { arrange, arrangedUntil } from './arrange.ts';
import { recentUntil } from './arrange-rules.ts';
import type { BestSellersHolder } from './best-sellers.ts';
import { gatherCandidates } from './candidates.ts';
import { learnedCandidates, nothingLearned, voicesOf } from './learned.ts';
import { createLikeness } from './likeness.ts';
import type { NewItems, NewItemsHolder } from './new-items.ts';
import { categoriesOfInterest, type Newcomer, newcomersFor } from './newcomers.ts';
import { pageOf } from './page.ts';
import { newItem, poolItem, preparedItem, present, type RecommendedItem, unrankedItem } from './pool-item.ts';
import type { PreparedItem, PreparedPage } from './prepared-page.ts';
import { type RelatedItem, type RelatedRequest, relatedItems } from './related-items.ts';
import { CANDIDATE_SOURCES, type CandidateSource, type Scenario, sourceWeights } from './scenarios.ts';
import { createShelf, type Shelf, type ShelfFilter } from './shelf.ts';
import type { Lasting } from './shown-pages.ts';
import type { StockHolder } from './stock.ts';
import { createTastes, type Taste } from './taste.ts';

/** What a page is prepared for. */
export type PageRequest = {
  n: number;
  scenario: Scenario;
  /** Items of the page or the basket; unknown ones are passed over. */
  itemIds: readonly string[];
  category: string | undefined;
  exclude: ReadonlySet<string>;
};

export type RecommendationRequest = PageRequest & {
  /** Whose page it is, for the rotation: the same text sees the same list until the scenario's window of time is over. */
  seed: string;
};

/** What an answer had to do without. */
export const DEGRADATIONS = ['records-unavailable', 'no-model', 'no-catalogue'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export type Recommendations = {
  items: RecommendedItem[];
  modelVersion: string | null;
  degradedBy: Degradation[];
  lasting: Lasting;
};

export type RelatedItems = { items: RelatedItem[]; modelVersion: string | null; degradedBy: Degradation[] };

export type Recommender = {
  /** The ranked candidates of a page, before the rules that depend on the minute. */
  prepare: (
    request: PageRequest,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ) => PreparedPage;
  /**
   * What is shown of a prepared page. One that was prepared without what the request excludes may come out short of n although
   * there is more (`isCut`): then it is to be prepared anew.
   */
  show: (page: PreparedPage, request: RecommendationRequest, now: number) => Recommendations;
  /** Both, one after the other. `record`: undefined for somebody of whom nothing is known. `subjectId` names whose it is. */
  recommend: (
    request: RecommendationRequest,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ) => Recommendations;
  /** undefined: neither the model nor the catalogue knows the item. */
  related: (request: RelatedRequest) => RelatedItems | undefined;
};

/** How much deeper than the n that are asked for each source's list goes into the fusion; as in training's evaluation. */
const extraDepth = 50;
/** Of what came out of it, so many are kept for the rules to choose among: near ties, and what a cap of a category passes over. */
const poolDepth = (n: number) => 2 * n + 10;
/** One list alone comes out of the fusion as it went in. */
const listDepth = (n: number, lists: number) =>
  lists > 1 ? n + extraDepth : Math.min(n + extraDepth, poolDepth(n));

export function createRecommender(
  models: Pick<Models, 'collaborative'>,
  catalogue: Catalogue,
  newItems: Pick<NewItemsHolder, 'current'>,
  /** Absent: the catalogue is asked for each item by its id. */
  stock?: Pick<StockHolder, 'of'>,
  /** What stands in as long as there is no model. */
  bestSellers?: Pick<BestSellersHolder, 'current'>,
): Recommender {
  const tasteFor = createTastes();
  const likeness = createLikeness();
  const shelf = createShelf(catalogue);

  /** undefined: just now the model was replaced, and theirs are factors of another. */
  function newItemsOf(served: Served<CollaborativeModel>): NewItems | undefined {
    const { current } = newItems;
    return current?.modelVersion === served.version ? current : undefined;
  }

  /** Items of the catalogue that the model has never seen sold. */
  function unsoldItems(fresh: NewItems | undefined): Iterable<string> {
    return fresh?.unsold ?? catalogue.items.keys();
  }

  /** Where new items are sought: in the direction of the taste or, where none is known, of the page's item or of what pleases most people. */
  function directionOf(
    served: Served<CollaborativeModel>,
    fresh: NewItems | undefined,
    { scenario, itemIds }: PageRequest,
    taste: Taste | undefined,
  ): Float32Array | undefined {
    if (scenario.newItems === undefined) return undefined;
    const { model } = served;
    return taste?.userFactors ?? vectorOfItem(model, fresh, itemIds[0]) ?? model.content?.mean;
  }

  /** Ranked, best first, and more than are asked for: the rules choose among them. */
  function fromModel(
    served: Served<CollaborativeModel>,
    fresh: NewItems | undefined,
    request: PageRequest,
    filter: ShelfFilter,
    subject: Subject,
    taste: Taste | undefined,
    now: number,
  ): PreparedItem[] {
    const { n, scenario } = request;
    const { model } = served;
    const learnedWeight = taste === undefined || model.ranker === undefined ? 0 : scenario.learned;
    const weights = sourceWeights(learnedWeight > 0 ? { ...scenario, learned: 0 } : scenario, model.fusion);
    const sources = CANDIDATE_SOURCES.filter((source) => weights[source] > 0);
    const depth = listDepth(n, sources.length + Number(learnedWeight > 0));
    const page = pageOf(model, request.itemIds, (itemId) => likeness.ofNewItem(served, fresh, itemId));
    const isOnPage = new Set(page.items.filter((item) => !page.standsFor.has(item)));
    const { isServable, among } = shelf.modelItems(model, stock?.of(served), filter);
    const servable = (item: number) => !isOnPage.has(item) && isServable(item);
    const isNew = (item: number) => !subject.bought.has(item) && servable(item);
    const { lists, evidence } = gatherCandidates({
      model,
      subject,
      taste,
      pageItems: page.items,
      standsFor: page.standsFor,
      similarTo: (item) => {
        const newItem = page.standsFor.get(item);
        return newItem === undefined
          ? likeness.ofItem(served, item)
          : likeness.ofNewItem(served, fresh, newItem);
      },
      sources,
      allowed: scenario.includeBought === 'never' ? isNew : servable,
      allowedNew: scenario.includeBought === 'always' ? servable : isNew,
      among,
      length: depth,
      now,
    });
    const learned =
      learnedWeight > 0 && taste !== undefined
        ? learnedCandidates(
            model,
            subject,
            taste,
            depth,
            { allowed: servable, among },
            scenario.includeBought,
            now,
          )
        : nothingLearned;
    const fused = fuseByRank<CandidateSource | 'learned'>(
      [
        { source: 'learned', weight: learnedWeight, list: learned },
        ...[...lists].map(([source, list]) => ({ source, weight: weights[source], list })),
      ],
      depth,
      model.fusion.rankConstant,
    );
    const pool = fused.map(({ index, score, sources }) =>
      preparedItem(
        model.itemIds[index]!,
        score,
        () => voicesOf(model, learned, index, sources),
        (source) => evidence(source, index),
      ),
    );
    if (pool.length < n) {
      const taken = new Set(fused.map(({ index }) => index));
      const mayCome = scenario.includeBought === 'always' ? servable : isNew;
      const rest = mostPopular(model, subject.segment, n - pool.length, {
        allowed: (item) => !taken.has(item) && mayCome(item),
        among,
        unsold: true,
      });
      for (const item of rest.indices)
        pool.push(unrankedItem(model.itemIds[item]!, 'popularity', subject.segment));
    }
    return pool;
  }

  /** Best first, at most `max`. */
  function fromBestSellers(max: number, mayCome: (itemId: string) => boolean): PreparedItem[] {
    const pool: PreparedItem[] = [];
    for (const { itemId, share } of bestSellers?.current ?? []) {
      if (pool.length === max) break;
      if (mayCome(itemId))
        pool.push(
          preparedItem(
            itemId,
            share,
            () => [{ source: 'popularity', share }],
            () => ({ segment: '' }),
          ),
        );
    }
    return pool;
  }

  function prepare(
    request: PageRequest,
    subjectId: string | undefined,
    record: CustomerRecord | undefined,
    now: number,
  ): PreparedPage {
    const { n, scenario, category, itemIds } = request;
    const served = models.collaborative;
    const fresh = served && newItemsOf(served);
    const filter = { category, exclude: request.exclude, exclusions: scenario.exclude };
    const onPage = new Set(itemIds);
    const wasBought = (itemId: string) => record?.items.has(itemId as ItemId) ?? false;
    const subject = served && shoppingPastOf(served.model, record);
    const taste = served && subject && tasteFor(served, subjectId, record, subject, fresh, now);
    const mayCome = (itemId: string) =>
      !onPage.has(itemId) &&
      shelf.isServable(itemId, filter) &&
      (scenario.includeBought === 'always' || !wasBought(itemId));
    const items =
      served && subject
        ? fromModel(served, fresh, request, filter, subject, taste, now)
        : fromBestSellers(poolDepth(n), mayCome);
    const taken = served?.model.itemIndex ?? new Set(items.map(({ itemId }) => itemId));
    for (const itemId of items.length < n ? unsoldItems(fresh) : []) {
      if (items.length === n) break;
      if (!taken.has(itemId) && mayCome(itemId)) items.push(unrankedItem(itemId, 'catalogue'));
    }
    const ofPage = itemIds.map((itemId) => shelf.traitsOf(itemId).category);
    return {
      items: items.slice(0, poolDepth(n)),
      isCut: items.length >= n,
      direction: served && directionOf(served, fresh, request, taste),
      categories: category === undefined ? [...ofPage, ...categoriesOfInterest(record, now)] : [category],
      bought: [
        ...scenario.pins.map(({ itemId }) => itemId).filter(wasBought),
        ...[...(record?.items.keys() ?? [])].filter((itemId) => fresh?.vectors.has(itemId)),
      ],
      segment: subject?.segment ?? '',
    };
  }

  function show(page: PreparedPage, request: RecommendationRequest, now: number): Recommendations {
    const { n, scenario, category, itemIds } = request;
    const served = models.collaborative;
    const fresh = served && newItemsOf(served);
    const filter = { category, exclude: request.exclude, exclusions: scenario.exclude };
    const onPage = new Set(itemIds);
    const mayShow = (itemId: string) => !onPage.has(itemId) && shelf.isServable(itemId, filter);
    // Factors are compared only where likeness counts.
    const needsVectors = scenario.diversity.lambda < 1;
    const vectorOf = (itemId: string) =>
      needsVectors && served ? vectorOfItem(served.model, fresh, itemId) : undefined;
    const pool = page.items
      .filter(({ itemId }) => mayShow(itemId))
      .map((item) => poolItem(item, shelf, vectorOf(item.itemId)));
    const known = new Map(pool.map((item) => [item.itemId, item]));
    const newcomers =
      served && fresh && page.direction
        ? newcomersFor(fresh, page.direction, page.categories, served.model.multiplyRows)
        : [];
    let until = arrangedUntil(scenario, now);
    const list = arrange(pool, scenario, {
      n,
      now,
      seed: request.seed,
      capCategories: category === undefined,
      newcomers: newcomers.flatMap((newcomer) => {
        const { itemId } = newcomer;
        const { addedAt } = catalogue.items.get(itemId) ?? {};
        const newUntil = recentUntil(addedAt, scenario.newItems?.withinDays ?? 0);
        if (newUntil > now) until = Math.min(until, newUntil);
        const isNews =
          now < newUntil && !known.has(itemId) && !page.bought.includes(itemId) && mayShow(itemId);
        return isNews ? [poolItem(newItem(newcomer), shelf, vectorOf(itemId))] : [];
      }),
      pinned: ({ itemId }) => {
        if (!mayShow(itemId)) return undefined;
        if (scenario.includeBought === 'never' && page.bought.includes(itemId)) return undefined;
        return known.get(itemId) ?? poolItem(unrankedItem(itemId, 'pinned'), shelf, vectorOf(itemId));
      },
    });
    const items = list.map((arranged) => present(arranged, shelf));
    return {
      items,
      modelVersion: served?.version ?? null,
      degradedBy: degradationsOf(served, shelf),
      lasting: {
        until,
        // With too few of them, whatever else there is would be shown.
        lookedAt: items.length < n ? undefined : lookedAt(page, request, newcomers, items),
      },
    };
  }

  return {
    prepare,
    show,
    recommend: (request, subjectId, record, now) =>
      show(prepare(request, subjectId, record, now), request, now),
    related: (request) => {
      const served = models.collaborative;
      const degradedBy = degradationsOf(served, shelf);
      const { itemId } = request;
      if (!served?.model.itemIndex.has(itemId) && !catalogue.items.has(itemId)) {
        // Without a catalogue nobody can say that the item does not exist.
        if (shelf.known || served !== undefined) return undefined;
      }
      if (served === undefined) return { items: [], modelVersion: null, degradedBy };
      const items = relatedItems(request, served, newItemsOf(served), { likeness, shelf });
      return { items, modelVersion: served.version, degradedBy };
    },
  };
}

/** Items of which the catalogue was asked something: whether they may be shown, what they are called. */
function lookedAt(
  page: PreparedPage,
  { scenario }: PageRequest,
  newcomers: readonly Newcomer[],
  shown: readonly RecommendedItem[],
): Set<string> {
  const ids = new Set<string>();
  for (const list of [page.items, newcomers, scenario.pins, shown])
    for (const { itemId } of list) ids.add(itemId);
  for (const { reasons } of shown)
    for (const { itemId } of reasons) if (itemId !== undefined) ids.add(itemId);
  return ids;
}

/** A view: do not write. */
function vectorAt({ itemFactors, factors }: CollaborativeModel, item: number): Float32Array {
  return itemFactors.subarray(item * factors, (item + 1) * factors);
}

function vectorOfItem(
  model: CollaborativeModel,
  fresh: NewItems | undefined,
  itemId: string | undefined,
): Float32Array | undefined {
  if (itemId === undefined) return undefined;
  const item = model.itemIndex.get(itemId);
  return item === undefined ? fresh?.vectors.get(itemId) : vectorAt(model, item);
}

function degradationsOf(served: unknown, shelf: Shelf): Degradation[] {
  return [
    ...(served === undefined ? (['no-model'] as const) : []),
    ...(shelf.known ? [] : (['no-catalogue'] as const)),
  ];
}
