/**
 * Seeded random numbers whose streams are derivable: `createRng(seed, 'customer', 17)` is the same stream whenever and
 * wherever it is asked for, and independent of `createRng(seed, 'customer', 18)`. Not for secrets.
 *
 * The generator is sfc32 (Doty-Humphrey's PractRand: 128 bits of state of which 32 are a counter, so that no stream
 * is shorter than 2^32 draws), its state a hash of the seeds.
 */
export type Rng = {
  /** Uniform in [0, 1), in steps of 2^-32. */
  next(): number;
  /** Uniform integer in [0, n). `n` must be an integer from 1 to 2^32; else RangeError. */
  nextInt(n: number): number;
  /** true with this probability. */
  chance(probability: number): boolean;
  /** Standard normal: mean 0, variance 1. */
  normal(): number;
  /** Exponential of mean 1. */
  exponential(): number;
  /** Gamma of this shape (> 0) and scale 1: mean and variance are `shape`. */
  gamma(shape: number): number;
  /** Poisson of this mean (≥ 0). */
  poisson(mean: number): number;
  /**
   * Index i with probability wᵢ / Σw, given the running sums of the weights: `cumulative[i] = w₀ + … + wᵢ`, as
   * `cumulativeWeights` makes them. RangeError when they are empty or sum to nothing.
   */
  categorical(cumulative: ArrayLike<number>): number;
};

/** A stream of random numbers named by its seeds. Order and type count: `(1, 2)`, `(2, 1)`, `(12)` and `('1', 2)` differ. */
export function createRng(...seeds: readonly (number | string)[]): Rng {
  return new Sfc32(hashSeeds(seeds));
}

/** Running sums of weights (≥ 0), for `Rng.categorical`. */
export function cumulativeWeights(weights: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    sums[i] = sum;
  }
  return sums;
}

/** Puts the elements into a random order, in place (Fisher–Yates). */
export function shuffle<T>(elements: T[], rng: Rng): T[] {
  for (let i = elements.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    const moved = elements[i]!;
    elements[i] = elements[j]!;
    elements[j] = moved;
  }
  return elements;
}

class Sfc32 implements Rng {
  // A typed array, since V8 would box integers beyond 31 bits anywhere else.
  readonly #state: Int32Array;
  #spareNormal = Number.NaN;

  constructor(state: Int32Array) {
    this.#state = state;
    // As in PractRand: enough rounds for every bit of the seed to have reached every bit of the state.
    for (let round = 0; round < 15; round++) this.next();
  }

  next(): number {
    const state = this.#state;
    const a = state[0]!;
    const b = state[1]!;
    const c = state[2]!;
    const counter = state[3]!;
    const drawn = (((a + b) | 0) + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + drawn) | 0;
    state[3] = (counter + 1) | 0;
    return (drawn >>> 0) * 2 ** -32;
  }

  nextInt(n: number): number {
    if (!(n >= 1 && n <= 2 ** 32 && Number.isInteger(n)))
      throw new RangeError(`nextInt needs an integer from 1 to 2^32, not ${n}`);
    // The bias of this, at most n / 2^32, is below anything that a simulation or a sample could show.
    return Math.floor(this.next() * n);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Marsaglia's polar method: two normals a round, of which one is kept for the next call. */
  normal(): number {
    if (!Number.isNaN(this.#spareNormal)) {
      const spare = this.#spareNormal;
      this.#spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      const x = 2 * this.next() - 1;
      const y = 2 * this.next() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * scale;
      return x * scale;
    }
  }

  exponential(): number {
    // 1 - next() is never 0, so that the logarithm is finite.
    return -Math.log(1 - this.next());
  }

  /** Marsaglia and Tsang (2000); for shapes below 1 their note: Gamma(a) = Gamma(a + 1) · U^(1/a). */
  gamma(shape: number): number {
    if (!(shape > 0 && shape < Number.POSITIVE_INFINITY))
      throw new RangeError(`gamma needs a shape above 0, not ${shape}`);
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.next()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root ** 3;
      if (Math.log(1 - this.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  poisson(mean: number): number {
    if (!(mean >= 0 && mean < Number.POSITIVE_INFINITY))
      throw new RangeError(`poisson needs a mean of at least 0, not ${mean}`);
    return mean < 10 ? this.#poissonByProduct(mean) : this.#poissonByRejection(mean);
  }

  /** Knuth: how many uniforms until their product falls below e^-mean. */
  #poissonByProduct(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.next(); product > limit; product *= this.next()) count++;
    return count;
  }

  /** PTRS, transformed rejection (Hörmann 1993): a handful of draws whatever the mean. */
  #poissonByRejection(mean: number): number {
    const b = 0.931 + 2.53 * Math.sqrt(mean);
    const a = -0.059 + 0.02483 * b;
    const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
    const vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const u = this.next() - 0.5;
      const v = 1 - this.next();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= vr) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      const accepted = Math.log((v * inverseAlpha) / (a / (us * us) + b));
      if (accepted <= k * Math.log(mean) - mean - logFactorial(k)) return k;
    }
  }

  categorical(cumulative: ArrayLike<number>): number {
    const last = cumulative.length - 1;
    const total = last >= 0 ? cumulative[last]! : 0;
    if (!(total > 0)) throw new RangeError('categorical needs weights that sum to more than 0');
    const drawn = this.next() * total;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** ln k!, by Stirling's series beyond a small table (error below 1e-10). */
function logFactorial(k: number): number {
  if (k < SMALL_LOG_FACTORIALS.length) return SMALL_LOG_FACTORIALS[k]!;
  const inverse = 1 / k;
  const series = inverse * (1 / 12 - inverse * inverse * (1 / 360 - (inverse * inverse) / 1260));
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + series;
}

const SMALL_LOG_FACTORIALS = Array.from({ length: 16 }, (_, k) => {
  let sum = 0;
  for (let i = 2; i <= k; i++) sum += Math.log(i);
  return sum;
});

const NUMBER_TAG = 0x6e756d62;
const TEXT_TAG = 0x74657874;
const numberBytes = new Float64Array(1);
const numberWords = new Int32Array(numberBytes.buffer);

/** 128 bits out of the seeds: each word goes through four lanes of a MurmurHash3 round, which then mix each other. */
function hashSeeds(seeds: readonly (number | string)[]): Int32Array {
  const lanes = new Int32Array([0x243f6a88, 0x85a308d3 | 0, 0x13198a2e, 0x03707344]);
  for (const seed of seeds) {
    if (typeof seed === 'number') {
      if (!Number.isFinite(seed)) throw new RangeError(`a seed must be finite, not ${seed}`);
      // + 0 makes -0 the same seed as 0.
      numberBytes[0] = seed + 0;
      absorb(lanes, NUMBER_TAG);
      absorb(lanes, numberWords[0]!);
      absorb(lanes, numberWords[1]!);
    } else {
      absorb(lanes, TEXT_TAG);
      absorb(lanes, seed.length);
      for (let i = 0; i < seed.length; i++) absorb(lanes, seed.charCodeAt(i));
    }
  }
  for (let lane = 0; lane < 4; lane++) lanes[lane] = finish(lanes[lane]!);
  return lanes;
}

const LANE_MULTIPLIERS = [0xcc9e2d51 | 0, 0x1b873593, 0x9e3779b1 | 0, 0x85ebca6b | 0] as const;

function absorb(lanes: Int32Array, word: number): void {
  let carried = lanes[3]!;
  for (let lane = 0; lane < 4; lane++) {
    const mixed = Math.imul(lanes[lane]! ^ word ^ carried, LANE_MULTIPLIERS[lane]!);
    carried = (mixed << 15) | (mixed >>> 17);
    lanes[lane] = (Math.imul(carried, 5) + 0xe6546b64) | 0;
  }
}

/** The finaliser of MurmurHash3: every bit of the word comes to depend on every other. */
function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
