/** Validation parts of training pairs: what hyper-parameters and weights are chosen on, in place of the test. */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import { createRng, shuffle } from '../../algorithms/rng.ts';
import type { PairData } from './pair-model.ts';
import { drawNegatives, type SampledCases } from './sampled-cases.ts';

/** Enough for figures that are sure to about half a hundredth; a list of the whole catalogue costs more, and tells more. */
export const mostJudgedUsers = { sampled: 6_000, full: 3_000 };
const fullShare = 0.2;
/** Users with fewer items have none held out. */
export const fewestToHoldOut = { 'sampled-negatives': 2, 'full-ranking': 5 };

export type HeldOut = {
  train: PairData;
  /** users × items: what was held out. */
  test: CsrMatrix;
};

/**
 * One pair of up to 6,000 random users who have at least two, each with its own negatives: as the protocol's test is made
 * of the whole. The last of each, as here and below, where the data have an order; else any.
 */
export function holdOutSampled(data: PairData, seed: number): { train: PairData; cases: SampledCases } {
  const { train, test } = holdOut(
    data,
    seed,
    mostJudgedUsers.sampled,
    fewestToHoldOut['sampled-negatives'],
    () => 1,
  );
  const user = new Int32Array(test.indices.length);
  for (let u = 0; u < test.rows; u++) user.fill(u, test.indptr[u]!, test.indptr[u + 1]!);
  // Of the user's own items none is a negative, held out or not.
  return { train, cases: drawNegatives({ user, item: test.indices }, data.userItems, seed) };
}

/** A fifth of the pairs of up to 3,000 random users who have at least five. */
export function holdOutFull(data: PairData, seed: number): HeldOut {
  return holdOut(data, seed, mostJudgedUsers.full, fewestToHoldOut['full-ranking'], (pairs) =>
    Math.max(1, Math.round(fullShare * pairs)),
  );
}

/** Users who have at least so many items. */
export function usersWith({ rows, indptr }: CsrMatrix, fewest: number): number[] {
  const users: number[] = [];
  for (let u = 0; u < rows; u++) if (indptr[u + 1]! - indptr[u]! >= fewest) users.push(u);
  return users;
}

function holdOut(
  { userItems, position }: PairData,
  seed: number,
  most: number,
  fewest: number,
  heldOf: (pairs: number) => number,
): HeldOut {
  const { rows, indptr, indices } = userItems;
  const able = usersWith(userItems, fewest);
  if (able.length === 0)
    throw new RangeError(`no user has ${fewest} items: there is nothing to hold out for validation`);
  const isJudged = new Uint8Array(rows);
  for (const u of shuffle(able, createRng(seed, 'judged users')).slice(0, most)) isJudged[u] = 1;
  const isHeld = new Uint8Array(indices.length);
  for (let u = 0; u < rows; u++) {
    if (isJudged[u] === 0) continue;
    const places = shuffle(
      Array.from({ length: indptr[u + 1]! - indptr[u]! }, (_, n) => indptr[u]! + n),
      createRng(seed, 'held out', u),
    );
    if (position !== undefined) places.sort((p, q) => position[q]! - position[p]!);
    for (const p of places.slice(0, heldOf(places.length))) isHeld[p] = 1;
  }
  const train = {
    userItems: entriesWhere(userItems, isHeld, 0),
    position: position?.filter((_, p) => isHeld[p] === 0),
  };
  return { train, test: entriesWhere(userItems, isHeld, 1) };
}

/** The entries p with `marks[p] === mark`. */
function entriesWhere(matrix: CsrMatrix, marks: Uint8Array, mark: number): CsrMatrix {
  const { rows, cols } = matrix;
  const indptr = new Int32Array(rows + 1);
  const keep = (_: number, p: number) => marks[p] === mark;
  for (let u = 0; u < rows; u++) {
    indptr[u + 1] = indptr[u]!;
    for (let p = matrix.indptr[u]!; p < matrix.indptr[u + 1]!; p++) if (marks[p] === mark) indptr[u + 1]!++;
  }
  return { rows, cols, indptr, indices: matrix.indices.filter(keep), data: matrix.data.filter(keep) };
}
