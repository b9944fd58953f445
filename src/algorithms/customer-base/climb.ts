/** The search for the maximum of a log-likelihood. */

/**
 * The log-likelihood of all customers at these logarithms of the parameters. Writes its derivatives by them into
 * `gradient`.
 */
export type LogLikelihood = (logParameters: Float64Array, gradient: Float64Array) => number;

/** Parameters are kept within e^±14 of their scale: beyond, a customer base is as homogeneous as can be. */
export const reach = 14;
/** Of a search that begins anywhere, and of one that begins next to its end. */
const maxIterations = 200;
const maxIterationsNearby = 25;
/** Slope of the mean log-likelihood by the logarithm of a parameter, below which nothing is left to gain. */
const flat = 1e-9;
const nearlyFlat = 1e-6;
const maxStep = 3;

export type Maximum = {
  at: Float64Array;
  value: number;
  /** Whether the slope came to nothing. */
  converged: boolean;
};

/**
 * BFGS (Nocedal and Wright 2006, algorithm 6.1) with a line search by bisection for the weak Wolfe conditions (Lewis and
 * Overton 2013, algorithm 2.6), within `reach` of the centre: what lies at that bound and would go beyond it stays there.
 * With `knownInverse`, the inverse of `informationAt` for like data and one customer, the search is a matter of a few steps
 * from where they had their maximum.
 */
export function climb(
  logLikelihood: LogLikelihood,
  start: Float64Array,
  centre: Float64Array,
  customers: number,
  knownInverse?: Float64Array,
): Maximum {
  const n = start.length;
  const scale = 1 / Math.max(1, customers);
  // The search goes downhill: on minus the mean log-likelihood.
  const evaluate = (at: Float64Array, gradient: Float64Array) => {
    const value = -scale * logLikelihood(at, gradient);
    for (let i = 0; i < n; i++) gradient[i]! *= -scale;
    return value;
  };
  const low = centre.map((value) => value - reach);
  const high = centre.map((value) => value + reach);
  let at: Float64Array = start.map((value, i) => Math.min(high[i]!, Math.max(low[i]!, value)));
  let gradient: Float64Array = new Float64Array(n);
  let value = evaluate(at, gradient);
  let inverse = knownInverse?.slice() ?? identity(n);
  let held: string | undefined;
  let slope = Number.POSITIVE_INFINITY;
  const iterations = knownInverse === undefined ? maxIterations : maxIterationsNearby;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const free = at.map((x, i) => Number(!(gradient[i]! > 0 ? x <= low[i]! : x >= high[i]!)));
    slope = 0;
    for (let i = 0; i < n; i++) slope = Math.max(slope, free[i]! * Math.abs(gradient[i]!));
    if (slope <= flat) break;
    if (held !== undefined && free.join() !== held) inverse = identity(n);
    held = free.join();
    let direction = downhill(inverse, gradient, free);
    if (dot(direction, gradient) >= 0) {
      inverse = identity(n);
      direction = downhill(inverse, gradient, free);
    }
    const limit = stepLimit(at, direction, low, high);
    const step = lineSearch(evaluate, at, value, gradient, direction, limit);
    if (step === undefined) break;
    updateInverse(inverse, at, gradient, step, n);
    ({ at, gradient, value } = step);
    for (let i = 0; i < n; i++) {
      // On the bound, not within rounding of it.
      if (at[i]! - low[i]! < 1e-12) at[i] = low[i]!;
      if (high[i]! - at[i]! < 1e-12) at[i] = high[i]!;
    }
  }
  return { at, value: -value / scale, converged: slope <= nearlyFlat };
}

type Point = { at: Float64Array; gradient: Float64Array; value: number };

function lineSearch(
  evaluate: (at: Float64Array, gradient: Float64Array) => number,
  from: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
  limit: number,
): Point | undefined {
  const slope = dot(direction, gradient);
  let best: Point | undefined;
  let short = 0;
  let long = Number.POSITIVE_INFINITY;
  let length = Math.min(1, limit);
  for (let trial = 0; trial < 40; trial++) {
    const at = from.map((x, i) => x + length * direction[i]!);
    const point: Point = { at, gradient: new Float64Array(from.length), value: 0 };
    point.value = evaluate(at, point.gradient);
    // At the end the gain is less than the rounding of a sum over so many: then the slope alone must tell.
    const rounding = 1e-12 * Math.abs(value);
    if (!(point.value <= value + 1e-4 * length * slope + rounding)) long = length;
    else {
      best = point;
      if (dot(direction, point.gradient) >= 0.9 * slope || length >= limit) return point;
      short = length;
    }
    length = Number.isFinite(long) ? (short + long) / 2 : Math.min(limit, 2 * length);
  }
  return best;
}

function stepLimit(at: Float64Array, direction: Float64Array, low: Float64Array, high: Float64Array): number {
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 0; i < at.length; i++) {
    const d = direction[i]!;
    if (d === 0) continue;
    const bound = d > 0 ? high[i]! : low[i]!;
    limit = Math.min(limit, (bound - at[i]!) / d, maxStep / Math.abs(d));
  }
  return limit;
}

function downhill(inverse: Float64Array, gradient: Float64Array, free: Float64Array): Float64Array {
  const n = gradient.length;
  const direction = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) direction[i]! -= free[i]! * free[j]! * inverse[i * n + j]! * gradient[j]!;
  return direction;
}

function updateInverse(
  inverse: Float64Array,
  at: Float64Array,
  gradient: Float64Array,
  next: Point,
  n: number,
): void {
  const s = next.at.map((x, i) => x - at[i]!);
  const y = next.gradient.map((g, i) => g - gradient[i]!);
  const curvature = dot(s, y);
  if (!(curvature > 1e-12 * Math.sqrt(dot(s, s) * dot(y, y)))) return;
  const hy = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) hy[i]! += inverse[i * n + j]! * y[j]!;
  const factor = (1 + dot(y, hy) / curvature) / curvature;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      inverse[i * n + j]! += factor * s[i]! * s[j]! - (hy[i]! * s[j]! + s[i]! * hy[j]!) / curvature;
}

export function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
