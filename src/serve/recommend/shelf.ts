/** What may be shown, as the catalogue has it now, and what the rules of a scenario need to know of it. */
import type { Item } from '../../domain/item.ts';
import type { Catalogue } from '../../infra/catalogue.ts';
import type { Exclusions } from './arrange-rules.ts';

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
  return {
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
}

function marginShareOf({ marginMinor, priceMinor }: Item): number | undefined {
  return marginMinor === undefined || !priceMinor ? undefined : marginMinor / priceMinor;
}
