/**
 * Contexts as a few numbers that an effect may be linear in: each column by its rank, with two bends (a linear spline in the
 * quantile, so that no outlier weighs), all at one scale, turned to their principal axes and cut off after the widest. Under
 * one ridge for all of them turning changes nothing, and what is cut off is what the ridge would hold back most.
 */
import { principalAxes } from '../principal-axes.ts';

export type ContextBasis = {
  columns: number;
  /** By column: values at equal steps of the rank, ascending; two for a column of two values; empty for a constant. */
  knots: Float64Array[];
  /** Numbers before the turn. */
  features: number;
  /** Numbers after it. */
  size: number;
  /** size × features. */
  axes: Float64Array;
  /** By axis: subtracted, so that the mean is 0. */
  centre: Float64Array;
};

const knotsMax = 33;
/** Ranks at which a spline bends. */
const bends = [1 / 3, 2 / 3];
/** A level that hardly anybody has would otherwise count more than all that is common. */
const leastSpread = 0.1;
/** Axes that are narrower, beside the widest, say nothing. */
const leastVariance = 1e-4;
/** Rows that knots and axes are chosen from, at most, evenly spread. */
const sampleMax = 20_000;

/** `contexts`: rows × columns, every value finite. */
export function fitContextBasis(
  { rows, columns, contexts }: { rows: number; columns: number; contexts: Float32Array },
  axesMax: number,
): ContextBasis {
  const step = Math.max(1, Math.ceil(rows / sampleMax));
  const sampled = Math.ceil(rows / step);
  const knots = Array.from({ length: columns }, (_, c) =>
    knotsOf(Float64Array.from({ length: sampled }, (_, s) => contexts[s * step * columns + c]!).sort()),
  );
  const features = knots.reduce((sum, own) => sum + featuresOf(own), 0);
  const values = new Float64Array(sampled * features);
  for (let s = 0; s < sampled; s++)
    writeFeatures(knots, contexts, s * step * columns, values.subarray(s * features));
  const mean = new Float64Array(features);
  const spread = new Float64Array(features);
  for (let f = 0; f < features; f++) {
    let sum = 0;
    for (let s = 0; s < sampled; s++) sum += values[s * features + f]!;
    mean[f] = sum / sampled;
    let squares = 0;
    for (let s = 0; s < sampled; s++) squares += (values[s * features + f]! - mean[f]!) ** 2;
    spread[f] = Math.max(leastSpread, Math.sqrt(squares / sampled));
  }
  for (let s = 0, at = 0; s < sampled; s++)
    for (let f = 0; f < features; f++, at++) values[at] = (values[at]! - mean[f]!) / spread[f]!;
  const covariance = new Float64Array(features * features);
  for (let s = 0; s < sampled; s++) {
    const own = values.subarray(s * features, (s + 1) * features);
    for (let i = 0; i < features; i++) {
      const x = own[i]! / sampled;
      for (let j = 0, at = i * features; j <= i; j++, at++) covariance[at]! += x * own[j]!;
    }
  }
  for (let i = 0; i < features; i++)
    for (let j = 0; j < i; j++) covariance[j * features + i] = covariance[i * features + j]!;
  const { axes, variance } = principalAxes(covariance, features);
  let size = 0;
  while (size < Math.min(axesMax, features) && variance[size]! > leastVariance * variance[0]!) size++;
  const turned = axes.slice(0, size * features).map((weight, at) => weight / spread[at % features]!);
  const centre = Float64Array.from({ length: size }, (_, k) => {
    let sum = 0;
    for (let f = 0; f < features; f++) sum += turned[k * features + f]! * mean[f]!;
    return sum;
  });
  return { columns, knots, features, size, axes: turned, centre };
}

/** The same with fewer axes, the widest. */
export function widestOf(basis: ContextBasis, axesMax: number): ContextBasis {
  const size = Math.min(basis.size, axesMax);
  return {
    ...basis,
    size,
    axes: basis.axes.slice(0, size * basis.features),
    centre: basis.centre.slice(0, size),
  };
}

/** Writes the `size` numbers of the context that begins at `contexts[at]`. */
export function writeAxes(
  basis: ContextBasis,
  contexts: ArrayLike<number>,
  at: number,
  scratch: Float64Array,
  out: Float64Array,
  to = 0,
): void {
  const { knots, features, size, axes, centre } = basis;
  writeFeatures(knots, contexts, at, scratch);
  for (let k = 0; k < size; k++) {
    let sum = -centre[k]!;
    for (let f = 0, p = k * features; f < features; f++, p++) sum += axes[p]! * scratch[f]!;
    out[to + k] = sum;
  }
}

/** rows × size: the axes of every context. */
export function axesOf(contexts: Float32Array, rows: number, basis: ContextBasis): Float32Array {
  const axes = new Float32Array(rows * basis.size);
  const scratch = new Float64Array(basis.features);
  const own = new Float64Array(basis.size);
  for (let row = 0; row < rows; row++) {
    writeAxes(basis, contexts, row * basis.columns, scratch, own);
    axes.set(own, row * basis.size);
  }
  return axes;
}

function writeFeatures(
  knots: readonly Float64Array[],
  contexts: ArrayLike<number>,
  at: number,
  out: Float64Array,
): void {
  let f = 0;
  for (let c = 0; c < knots.length; c++) {
    const own = knots[c]!;
    if (own.length === 0) continue;
    const rank = rankAmong(own, contexts[at + c]!);
    out[f++] = rank;
    if (own.length > 2) for (const bend of bends) out[f++] = Math.max(0, rank - bend);
  }
}

function featuresOf(knots: Float64Array): number {
  return knots.length === 0 ? 0 : knots.length === 2 ? 1 : 1 + bends.length;
}

/** Where a value is between the knots, 0 to 1; of knots that are equal, the middle. */
function rankAmong(knots: Float64Array, value: number): number {
  const last = knots.length - 1;
  const low = firstAbove(knots, value, false);
  const high = firstAbove(knots, value, true);
  // Equal to the knots low … high − 1.
  if (high > low) return (low + high - 1) / 2 / last;
  if (low === 0) return 0;
  if (low > last) return 1;
  return (low - 1 + (value - knots[low - 1]!) / (knots[low]! - knots[low - 1]!)) / last;
}

/** Position of the first knot that is at least `value`, or, `strictly`, above it. */
function firstAbove(knots: Float64Array, value: number, strictly: boolean): number {
  let low = 0;
  let high = knots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (strictly ? knots[middle]! > value : knots[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

function knotsOf(sorted: Float64Array): Float64Array {
  const distinct = sorted.filter((value, s) => s === 0 || value !== sorted[s - 1]);
  if (distinct.length === 1) return new Float64Array(0);
  if (distinct.length === 2) return distinct;
  return Float64Array.from(
    { length: knotsMax },
    (_, k) => sorted[Math.round((k / (knotsMax - 1)) * (sorted.length - 1))]!,
  );
}
