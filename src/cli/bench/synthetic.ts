/** Interactions of a given size and long tail, with no taste in them: for measuring speed, not quality. */
import { type CsrMatrix, csrFromTriplets } from '../../algorithms/csr.ts';
import { createRng, cumulativeWeights, shuffle } from '../../algorithms/rng.ts';

export type SyntheticSize = { users: number; items: number; pairs: number };

/** The size of MovieLens-1M after implicit conversion. */
export const MOVIELENS_1M: SyntheticSize = { users: 6040, items: 3706, pairs: 994_000 };

/**
 * About `pairs` user–item pairs: users' numbers of items log-normal (at most 60 % of the items), items drawn with
 * probability 1 / (rank + 30), in an order that says nothing of their rank. Weights 0.5, 1, 1.5, 2.
 */
export function syntheticInteractions({ users, items, pairs }: SyntheticSize, seed: number): CsrMatrix {
  const rng = createRng('bench', seed);
  const itemOfRank = shuffle(
    Array.from({ length: items }, (_, i) => i),
    rng,
  );
  const popularity = cumulativeWeights(Float64Array.from({ length: items }, (_, rank) => 1 / (rank + 30)));
  const activity = Float64Array.from({ length: users }, () => Math.exp(rng.normal()));
  const perActivity = pairs / activity.reduce((sum, value) => sum + value, 0);
  const row: number[] = [];
  const col: number[] = [];
  const value: number[] = [];
  for (let u = 0; u < users; u++) {
    const wanted = Math.max(
      1,
      Math.min(Math.floor(items * 0.6), Math.round((activity[u] ?? 0) * perActivity)),
    );
    const taken = new Set<number>();
    while (taken.size < wanted) taken.add(itemOfRank[rng.categorical(popularity)] ?? 0);
    for (const item of taken) {
      row.push(u);
      col.push(item);
      value.push((1 + rng.nextInt(4)) / 2);
    }
  }
  return csrFromTriplets(users, items, { row, col, value });
}
