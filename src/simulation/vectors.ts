/** Small dense vectors of latent taste. */
import type { Rng } from '../algorithms/rng.ts';

/** Latent dimensions of taste. */
export const TASTE_DIMENSIONS = 12;

/** A direction drawn evenly from the unit sphere around `centre × pull`: the stronger the pull, the closer to it. */
export function directionAround(centre: ArrayLike<number> | undefined, pull: number, rng: Rng): Float64Array {
  const vector = new Float64Array(TASTE_DIMENSIONS);
  // A vector of independent normals of this size has a mean square length of 1.
  const scale = 1 / Math.sqrt(TASTE_DIMENSIONS);
  for (let f = 0; f < TASTE_DIMENSIONS; f++)
    vector[f] = rng.normal() * scale + (centre === undefined ? 0 : pull * centre[f]!);
  return normalise(vector);
}

function normalise(vector: Float64Array): Float64Array {
  let square = 0;
  for (const x of vector) square += x * x;
  const length = Math.sqrt(square);
  for (let f = 0; f < vector.length; f++) vector[f] = vector[f]! / length;
  return vector;
}

/** Dot product of `a` with the row of `matrix` that starts at `offset`. */
export function dotAt(a: Float64Array, matrix: Float64Array, offset: number): number {
  let sum = 0;
  for (let f = 0; f < TASTE_DIMENSIONS; f++) sum += a[f]! * matrix[offset + f]!;
  return sum;
}
