/** How often a user bought each item, recent baskets counting more: the user vectors of TIFU-KNN and UP-CF. */
import type { CsrMatrix } from '../csr.ts';
import { type BasketLog, basketCount } from './basket-log.ts';

/** What a basket of this age (0: the user's last) weighs, of a user with so many baskets. */
export type AgeWeight = (age: number, baskets: number) => number;

export type GroupDecay = {
  /** r_b: what a basket weighs beside the next younger one of the same group. */
  withinDecay: number;
  /** r_g: what a group of baskets weighs beside the next younger group. */
  groupDecay: number;
  /** m: baskets in a group, counted from the last basket back. */
  groupSize: number;
};

/**
 * Temporal item frequency (Hu, He, Gao and Zhang, SIGIR 2020, eq. 1–2): a basket of age a is in group g = ⌊a / m⌋ and weighs
 * r_b^(a mod m) · r_g^g / (baskets in the group · groups).
 */
export function groupDecayWeight({ withinDecay, groupDecay, groupSize }: GroupDecay): AgeWeight {
  return (age, baskets) => {
    const group = Math.floor(age / groupSize);
    const inGroup = Math.min(groupSize, baskets - group * groupSize);
    const groups = Math.ceil(baskets / groupSize);
    return (withinDecay ** (age % groupSize) * groupDecay ** group) / (inGroup * groups);
  };
}

/** Recency-aware user popularity (Faggioli, Polato and Aiolli, UMAP 2020): the share of the last `recent` baskets; 0: of all. */
export function recentShareWeight(recent: number): AgeWeight {
  return (age, baskets) => {
    const window = recent > 0 ? Math.min(recent, baskets) : baskets;
    return age < window ? 1 / window : 0;
  };
}

/** Basket by basket at `decay` of the younger one's weight, all baskets of a user summing to 1; at decay 1 the plain share. */
export function decayedShareWeight(decay: number): AgeWeight {
  return (age, baskets) => decay ** age / (decay === 1 ? baskets : (1 - decay ** baskets) / (1 - decay));
}

/** users × items: Σ weight over the baskets that hold the item. Items of weight 0 have no entry. */
export function decayedFrequency(log: BasketLog, weightOf: AgeWeight): CsrMatrix {
  const { users, items, userBaskets, basketItems, item } = log;
  const indptr = new Int32Array(users + 1);
  // No more entries than purchases: cut to length at the end.
  const indices = new Int32Array(item.length);
  const data = new Float32Array(item.length);
  const sums = new Float64Array(items);
  let end = 0;
  for (let u = 0; u < users; u++) {
    const baskets = basketCount(log, u);
    const last = userBaskets[u + 1]! - 1;
    const start = end;
    for (let age = 0; age < baskets; age++) {
      const weight = weightOf(age, baskets);
      if (!(weight > 0)) continue;
      for (let p = basketItems[last - age]!; p < basketItems[last - age + 1]!; p++) {
        const i = item[p]!;
        if (sums[i] === 0) indices[end++] = i;
        sums[i]! += weight;
      }
    }
    indices.subarray(start, end).sort();
    for (let p = start; p < end; p++) {
      data[p] = sums[indices[p]!]!;
      sums[indices[p]!] = 0;
    }
    indptr[u + 1] = end;
  }
  return { rows: users, cols: items, indptr, indices: indices.slice(0, end), data: data.slice(0, end) };
}

/** Adds a multiple of row r to `out`. */
export function addRow(
  { indptr, indices, data }: CsrMatrix,
  r: number,
  factor: number,
  out: Float32Array,
): void {
  for (let p = indptr[r]!; p < indptr[r + 1]!; p++) out[indices[p]!]! += factor * data[p]!;
}
