/**
 * Rotation: near ties change places from one window of time to the next, so that the same page is not the same for ever.
 *
 * Each place is drawn from the items whose score is close to the best one's left, with probabilities ∝ score^(1/T): a
 * Plackett–Luce model (Plackett 1975) kept within a window, drawn by the Gumbel trick (Yellott 1977): the greatest of
 * log(score)/T + G, with G from a standard Gumbel distribution. G is a hash of the seed and the item: the same as long
 * as the seed is, and whatever else comes into or leaves the list.
 */
import type { Rotation } from './arrange-rules.ts';

type Scored = { itemId: string; score: number };

/** The items, best first, in the order of this seed. The first `keepTop`, and scores of 0 and less, stay where they are. */
export function rotate<Item extends Scored>(
  items: readonly Item[],
  { keepTop, temperature, maxLoss }: Omit<Rotation, 'everyHours'>,
  seed: string,
): Item[] {
  const kept = items.slice(0, keepTop);
  const left = items.slice(keepTop);
  const seedHash = hash(seed, hashBasis);
  const keys = left.map(
    ({ itemId, score }) => Math.log(score) / temperature + gumbel(hash(itemId, seedHash)),
  );
  while (left.length > 0) {
    const least = (1 - maxLoss) * left[0]!.score;
    let chosen = 0;
    // Best first: the window is the beginning of what is left.
    for (let at = 1; left[0]!.score > 0 && at < left.length && left[at]!.score >= least; at++)
      if (keys[at]! > keys[chosen]!) chosen = at;
    kept.push(left[chosen]!);
    left.splice(chosen, 1);
    keys.splice(chosen, 1);
  }
  return kept;
}

/** Uniform in [0, 1): the same for the same texts. */
export function uniformOf(seed: string, text: string): number {
  return finish(hash(text, hash(seed, hashBasis))) / 2 ** 32;
}

/** The window of time that `now` lies in, as part of a seed. */
export function windowOf({ everyHours }: Pick<Rotation, 'everyHours'>, now: number): number {
  return Math.floor(now / (everyHours * 3_600_000));
}

/** When the next one begins: milliseconds since 1970. */
export function windowEnd({ everyHours }: Pick<Rotation, 'everyHours'>, now: number): number {
  return (windowOf({ everyHours }, now) + 1) * everyHours * 3_600_000;
}

function gumbel(hashed: number): number {
  // Half a step away from 0 and 1, whose logarithms are not finite.
  return -Math.log(-Math.log((finish(hashed) + 0.5) / 2 ** 32));
}

const hashBasis = 0x811c9dc5;

/** FNV-1a, over UTF-16 units. */
function hash(text: string, from: number): number {
  let state = from;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state;
}

/** MurmurHash3's finalizer: ids that differ in their last digit get unlike numbers. */
function finish(state: number): number {
  let mixed = state ^ (state >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
