/** Scores of the few items that a source knows, among as many as the catalogue has: nothing is done for the others. */
import { nothingRanked, type Ranked } from './top-k.ts';

/** Sheets that one memory holds, of an item side by side: what all of them say of it is one look. */
export function scoreSheets(itemCount: number, sheets: number): ScoreSheet[] {
  const places = new Int32Array(itemCount * sheets);
  return Array.from({ length: sheets }, (_, at) => new ScoreSheet(itemCount, { places, sheets, at }));
}

type SheetMemory = {
  /** itemCount × sheets: the place of the item on the sheet, from 1; 0 where nobody has added to it. */
  places: Int32Array;
  sheets: number;
  /** Which of them. */
  at: number;
};

/** Places of a new sheet. */
const firstRoom = 1024;

export class ScoreSheet {
  readonly #itemCount: number;
  readonly #places: Int32Array;
  readonly #sheets: number;
  readonly #at: number;
  /** By place: one after the other in memory, however far apart the items are. Place 0 is nobody's, and says 0. */
  #items: Int32Array;
  #scores: Float32Array;
  #count = 0;

  constructor(itemCount: number, memory?: SheetMemory) {
    const { places, sheets, at } = memory ?? { places: new Int32Array(itemCount), sheets: 1, at: 0 };
    this.#itemCount = itemCount;
    this.#places = places;
    this.#sheets = sheets;
    this.#at = at;
    const room = Math.min(itemCount + 1, firstRoom);
    this.#items = new Int32Array(room);
    this.#scores = new Float32Array(room);
  }

  /** 0 for an item that nobody has added to. */
  scoreOf(item: number): number {
    return this.#scores[this.#places[item * this.#sheets + this.#at]!]!;
  }

  /** By item. */
  all(): Float32Array {
    return Float32Array.from({ length: this.#itemCount }, (_, item) => this.scoreOf(item));
  }

  add(item: number, amount: number): void {
    const at = item * this.#sheets + this.#at;
    let place = this.#places[at]!;
    if (place === 0) {
      place = ++this.#count;
      if (place === this.#items.length) this.#grow();
      this.#places[at] = place;
      this.#items[place] = item;
      this.#scores[place] = 0;
    }
    this.#scores[place]! += amount;
  }

  clear(): void {
    for (let place = 1; place <= this.#count; place++)
      this.#places[this.#items[place]! * this.#sheets + this.#at] = 0;
    this.#count = 0;
  }

  /** The (at most) k highest scores above 0, best first, ties by lower item: as `topK` has them of all items. */
  best(k: number, allowed?: (item: number) => boolean): Ranked {
    const scores = this.#scores;
    const items = this.#items;
    /** Of places. */
    const isBetter = (a: number, b: number) => {
      const x = scores[a]!;
      const y = scores[b]!;
      return x > y || (x === y && items[a]! < items[b]!);
    };
    let size = 0;
    const kept = new Int32Array(Math.min(k, this.#count));
    if (kept.length === 0) return nothingRanked;
    // A binary heap with the worst of the kept on top.
    const sink = (place: number) => {
      let at = 0;
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && isBetter(kept[child]!, kept[child + 1]!)) child++;
        if (isBetter(kept[child]!, place)) break;
        kept[at] = kept[child]!;
        at = child;
      }
      kept[at] = place;
    };
    // One comparison settles most: with 0, then with the worst of the kept.
    let bar = 0;
    for (let place = 1; place <= this.#count; place++) {
      const score = scores[place]!;
      if (!(score >= bar && score > 0)) continue;
      if (size === kept.length && !isBetter(place, kept[0]!)) continue;
      if (allowed !== undefined && !allowed(items[place]!)) continue;
      if (size < kept.length) {
        let at = size++;
        for (let parent = (at - 1) >> 1; at > 0 && isBetter(kept[parent]!, place); parent = (at - 1) >> 1) {
          kept[at] = kept[parent]!;
          at = parent;
        }
        kept[at] = place;
      } else sink(place);
      if (size === kept.length) bar = scores[kept[0]!]!;
    }
    const ordered = kept.subarray(0, size).sort((a, b) => (isBetter(a, b) ? -1 : 1));
    return {
      indices: ordered.map((place) => items[place]!),
      scores: Float32Array.from(ordered, (place) => scores[place]!),
    };
  }

  #grow(): void {
    const room = Math.min(this.#itemCount + 1, 2 * this.#items.length);
    const items = new Int32Array(room);
    const scores = new Float32Array(room);
    items.set(this.#items);
    scores.set(this.#scores);
    this.#items = items;
    this.#scores = scores;
  }
}
