/** Scores of the few items that a source knows, among as many as the catalogue has: nothing is done for the others. */
import { nothingRanked, type Ranked } from './top-k.ts';

export class ScoreSheet {
  /** By item; 0 for those that nobody has added to. */
  readonly scores: Float32Array;
  readonly #items: Int32Array;
  readonly #isMet: Uint8Array;
  #count = 0;

  constructor(itemCount: number) {
    this.scores = new Float32Array(itemCount);
    this.#items = new Int32Array(itemCount);
    this.#isMet = new Uint8Array(itemCount);
  }

  add(item: number, amount: number): void {
    if (this.#isMet[item] === 0) {
      this.#isMet[item] = 1;
      this.#items[this.#count++] = item;
    }
    this.scores[item]! += amount;
  }

  clear(): void {
    for (let n = 0; n < this.#count; n++) {
      this.scores[this.#items[n]!] = 0;
      this.#isMet[this.#items[n]!] = 0;
    }
    this.#count = 0;
  }

  /** The (at most) k highest scores above 0, best first, ties by lower item: as `topK` has them of all items. */
  best(k: number, allowed?: (item: number) => boolean): Ranked {
    const { scores } = this;
    const isBetter = (a: number, b: number) => scores[a]! > scores[b]! || (scores[a] === scores[b] && a < b);
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
      if (!(scores[item]! > 0)) continue;
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
    return { indices, scores: Float32Array.from(indices, (item) => scores[item]!) };
  }
}
