/**
 * The model's items as the catalogue has them, by their index: what may be shown, of which category, and all of a category. Looking one
 * up by its id costs several misses of the processor's caches where items are a million. Made beside the requests, once for a
 * model; from then on only what changed in the catalogue is looked at.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import type { ItemPart } from '../../algorithms/item-part.ts';
import type { Item } from '../../domain/item.ts';
import type { FollowedCatalogue } from '../../infra/catalogue.ts';
import type { Models, Served } from '../../scoring/served.ts';
import { type BesideRequests, refreshBeside } from './refresh-beside.ts';

/** Good until the next turn of the event loop. */
export type Stock = {
  /** By item: the number of its category, where it may be shown; else not above 0. */
  categoryOf: Int32Array;
  /** undefined: no item of the model is of that category, or ever was. */
  numberOf: (category: string) => number | undefined;
  /** All items of a category, whether or not they may be shown. */
  itemsIn: (number: number) => ItemPart;
};

export type StockHolder = BesideRequests & {
  /** undefined: none has been made of this model yet, or it does not know the catalogue any more. */
  of: (served: Served<CollaborativeModel>) => Stock | undefined;
  /** Makes it where there is none. */
  refresh: () => Promise<void>;
};

const refreshMs = 500;
/** Items looked at in one turn of the event loop: a fraction of a millisecond. */
const sliceItems = 1000;

/** The catalogue does not have it. */
const absent = 0;

export function createStock(
  models: Pick<Models, 'collaborative'>,
  catalogue: Pick<FollowedCatalogue, 'items' | 'revision' | 'loaded' | 'changedSince'>,
  intervalMs = refreshMs,
): StockHolder {
  let made: KeptStock | undefined;

  function of(served: Served<CollaborativeModel>): Stock | undefined {
    if (made?.model !== served.model || !catalogue.loaded || catalogue.items.size === 0) return undefined;
    if (made.revision !== catalogue.revision) {
      const changed = catalogue.changedSince(made.revision);
      if (changed === undefined) {
        made = undefined;
        return undefined;
      }
      for (const itemId of changed) made.put(itemId, catalogue.items.get(itemId));
      made.revision = catalogue.revision;
    }
    return made;
  }

  async function refresh(): Promise<void> {
    const served = models.collaborative;
    if (served === undefined || !catalogue.loaded || of(served) !== undefined) return;
    made = undefined;
    const { revision } = catalogue;
    const next = new KeptStock(served.model, revision);
    for (const [item, itemId] of served.model.itemIds.entries()) {
      if (item % sliceItems === 0) await nextTurn();
      // As it is now: what changes from here on is told by its id.
      next.putAt(item, catalogue.items.get(itemId));
    }
    await next.sort(nextTurn);
    made = next;
  }

  return {
    of,
    refresh,
    ...refreshBeside(refresh, () => intervalMs),
  };
}

class KeptStock implements Stock {
  readonly model: CollaborativeModel;
  revision: number;
  /** Where it may not be shown, the category's number inverted (~). */
  readonly categoryOf: Int32Array;
  /** From 1. */
  readonly #numbers = new Map<string, number>();
  /** undefined: an item has come into the category since it was made. */
  readonly #parts: (ItemPart | undefined)[] = [];

  constructor(model: CollaborativeModel, revision: number) {
    this.model = model;
    this.revision = revision;
    this.categoryOf = new Int32Array(model.itemIds.length);
  }

  numberOf(category: string): number | undefined {
    return this.#numbers.get(category);
  }

  itemsIn(number: number): ItemPart {
    let part = this.#parts[number];
    if (part === undefined) {
      part = this.#placesOf(number);
      this.#parts[number] = part;
    }
    return part;
  }

  put(itemId: string, item: Item | undefined): void {
    const index = this.model.itemIndex.get(itemId);
    if (index !== undefined) this.putAt(index, item);
  }

  putAt(index: number, item: Item | undefined): void {
    if (item === undefined) {
      this.categoryOf[index] = absent;
      return;
    }
    let number = this.#numbers.get(item.category);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(item.category, number);
    }
    if (shownOrNot(this.categoryOf[index]!) !== number) this.#parts[number] = undefined;
    this.categoryOf[index] = item.inStock && !item.discontinued ? number : ~number;
  }

  /** Makes the parts of all categories in two rounds over the items. */
  async sort(pause: () => Promise<unknown>): Promise<void> {
    const { length } = this.categoryOf;
    const counts = new Int32Array(this.#numbers.size + 1);
    for (const own of this.categoryOf) counts[shownOrNot(own)]!++;
    const parts = Array.from(counts, (count) => new Int32Array(count));
    const filled = new Int32Array(counts.length);
    const order = this.model.scanOrder;
    const places = order?.length ?? length;
    for (let place = 0; place < places; place++) {
      if (place % sortedAtOnce === 0) await pause();
      const number = shownOrNot(this.categoryOf[order === undefined ? place : order[place]!]!);
      parts[number]![filled[number]!++] = place;
    }
    // What has no finite factors has no place.
    for (let number = 1; number < parts.length; number++)
      this.#parts[number] = parts[number]!.subarray(0, filled[number]!);
  }

  #placesOf(number: number): ItemPart {
    const order = this.model.scanOrder;
    const places: number[] = [];
    for (let place = 0; place < (order?.length ?? this.categoryOf.length); place++) {
      const item = order === undefined ? place : order[place]!;
      if (shownOrNot(this.categoryOf[item]!) === number) places.push(place);
    }
    return Int32Array.from(places);
  }
}

const sortedAtOnce = 50_000;

/** Number of the category. */
function shownOrNot(own: number): number {
  return own < 0 ? ~own : own;
}
