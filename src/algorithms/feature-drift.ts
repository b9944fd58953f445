/** How far the customers of today have moved, feature by feature, from those that a model was trained for. */
import { countIn, type Spread, spreadOf, stabilityByChance, stabilityIndex } from './population-drift.ts';

/** How customers spread over each feature; a matrix of them is one row a customer, its columns in the order of the names. */
export type Population = {
  customers: number;
  features: Readonly<Record<string, Spread & { /** See `FeatureDrift`. */ usual: number }>>;
};

export type FeatureDrift = {
  feature: string;
  /** Population stability index. */
  index: number;
  /** What it stays below, almost surely, where nothing has moved. */
  byChance: number;
  /**
   * The furthest that it had come by itself from one instant before the training to the day of it: what fades between two
   * campaigns, or grows with a young shop, is no drift.
   */
  usual: number;
};

/** Of a larger population, evenly drawn rows tell its quantiles as well. */
const rowsMax = 20_000;

/** `earlier`: the customers as they were at instants before. */
export function populationOf(
  names: readonly string[],
  matrix: Float32Array,
  earlier: readonly Float32Array[] = [],
): Population {
  const width = names.length;
  const entries = names.map((name, j) => {
    const spread = spreadOf(columnOf(matrix, width, j));
    const moves = earlier.map((before) =>
      stabilityIndex(countIn(spread.edges, columnOf(before, width, j)), spread.counts),
    );
    return [name, { ...spread, usual: Math.max(0, ...moves) }] as const;
  });
  return { customers: Math.min(matrix.length / width, rowsMax), features: Object.fromEntries(entries) };
}

/** The furthest first. Features that the population does not tell of are left out. */
export function featureDrift(
  population: Population,
  names: readonly string[],
  matrix: Float32Array,
): FeatureDrift[] {
  const drifts: FeatureDrift[] = [];
  for (const [j, feature] of names.entries()) {
    const then = population.features[feature];
    if (then === undefined) continue;
    const column = columnOf(matrix, names.length, j);
    drifts.push({
      feature,
      index: stabilityIndex(then.counts, countIn(then.edges, column)),
      byChance: stabilityByChance(then.counts.length, population.customers, column.length),
      usual: then.usual,
    });
  }
  return drifts.sort((a, b) => b.index - a.index || (a.feature < b.feature ? -1 : 1));
}

function columnOf(matrix: Float32Array, width: number, j: number): Float32Array {
  const rows = matrix.length / width;
  const kept = Math.min(rows, rowsMax);
  return Float32Array.from({ length: kept }, (_, n) => matrix[Math.floor((n * rows) / kept) * width + j]!);
}
