/** Features cut into few bins, so that a tree need look at no value twice. */

/** rows × columns, by rows; every value finite. */
export type FeatureRows = { rows: number; columns: number; values: Float32Array };

/** Rows that the edges are chosen from, at most, evenly spread. */
const sampleMax = 50_000;

/**
 * Edges of at most `binsMax` (≤ 256) bins a column, ascending: v is in the bin of as many edges as are ≤ v. Few different
 * values have a bin each; else half of the bins hold equal shares of the rows, the rest divide the highest tenth again, since
 * scores and counts have long tails in which it matters who is how far ahead.
 */
export function chooseEdges({ rows, columns, values }: FeatureRows, binsMax: number): Float32Array[] {
  const step = Math.max(1, Math.ceil(rows / sampleMax));
  const sample = new Float32Array(Math.ceil(rows / step));
  return Array.from({ length: columns }, (_, c) => {
    for (let s = 0; s < sample.length; s++) sample[s] = values[s * step * columns + c]!;
    const sorted = sample.slice().sort();
    const distinct = sorted.filter((value, s) => s === 0 || value !== sorted[s - 1]);
    if (distinct.length <= binsMax) return distinct.slice(1);
    const half = Math.floor(binsMax / 2);
    const quantiles = Array.from({ length: binsMax - 1 }, (_, b) =>
      b < half ? (0.9 * (b + 1)) / half : 1 - 0.1 * (1 - (b + 1 - half) / (binsMax - half)) ** 2,
    );
    const edges = quantiles.map((q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!);
    return Float32Array.from(edges.filter((edge, e) => edge > (e === 0 ? sorted[0]! : edges[e - 1]!)));
  });
}

/** The bin of each value: one array a column, as trees walk through them. */
export function binRows(
  { rows, columns, values }: FeatureRows,
  edges: readonly Float32Array[],
): Uint8Array[] {
  return edges.map((cuts, c) => {
    const bins = new Uint8Array(rows);
    for (let r = 0; r < rows; r++) {
      const value = values[r * columns + c]!;
      let low = 0;
      let high = cuts.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (value >= cuts[middle]!) low = middle + 1;
        else high = middle;
      }
      bins[r] = low;
    }
    return bins;
  });
}
