/** What the models of purchases know of each customer, and the same with equal customers counted together. */

/**
 * One row a customer, in the letters of the literature: frequency x, the repeat purchases (the first does not count);
 * recency t_x, from the first purchase to the last; age T, from the first purchase to the end of the observation. Times
 * are in one unit, whichever; 0 ≤ recency ≤ age, and recency is 0 where frequency is.
 */
export type PurchaseSummary = { frequency: Float64Array; recency: Float64Array; age: Float64Array };

/** Distinct rows, ascending by frequency, then recency, then age; `weight` is how many customers each stands for. */
export type GroupedSummary = PurchaseSummary & { weight: Float64Array; customers: number };

/** A shop's customers share few pasts, for most bought once: the likelihood need not be computed for each of them. */
export function groupSummary(summary: PurchaseSummary): GroupedSummary {
  const { frequency, recency, age } = summary;
  const n = frequency.length;
  const order = new Uint32Array(n);
  for (let row = 0; row < n; row++) order[row] = row;
  const compare = (i: number, j: number) =>
    frequency[i]! - frequency[j]! || recency[i]! - recency[j]! || age[i]! - age[j]!;
  order.sort(compare);
  const rows = {
    frequency: new Float64Array(n),
    recency: new Float64Array(n),
    age: new Float64Array(n),
    weight: new Float64Array(n),
  };
  let last = -1;
  for (let at = 0; at < n; at++) {
    const row = order[at]!;
    if (at === 0 || compare(order[at - 1]!, row) !== 0) {
      last++;
      rows.frequency[last] = frequency[row]!;
      rows.recency[last] = recency[row]!;
      rows.age[last] = age[row]!;
    }
    rows.weight[last]!++;
  }
  return {
    frequency: rows.frequency.slice(0, last + 1),
    recency: rows.recency.slice(0, last + 1),
    age: rows.age.slice(0, last + 1),
    weight: rows.weight.slice(0, last + 1),
    customers: n,
  };
}

/**
 * Every k-th of the rows, k such that at most `most` are left, each with k times its weight. The rows are in order, so
 * that every kind of customer is in it.
 */
export function thinOut(rows: GroupedSummary, most: number): GroupedSummary {
  const step = Math.ceil(rows.weight.length / most);
  if (step <= 1) return rows;
  const kept = Math.ceil(rows.weight.length / step);
  const pick = (column: Float64Array) => Float64Array.from({ length: kept }, (_, i) => column[i * step]!);
  const weight = pick(rows.weight).map((value) => step * value);
  return {
    frequency: pick(rows.frequency),
    recency: pick(rows.recency),
    age: pick(rows.age),
    weight,
    customers: weight.reduce((sum, value) => sum + value, 0),
  };
}

/** The mean age, the scale of the models' times; 1 where nobody has any. */
export function meanAge({ age, weight, customers }: GroupedSummary): number {
  let sum = 0;
  for (let row = 0; row < age.length; row++) sum += weight[row]! * age[row]!;
  return sum > 0 ? sum / customers : 1;
}
