import { expect, test } from 'vitest';
import { featureDrift, populationOf } from '../../src/algorithms/feature-drift.ts';
import { createRng } from '../../src/algorithms/rng.ts';

const names = ['still', 'moved', 'constant'];

/** `rows` customers; the second feature is shifted. */
function customers(rows: number, seed: number, shift: number): Float32Array {
  const rng = createRng('feature drift', seed);
  return Float32Array.from({ length: 3 * rows }, (_, n) =>
    n % 3 === 2 ? 7 : rng.normal() + (n % 3 === 1 ? shift : 0),
  );
}

test('the feature that moved comes first and is past chance; those that did not are within it', () => {
  const population = populationOf(names, customers(3000, 1, 0));
  const drifts = featureDrift(population, names, customers(2000, 2, 1));
  expect(drifts.map(({ feature }) => feature)).toEqual(['moved', 'still', 'constant']);
  const [moved, still, constant] = drifts as [(typeof drifts)[0], (typeof drifts)[0], (typeof drifts)[0]];
  expect(moved.index).toBeGreaterThan(0.5);
  expect(still.index).toBeLessThan(still.byChance);
  expect(constant.index).toBeLessThan(constant.byChance);
});

test('a feature that the population does not know is left out; of nobody nothing is said', () => {
  const population = populationOf(['still'], new Float32Array([1, 2, 3]));
  expect(featureDrift(population, names, customers(10, 3, 0)).map(({ feature }) => feature)).toEqual([
    'still',
  ]);
  expect(populationOf(names, new Float32Array(0)).customers).toBe(0);
  const [nobody] = featureDrift(population, ['still'], new Float32Array(0));
  expect(nobody!.index).toBeLessThan(nobody!.byChance);
});

test('of a large population evenly drawn rows are counted', () => {
  const large = populationOf(
    ['x'],
    Float32Array.from({ length: 100_000 }, (_, n) => n),
  );
  expect(large.customers).toBe(20_000);
  expect(large.features.x!.edges[4]).toBeCloseTo(50_000, -3);
});

test('what moved as far before the training is its usual course', () => {
  const population = populationOf(names, customers(3000, 1, 0), [
    customers(3000, 2, 1),
    customers(3000, 3, 0.2),
  ]);
  const drifts = featureDrift(population, names, customers(3000, 4, 1));
  const of = (name: string) => drifts.find(({ feature }) => feature === name)!;
  const [moved, still] = [of('moved'), of('still')];
  expect(moved.usual).toBeGreaterThan(0.5);
  expect(moved.index).toBeLessThan(moved.usual + 0.25);
  expect(still.usual).toBeLessThan(still.byChance);
});
