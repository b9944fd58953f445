/** How far the customers of today have moved, feature by feature, from those that a model was trained for. */
import { countIn, type Spread, spreadOf, stabilityByChance, stabilityIndex } from './population-drift.ts';

/** How customers spread over each feature; a matrix of them is one row a customer, its columns in the order of the names. */
export type Population = { customers: number; features: Readonly<Record<string, Spread>> };

export type FeatureDrift = {
  feature: string;
  /** Population stability index. */
  index: number;
  /** What it stays below, almost surely, where nothing has moved. */
  byChance: number;
};

/** Of a larger population, evenly drawn rows tell its quantiles as well. */
const rowsMax = 20_000;

export function populationOf(names: readonly string[], matrix: Float32Array): Population {
  const rows = matrix.length / names.length;
  return {
    customers: Math.min(rows, rowsMax),
    features: Object.fromEntries(names.map((name, j) => [name, spreadOf(columnOf(matrix, names.length, j))])),
  };
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
    });
  }
  return drifts.sort((a, b) => b.index - a.index || (a.feature < b.feature ? -1 : 1));
}

function columnOf(matrix: Float32Array, width: number, j: number): Float32Array {
  const rows = matrix.length / width;
  const kept = Math.min(rows, rowsMax);
  return Float32Array.from({ length: kept }, (_, n) => matrix[Math.floor((n * rows) / kept) * width + j]!);
}
