/**
 * The items of the catalogue that the model has never seen sold, with factors out of their content. Kept up beside the
 * requests, which only read `current`: a look at the whole catalogue is made when it or the model has changed, and in
 * slices, so that no request waits for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { contentFactorsOf } from '../../algorithms/content-factors.ts';
import type { Item } from '../../domain/item.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { Models } from '../../scoring/served.ts';
import { type BesideRequests, refreshBeside } from './refresh-beside.ts';

export type NewItems = {
  /** Of the collaborative model whose factors these are comparable with. */
  modelVersion: string;
  /** Every item that the model does not know, whatever is known of it; in the order of the catalogue. */
  unsold: readonly string[];
  /** Factors of those of which content tells something. */
  vectors: ReadonlyMap<string, Float32Array>;
  /** Of those with factors, the 200 newest of each category as far as `addedAt` tells, newest first. */
  byCategory: ReadonlyMap<string, readonly string[]>;
};

export type NewItemsHolder = BesideRequests & {
  /** undefined: no model yet. */
  readonly current: NewItems | undefined;
  /** Brings `current` up to date where catalogue or model have changed. */
  refresh: () => Promise<void>;
};

const refreshMs = 500;
/** A look is followed by a pause of at least so many times its length. */
const restFactor = 20;
/** Items looked at in one turn of the event loop: a fraction of a millisecond, or a few where all are new. */
const sliceItems = 250;
const sliceCategories = 25;
/** Of a category: what an answer costs must not grow with the range. */
const newestMax = 200;

export function createNewItems(
  models: Pick<Models, 'collaborative'>,
  catalogue: Pick<Catalogue, 'items' | 'revision'>,
  intervalMs = refreshMs,
): NewItemsHolder {
  let current: NewItems | undefined;
  let seenRevision: number | undefined;
  /** An item is replaced when it changes: as long as it is the same object, so are its factors. */
  let known = new WeakMap<Item, Float32Array | null>();
  let refreshing: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    const served = models.collaborative;
    if (served === undefined) return;
    const { version, model } = served;
    const { revision, items } = catalogue;
    if (current?.modelVersion === version && seenRevision === revision) return;
    if (current?.modelVersion !== version) known = new WeakMap();
    const unsold: string[] = [];
    const vectors = new Map<string, Float32Array>();
    const shelves = new Map<string, Newest>();
    let looked = 0;
    for (const item of items.values()) {
      if (++looked % sliceItems === 0) await nextTurn();
      if (model.itemIndex.has(item.itemId)) continue;
      unsold.push(item.itemId);
      let vector = known.get(item);
      if (vector === undefined) {
        vector = (model.content && contentFactorsOf(model.content, item)) ?? null;
        known.set(item, vector);
      }
      if (vector === null) continue;
      vectors.set(item.itemId, vector);
      if (item.category === '') continue;
      const shelf = shelves.get(item.category) ?? new Newest();
      shelf.add(item);
      shelves.set(item.category, shelf);
    }
    const byCategory = new Map<string, string[]>();
    for (const [category, shelf] of shelves) {
      byCategory.set(category, shelf.itemIds());
      if (byCategory.size % sliceCategories === 0) await nextTurn();
    }
    const next = { modelVersion: version, unsold, vectors, byCategory };
    // The same object as long as it says the same: what was made of it need not be made anew.
    if (current === undefined || !isSame(current, next)) current = next;
    seenRevision = revision;
  }

  /** One after the other, whoever asks. */
  function refreshNext(): Promise<void> {
    refreshing = refreshing.then(refresh);
    return refreshing;
  }

  // A catalogue that changes all the time takes a small share of the process, however large it is.
  const beside = refreshBeside(refreshNext, (tookMs) => Math.max(intervalMs, restFactor * tookMs));
  return {
    get current() {
      return current;
    },
    refresh: refreshNext,
    start: beside.start,
    stop: async () => {
      await beside.stop();
      await refreshing;
    },
  };
}

function isSame(a: NewItems, b: NewItems): boolean {
  const sameLists = (one: readonly string[], other: readonly string[] | undefined) =>
    one.length === other?.length && one.every((itemId, at) => itemId === other[at]);
  return (
    a.modelVersion === b.modelVersion &&
    sameLists(a.unsold, b.unsold) &&
    a.vectors.size === b.vectors.size &&
    [...a.vectors].every(([itemId, vector]) => b.vectors.get(itemId) === vector) &&
    a.byCategory.size === b.byCategory.size &&
    [...a.byCategory].every(([category, itemIds]) => sameLists(itemIds, b.byCategory.get(category)))
  );
}

/** The newest items of a category, sorted now and then rather than all at once. */
class Newest {
  #items: { itemId: string; addedAt: number }[] = [];

  add({ itemId, addedAt }: Item): void {
    this.#items.push({ itemId, addedAt: addedAt === undefined ? 0 : Date.parse(addedAt) });
    if (this.#items.length >= 4 * newestMax) this.#cut();
  }

  itemIds(): string[] {
    this.#cut();
    return this.#items.map(({ itemId }) => itemId);
  }

  #cut(): void {
    this.#items.sort((a, b) => b.addedAt - a.addedAt || (a.itemId < b.itemId ? -1 : 1));
    this.#items.length = Math.min(this.#items.length, newestMax);
  }
}
