/** Scores of the few items that a source knows, among as many as the catalogue has: nothing is done for the others. */
import { nothingRanked, type Ranked } from './top-k.ts';

/** Sheets that one memory holds, of an item side by side: what all of them say of it is one look. At most 8. */
export function scoreSheets(itemCount: number, sheets: number): ScoreSheet[] {
  const scores = new Float32Array(itemCount * sheets);
  const met = new Uint8Array(itemCount);
  return Array.from({ length: sheets }, (_, at) => new ScoreSheet(itemCount, { scores, sheets, at, met }));
}

type SheetMemory = {
  /** itemCount × sheets. */
  scores: Float32Array;
  sheets: number;
  /** Which of them. */
  at: number;
  /** By item: a bit for each sheet that has met it. */
  met: Uint8Array;
};

export class ScoreSheet {
  readonly #scores: Float32Array;
  readonly #sheets: number;
  readonly #at: number;
  readonly #met: Uint8Array;
  readonly #bit: number;
  readonly #items: Int32Array;
  #count = 0;

  constructor(itemCount: number, memory?: SheetMemory) {
    const { scores, sheets, at, met } = memory ?? {
      scores: new Float32Array(itemCount),
      sheets: 1,
      at: 0,
      met: new Uint8Array(itemCount),
    };
    if (!(sheets <= 8)) throw new RangeError(`one memory holds at most 8 sheets, not ${sheets}`);
    this.#scores = scores;
    this.#sheets = sheets;
    this.#at = at;
    this.#met = met;
    this.#bit = 1 << at;
    this.#items = new Int32Array(itemCount);
  }

  /** 0 for an item that nobody has added to. */
  scoreOf(item: number): number {
    return this.#scores[item * this.#sheets + this.#at]!;
  }

  /** By item. */
  all(): Float32Array {
    return Float32Array.from(this.#items, (_, item) => this.scoreOf(item));
  }

  add(item: number, amount: number): void {
    if ((this.#met[item]! & this.#bit) === 0) {
      this.#met[item]! |= this.#bit;
      this.#items[this.#count++] = item;
    }
    this.#scores[item * this.#sheets + this.#at]! += amount;
  }

  clear(): void {
    for (let n = 0; n < this.#count; n++) {
      const item = this.#items[n]!;
      this.#scores[item * this.#sheets + this.#at] = 0;
      this.#met[item]! &= ~this.#bit;
    }
    this.#count = 0;
  }

  /** The (at most) k highest scores above 0, best first, ties by lower item: as `topK` has them of all items. */
  best(k: number, allowed?: (item: number) => boolean): Ranked {
    const scores = this.#scores;
    const sheets = this.#sheets;
    const from = this.#at;
    const scoreOf = (item: number) => scores[item * sheets + from]!;
    const isBetter = (a: number, b: number) => {
      const x = scoreOf(a);
      const y = scoreOf(b);
      return x > y || (x === y && a < b);
    };
    let size = 0;
    const kept = new Int32Array(Math.min(k, this.#count));
    if (kept.length === 0) return nothingRanked;
    // A binary heap with the worst of the kept on top.
    const sink = (item: number) => {
      let at = 0;
      for (let child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && isBetter(kept[child]!, kept[child + 1]!)) child++;
        if (isBetter(kept[child]!, item)) break;
        kept[at] = kept[child]!;
        at = child;
      }
      kept[at] = item;
    };
    for (let n = 0; n < this.#count; n++) {
      const item = this.#items[n]!;
      if (!(scoreOf(item) > 0)) continue;
      if (size === kept.length && !isBetter(item, kept[0]!)) continue;
      if (allowed !== undefined && !allowed(item)) continue;
      if (size < kept.length) {
        let at = size++;
        for (let parent = (at - 1) >> 1; at > 0 && isBetter(kept[parent]!, item); parent = (at - 1) >> 1) {
          kept[at] = kept[parent]!;
          at = parent;
        }
        kept[at] = item;
      } else sink(item);
    }
    const indices = kept.slice(0, size).sort((a, b) => (isBetter(a, b) ? -1 : 1));
    return { indices, scores: Float32Array.from(indices, scoreOf) };
  }
}
