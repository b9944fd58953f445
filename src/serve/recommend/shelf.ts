/** What may be shown, as the catalogue has it now, and what the rules of a scenario need to know of it. */
import type { CollaborativeModel } from '../../algorithms/collaborative-model.ts';
import type { ItemPart } from '../../algorithms/item-part.ts';
import type { Item } from '../../domain/item.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { Exclusions } from './arrange-rules.ts';
import type { Stock } from './stock.ts';

export type ShelfFilter = {
  /** undefined: all. */
  category?: string | undefined;
  /** The request's. */
  exclude?: ReadonlySet<string>;
  /** The scenario's. */
  exclusions?: Exclusions;
};

export type Shelf = {
  /** false: nobody can say what there is, and what the model has learned from past sales stands in. */
  readonly known: boolean;
  isServable: (itemId: string, filter: ShelfFilter) => boolean;
  /** The same of a model's items, by their index. `among`: all that may be shown is among these; undefined: anywhere. */
  modelItems: (
    model: CollaborativeModel,
    stock: Stock | undefined,
    filter: ShelfFilter,
  ) => { isServable: (item: number) => boolean; among: ItemPart | undefined };
  /** For reasons: the id, where there is no name. */
  nameOf: (itemId: string) => string;
  /** undefined: the catalogue has none. */
  knownNameOf: (itemId: string) => string | undefined;
  named: (itemId: string) => { itemId: string; name?: string };
  traitsOf: (itemId: string) => { category: string; brand: string; marginShare: number | undefined };
};

const unknownTraits = { category: '', brand: '', marginShare: undefined };

export function createShelf(catalogue: Catalogue): Shelf {
  const isKnown = () => catalogue.loaded && catalogue.items.size > 0;
  const shelf: Shelf = {
    get known() {
      return isKnown();
    },
    isServable(itemId, { category, exclude, exclusions }) {
      if (exclude?.has(itemId) || exclusions?.itemIds.has(itemId)) return false;
      if (!isKnown()) return category === undefined;
      const item = catalogue.items.get(itemId);
      if (item === undefined || !item.inStock || item.discontinued) return false;
      if (category !== undefined && item.category !== category) return false;
      return !exclusions?.categories.has(item.category) && !exclusions?.brands.has(item.brand ?? '');
    },
    modelItems({ itemIds }, stock, filter) {
      const byId = (item: number) => shelf.isServable(itemIds[item]!, filter);
      if (stock === undefined) return { isServable: byId, among: undefined };
      const { categoryOf } = stock;
      const isBare = !excludesAny(filter);
      if (filter.category === undefined)
        return { isServable: (item) => categoryOf[item]! > 0 && (isBare || byId(item)), among: undefined };
      const number = stock.numberOf(filter.category);
      if (number === undefined) return { isServable: () => false, among: nothing };
      return {
        isServable: (item) => categoryOf[item] === number && (isBare || byId(item)),
        among: stock.itemsIn(number),
      };
    },
    nameOf: (itemId) => catalogue.items.get(itemId)?.name || itemId,
    knownNameOf: (itemId) => catalogue.items.get(itemId)?.name || undefined,
    named(itemId) {
      const name = catalogue.items.get(itemId)?.name;
      return name ? { itemId, name } : { itemId };
    },
    traitsOf(itemId) {
      const item = catalogue.items.get(itemId);
      if (item === undefined) return unknownTraits;
      return { category: item.category, brand: item.brand ?? '', marginShare: marginShareOf(item) };
    },
  };
  return shelf;
}

const nothing: ItemPart = new Int32Array(0);

function excludesAny({ exclude, exclusions }: ShelfFilter): boolean {
  const sets = [exclude, exclusions?.itemIds, exclusions?.categories, exclusions?.brands];
  return sets.some((set) => set !== undefined && set.size > 0);
}

function marginShareOf({ marginMinor, priceMinor }: Item): number | undefined {
  return marginMinor === undefined || !priceMinor ? undefined : marginMinor / priceMinor;
}
