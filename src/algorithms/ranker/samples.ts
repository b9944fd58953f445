/** Candidates of many customers with what each bought of them: what a ranker learns from, and is chosen by. */

import type { Rng } from '../rng.ts';

/** Rows are grouped by customer: those of group g are rows `indptr[g]` up to `indptr[g + 1]`. */
export type RankerSamples = {
  width: number;
  indptr: Int32Array;
  /** rows × width, as `createCandidateFinder` has them. */
  features: Float32Array;
  /** 1 = bought in the window. */
  labels: Uint8Array;
  /** By group: how many items were bought in the window, among the candidates or not. */
  relevant: Int32Array;
};

export type FeatureScaling = {
  mean: Float32Array;
  /** Standard deviation; 1 where a feature never varies. */
  spread: Float32Array;
};

/** Gathers groups one by one; typed arrays grow as they are needed. */
export class SampleCollector {
  readonly #width: number;
  #features: Float32Array;
  #labels: Uint8Array;
  #rows = 0;
  readonly #ends: number[] = [0];
  readonly #relevant: number[] = [];

  constructor(width: number) {
    this.#width = width;
    this.#features = new Float32Array(1024 * width);
    this.#labels = new Uint8Array(1024);
  }

  add(row: Float32Array, label: boolean): void {
    if (this.#rows === this.#labels.length) this.#grow();
    this.#features.set(row, this.#rows * this.#width);
    this.#labels[this.#rows++] = Number(label);
  }

  /** Ends the group of the rows added since the last, of a customer who bought so many items. */
  endGroup(relevant: number): void {
    this.#ends.push(this.#rows);
    this.#relevant.push(relevant);
  }

  finish(): RankerSamples {
    return {
      width: this.#width,
      indptr: Int32Array.from(this.#ends),
      features: this.#features.subarray(0, this.#rows * this.#width),
      labels: this.#labels.subarray(0, this.#rows),
      relevant: Int32Array.from(this.#relevant),
    };
  }

  #grow(): void {
    const rows = 2 * this.#labels.length;
    const features = new Float32Array(rows * this.#width);
    features.set(this.#features);
    const labels = new Uint8Array(rows);
    labels.set(this.#labels);
    this.#features = features;
    this.#labels = labels;
  }
}

/** Several sets as one; each is of the same width. */
export function joinSamples(sets: readonly RankerSamples[]): RankerSamples {
  const width = sets[0]?.width ?? 0;
  const rows = sets.reduce((sum, { labels }) => sum + labels.length, 0);
  const groups = sets.reduce((sum, { indptr }) => sum + indptr.length - 1, 0);
  const joined: RankerSamples = {
    width,
    indptr: new Int32Array(groups + 1),
    features: new Float32Array(rows * width),
    labels: new Uint8Array(rows),
    relevant: new Int32Array(groups),
  };
  let row = 0;
  let group = 0;
  for (const { indptr, features, labels, relevant } of sets) {
    joined.relevant.set(relevant, group);
    joined.features.set(features, row * width);
    joined.labels.set(labels, row);
    for (let g = 1; g < indptr.length; g++) joined.indptr[++group] = row + indptr[g]!;
    row += labels.length;
  }
  return joined;
}

/** Keeps of each group what was bought and about `negativesMax` others, drawn at random: more teach little. */
export function thinSamples(samples: RankerSamples, negativesMax: number, rng: Rng): RankerSamples {
  const { width, indptr, features, labels, relevant } = samples;
  const collector = new SampleCollector(width);
  for (let g = 0; g < relevant.length; g++) {
    let negatives = 0;
    for (let r = indptr[g]!; r < indptr[g + 1]!; r++) negatives += 1 - labels[r]!;
    for (let r = indptr[g]!; r < indptr[g + 1]!; r++)
      if (labels[r] === 1 || rng.next() * negatives < negativesMax)
        collector.add(features.subarray(r * width, (r + 1) * width), labels[r] === 1);
    collector.endGroup(relevant[g]!);
  }
  return collector.finish();
}

/** Mean and spread of each feature over all rows. */
export function fitScaling({ width, features }: RankerSamples): FeatureScaling {
  const rows = features.length / width;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let p = 0, f = 0; p < features.length; p++, f = f + 1 === width ? 0 : f + 1) {
    sum[f]! += features[p]!;
    squares[f]! += features[p]! ** 2;
  }
  const mean = Float32Array.from(sum, (total) => total / Math.max(1, rows));
  const spread = Float32Array.from(squares, (total, f) => {
    const variance = total / Math.max(1, rows) - (sum[f]! / Math.max(1, rows)) ** 2;
    return variance > 1e-8 ? Math.sqrt(variance) : 1;
  });
  return { mean, spread };
}
