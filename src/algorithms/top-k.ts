/** The k best of many, without sorting them all. */

export type Ranked = { indices: Int32Array; scores: Float32Array };

export const nothingRanked: Ranked = { indices: new Int32Array(0), scores: new Float32Array(0) };

/**
 * The (at most) k highest scores, best first, ties by lower index. Left out are indices that `allowed` refuses, scores
 * that are not above `above`, and those that are not finite: −Infinity marks what must not be ranked.
 */
export function topK(
  scores: Float32Array,
  k: number,
  allowed?: (index: number) => boolean,
  above = Number.NEGATIVE_INFINITY,
): Ranked {
  const capacity = Math.max(0, Math.min(Math.floor(k), scores.length));
  const heap = new Int32Array(capacity);
  let size = 0;
  /** Whether index a ranks below index b. */
  const isWorse = (a: number, b: number): boolean => {
    const x = scores[a]!;
    const y = scores[b]!;
    return x < y || (x === y && a > b);
  };
  // A binary heap with the worst of the kept on top: most candidates fail its one comparison.
  const sink = (from: number): void => {
    let at = from;
    for (;;) {
      let worst = at;
      const left = 2 * at + 1;
      if (left < size && isWorse(heap[left]!, heap[worst]!)) worst = left;
      if (left + 1 < size && isWorse(heap[left + 1]!, heap[worst]!)) worst = left + 1;
      if (worst === at) return;
      const moved = heap[at]!;
      heap[at] = heap[worst]!;
      heap[worst] = moved;
      at = worst;
    }
  };
  if (capacity > 0) {
    // One comparison settles most: with `above`, then with the worst of the kept, of whose equals later ones are worse.
    let bar = above;
    for (let i = 0; i < scores.length; i++) {
      if (!(scores[i]! > bar)) continue;
      if (!Number.isFinite(scores[i]!) || (allowed !== undefined && !allowed(i))) continue;
      if (size < capacity) {
        heap[size++] = i;
        if (size < capacity) continue;
        for (let at = (size >> 1) - 1; at >= 0; at--) sink(at);
      } else {
        heap[0] = i;
        sink(0);
      }
      bar = scores[heap[0]!]!;
    }
  }
  const indices = heap.slice(0, size).sort((a, b) => (isWorse(a, b) ? 1 : -1));
  return { indices, scores: Float32Array.from(indices, (i) => scores[i]!) };
}

/** `topK` of some items alone, each with its score; they rise, so that ties go to the lower item. */
export function topKOf(
  items: Int32Array,
  scores: Float32Array,
  k: number,
  allowed?: (item: number) => boolean,
  above?: number,
): Ranked {
  const best = topK(scores, k, allowed && ((at) => allowed(items[at]!)), above);
  return { indices: best.indices.map((at) => items[at]!), scores: best.scores };
}
