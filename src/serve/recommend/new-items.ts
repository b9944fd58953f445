/**
 * The items of the catalogue that the model has never seen sold, with factors out of their content. Kept up beside the
 * requests, which only read `current`: a look at the whole catalogue is made when it or the model has changed, and in
 * slices, so that no request waits for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { contentFactorsOf } from '../../algorithms/content-factors.ts';
import type { Item } from '../../domain/item.ts';
import type { Catalogue, Models } from '../deps.ts';

export type NewItems = {
  /** Of the collaborative model whose factors these are comparable with. */
  modelVersion: string;
  /** Every item that the model does not know, whatever is known of it; in the order of the catalogue. */
  unsold: readonly string[];
  /** Factors of those of which content tells something. */
  vectors: ReadonlyMap<string, Float32Array>;
  /** Those with factors, of each category; newest first as far as `addedAt` tells. */
  byCategory: ReadonlyMap<string, readonly string[]>;
};

export type NewItemsHolder = {
  /** undefined: no model yet. */
  readonly current: NewItems | undefined;
  /** Brings `current` up to date where catalogue or model have changed. */
  refresh: () => Promise<void>;
  /** Refreshes from now on. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

const refreshMs = 500;
/** Items looked at in one turn of the event loop: a fraction of a millisecond, or a few where all are new. */
const sliceItems = 1000;

export function createNewItems(
  models: Pick<Models, 'collaborative'>,
  catalogue: Pick<Catalogue, 'items' | 'revision'>,
  intervalMs = refreshMs,
): NewItemsHolder {
  let current: NewItems | undefined;
  let seenRevision: number | undefined;
  /** An item is replaced when it changes: as long as it is the same object, so are its factors. */
  let known = new WeakMap<Item, Float32Array | null>();
  let timer: NodeJS.Timeout | undefined;
  let refreshing: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    const served = models.collaborative;
    if (served === undefined) return;
    const { version, model } = served;
    const { revision, items } = catalogue;
    if (current?.modelVersion === version && seenRevision === revision) return;
    if (current?.modelVersion !== version) known = new WeakMap();
    const unsold: Item[] = [];
    const vectors = new Map<string, Float32Array>();
    let looked = 0;
    for (const item of items.values()) {
      if (++looked % sliceItems === 0) await nextTurn();
      if (model.itemIndex.has(item.itemId)) continue;
      unsold.push(item);
      let vector = known.get(item);
      if (vector === undefined) {
        vector = (model.content && contentFactorsOf(model.content, item)) ?? null;
        known.set(item, vector);
      }
      if (vector !== null) vectors.set(item.itemId, vector);
    }
    current = {
      modelVersion: version,
      unsold: unsold.map(({ itemId }) => itemId),
      vectors,
      byCategory: byCategory(unsold.filter(({ itemId }) => vectors.has(itemId))),
    };
    seenRevision = revision;
  }

  /** One after the other, whoever asks. */
  function refreshNext(): Promise<void> {
    refreshing = refreshing.then(refresh);
    return refreshing;
  }

  return {
    get current() {
      return current;
    },
    refresh: refreshNext,
    start: async () => {
      await refreshNext();
      timer = setInterval(refreshNext, intervalMs);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      await refreshing;
    },
  };
}

function byCategory(items: readonly Item[]): Map<string, string[]> {
  const groups = new Map<string, { itemId: string; addedAt: number }[]>();
  for (const { itemId, category, addedAt } of items) {
    if (category === '') continue;
    const group = groups.get(category) ?? [];
    group.push({ itemId, addedAt: addedAt === undefined ? 0 : Date.parse(addedAt) });
    groups.set(category, group);
  }
  return new Map(
    [...groups].map(([category, group]) => [
      category,
      group
        .sort((a, b) => b.addedAt - a.addedAt || (a.itemId < b.itemId ? -1 : 1))
        .map(({ itemId }) => itemId),
    ]),
  );
}
