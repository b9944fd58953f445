/**
 * What a customer picks: first a category, then an item in it.
 *
 *   P(category c | u, month) ∝ size_c · season_c(month) · exp(CATEGORY_TASTE · ⟨u, centre_c⟩)
 *   P(item i | u, c)         ∝ popularity_i · exp(ITEM_TASTE · ⟨u, v_i⟩)
 *
 * Two steps, since most customers never look at most shelves: an item's weight is computed when its shelf is first
 * visited. A long shelf is not weighed at all: items are drawn by popularity and kept with probability
 * exp(ITEM_TASTE · (⟨u, v_i⟩ − 1)), which gives the same distribution in a time that does not grow with the catalogue. The
 * buffers are made once and serve one customer after the other.
 */
import type { Rng } from '../algorithms/rng.ts';
import type { Catalogue } from './catalogue.ts';
import { dotAt, TASTE_DIMENSIONS } from './vectors.ts';

export const CATEGORY_TASTE = 6;
export const ITEM_TASTE = 4;
/** Items of a shelf from which on it is long: some e^ITEM_TASTE draws cost as much as to weigh so many. */
const LONG_SHELF = 1000;

export class TasteSampler {
  readonly #catalogue: Catalogue;
  /** Weights of the categories, and their running sums by the month that is being asked for. */
  readonly #categoryWeights: Float64Array;
  readonly #categorySums: Float64Array;
  /** Running sums of the items' weights, each category from 0; valid where `#shelfOf[c]` is this customer's. */
  readonly #itemSums: Float64Array;
  readonly #shelfOf: Int32Array;
  /** In one array, since a shelf of thousands is read in a row. */
  readonly #popularity: Float64Array;
  /** Running sums of the items' popularity, each category from 0. */
  readonly #popularitySums: Float64Array;
  #customer = 0;
  #month = -1;
  #taste: Float64Array = new Float64Array(TASTE_DIMENSIONS);

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#categoryWeights = new Float64Array(catalogue.categories.length);
    this.#categorySums = new Float64Array(catalogue.categories.length);
    this.#itemSums = new Float64Array(catalogue.items.length);
    this.#popularity = Float64Array.from(catalogue.items, ({ popularity }) => popularity);
    this.#popularitySums = new Float64Array(catalogue.items.length);
    let sum = 0;
    for (const [i, { category, popularity }] of catalogue.items.entries()) {
      if (i === catalogue.categoryStarts[category]) sum = 0;
      sum += popularity;
      this.#popularitySums[i] = sum;
    }
    this.#shelfOf = new Int32Array(catalogue.categories.length);
  }

  /** From now on, picks are this customer's. */
  serve(taste: Float64Array): void {
    this.#taste = taste;
    this.#customer++;
    this.#month = -1;
    const { categories, categoryCentres } = this.#catalogue;
    for (let c = 0; c < categories.length; c++) {
      const liking = dotAt(taste, categoryCentres, c * TASTE_DIMENSIONS);
      this.#categoryWeights[c] = categories[c]!.size * Math.exp(CATEGORY_TASTE * liking);
    }
  }

  /** An item's index, by taste, popularity and season; whether it can be had is for the caller to ask. */
  pick(month: number, rng: Rng): number {
    this.#season(month);
    return this.pickWithin(rng.categorical(this.#categorySums), rng);
  }

  /** The same within one category. */
  pickWithin(category: number, rng: Rng): number {
    const start = this.#catalogue.categoryStarts[category]!;
    const end = this.#catalogue.categoryStarts[category + 1]!;
    if (end - start >= LONG_SHELF) return this.#pickFromLongShelf(start, end, rng);
    if (this.#shelfOf[category] !== this.#customer) this.#weighShelf(category, start, end);
    return drawFrom(this.#itemSums, start, end, rng);
  }

  #pickFromLongShelf(start: number, end: number, rng: Rng): number {
    const { itemFactors } = this.#catalogue;
    for (;;) {
      const item = drawFrom(this.#popularitySums, start, end, rng);
      const liking = dotAt(this.#taste, itemFactors, item * TASTE_DIMENSIONS);
      // Both are of length 1: the product is at most 1.
      if (rng.chance(Math.exp(ITEM_TASTE * (liking - 1)))) return item;
    }
  }

  #season(month: number): void {
    if (this.#month === month) return;
    this.#month = month;
    let sum = 0;
    for (let c = 0; c < this.#categorySums.length; c++) {
      sum += this.#categoryWeights[c]! * this.#catalogue.categorySeasons[c * 12 + month]!;
      this.#categorySums[c] = sum;
    }
  }

  #weighShelf(category: number, start: number, end: number): void {
    const taste = this.#taste;
    const { itemFactors } = this.#catalogue;
    const popularity = this.#popularity;
    const itemSums = this.#itemSums;
    let sum = 0;
    for (let i = start; i < end; i++) {
      sum += popularity[i]! * Math.exp(ITEM_TASTE * dotAt(taste, itemFactors, i * TASTE_DIMENSIONS));
      itemSums[i] = sum;
    }
    this.#shelfOf[category] = this.#customer;
  }
}

/** An index from `start` up to `end` with the probabilities of these running sums. */
function drawFrom(sums: Float64Array, start: number, end: number, rng: Rng): number {
  const drawn = rng.next() * sums[end - 1]!;
  let low = start;
  let high = end - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle]! > drawn) high = middle;
    else low = middle + 1;
  }
  return low;
}
