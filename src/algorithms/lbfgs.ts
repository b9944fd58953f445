/** Minimises a smooth function by limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5). */

/** Writes the gradient at `x` into `gradient` and answers the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export type LbfgsOptions = { iterationsMax?: number; memory?: number; tolerance?: number };

/** Armijo's condition: a step must bring at least this share of what the slope promises. */
const sufficientDecrease = 1e-4;
const halvingsMax = 30;

/**
 * The point of least value found from `start`, which is left as it is. Stops when the gradient's norm, beside that of x, falls
 * below `tolerance`.
 */
export function minimize(
  objective: Objective,
  start: Float64Array,
  { iterationsMax = 100, memory = 8, tolerance = 1e-5 }: LbfgsOptions = {},
): { x: Float64Array; value: number; iterations: number } {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const steps: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    if (norm(gradient) <= tolerance * Math.max(1, norm(x))) return { x, value, iterations: iteration };
    const direction = descent(gradient, steps);
    let slope = dot(gradient, direction);
    if (!(slope < 0)) {
      // The curvature that was seen misleads: begin again from the steepest descent.
      steps.length = 0;
      for (let f = 0; f < x.length; f++) direction[f] = -gradient[f]!;
      slope = -dot(gradient, gradient);
    }
    const nextGradient = new Float64Array(x.length);
    const next = new Float64Array(x.length);
    let step = steps.length === 0 ? Math.min(1, 1 / norm(gradient)) : 1;
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < halvingsMax; halving++, step /= 2) {
      for (let f = 0; f < x.length; f++) next[f] = x[f]! + step * direction[f]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + sufficientDecrease * step * slope) break;
    }
    if (!(nextValue < value)) return { x, value, iterations: iteration };
    const s = next.map((v, f) => v - x[f]!);
    const y = nextGradient.map((v, f) => v - gradient[f]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12) {
      steps.push({ s, y, rho: 1 / curvature });
      if (steps.length > memory) steps.shift();
    }
    x = next;
    gradient = nextGradient;
    value = nextValue;
  }
  return { x, value, iterations: iterationsMax };
}

/** −H·g by the two-loop recursion. */
function descent(
  gradient: Float64Array,
  steps: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.map((value) => -value);
  const alphas = new Float64Array(steps.length);
  for (let k = steps.length - 1; k >= 0; k--) {
    const { s, y, rho } = steps[k]!;
    alphas[k] = rho * dot(s, q);
    for (let f = 0; f < q.length; f++) q[f]! -= alphas[k]! * y[f]!;
  }
  const last = steps.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let f = 0; f < q.length; f++) q[f]! *= scale;
  }
  for (let k = 0; k < steps.length; k++) {
    const { s, y, rho } = steps[k]!;
    const beta = rho * dot(y, q);
    for (let f = 0; f < q.length; f++) q[f]! += (alphas[k]! - beta) * s[f]!;
  }
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += a[f]! * b[f]!;
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}
