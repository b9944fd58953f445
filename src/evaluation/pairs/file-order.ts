/**
 * What the order of a file's lines tells: publishers often leave a user's items in the order of time, and hold out the last.
 */
import type { CsrMatrix } from '../../algorithms/csr.ts';
import type { Pairs } from '../input/read-pairs.ts';

/** Users' lists that ascend by id, of all, from which the order is the publisher's sorting and tells nothing. */
const sortedShare = 0.95;
/** Shorter lists may well ascend by chance. */
const fewestItems = 5;

/**
 * For each entry of `matrix`, which is of these pairs, its place among its user's lines, from 0; of a pair that is there twice
 * the last. undefined where the users' items are sorted by id.
 */
export function positionsOf(
  pairs: Pairs,
  matrix: CsrMatrix,
  itemIds: readonly string[],
): Int32Array | undefined {
  if (isSorted(pairs, matrix.rows, itemIds)) return undefined;
  const { indptr, indices } = matrix;
  const seen = new Int32Array(matrix.rows);
  const positions = new Int32Array(indices.length);
  for (let n = 0; n < pairs.user.length; n++) {
    const user = pairs.user[n]!;
    positions[placeOf(indices, indptr[user]!, indptr[user + 1]!, pairs.item[n]!)] = seen[user]!++;
  }
  return positions;
}

function isSorted({ user, item }: Pairs, users: number, itemIds: readonly string[]): boolean {
  const order = rankOfIds(itemIds);
  const last = new Int32Array(users).fill(-1);
  const counts = new Int32Array(users);
  const descends = new Uint8Array(users);
  for (let n = 0; n < user.length; n++) {
    const u = user[n]!;
    const rank = order[item[n]!]!;
    if (rank < last[u]!) descends[u] = 1;
    last[u] = rank;
    counts[u]!++;
  }
  let judged = 0;
  let sorted = 0;
  for (let u = 0; u < users; u++) {
    if (counts[u]! < fewestItems) continue;
    judged++;
    if (descends[u] === 0) sorted++;
  }
  return sorted >= sortedShare * judged;
}

/** Each id's rank: of numbers by their size, else of texts. */
function rankOfIds(ids: readonly string[]): Int32Array {
  const numbers = ids.map(Number);
  const numeric = numbers.every(Number.isFinite);
  const sorted = Array.from(ids, (_, i) => i).sort(
    numeric ? (a, b) => numbers[a]! - numbers[b]! : (a, b) => (ids[a]! < ids[b]! ? -1 : 1),
  );
  const ranks = new Int32Array(ids.length);
  sorted.forEach((i, rank) => {
    ranks[i] = rank;
  });
  return ranks;
}

/** Where the row that lies from `from` up to `to` has the item; columns ascend. */
function placeOf(indices: Int32Array, from: number, to: number, item: number): number {
  let low = from;
  let high = to - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (indices[middle]! < item) low = middle + 1;
    else high = middle;
  }
  return low;
}
