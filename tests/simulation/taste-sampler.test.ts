import { expect, test } from 'vitest';
import { createRng } from '../../src/algorithms/rng.ts';
import { createCalendar } from '../../src/simulation/calendar.ts';
import { createCatalogue } from '../../src/simulation/catalogue.ts';
import { CATEGORY_TASTE, ITEM_TASTE, TasteSampler } from '../../src/simulation/taste-sampler.ts';
import { directionAround, dotAt, TASTE_DIMENSIONS } from '../../src/simulation/vectors.ts';
import { optionsOf } from './in-memory.ts';

const options = optionsOf({ items: 60, seed: 2 });
const catalogue = createCatalogue(options, createCalendar(options));
const rng = createRng(4, 'tastes');
const alice = directionAround(undefined, 0, rng);
const bob = directionAround(undefined, 0, rng);
const JULY = 6;

/** P(i | u, month) by the formula of the truth. */
function probabilities(taste: Float64Array, month: number, of = catalogue): number[] {
  const { categories, categoryCentres, categoryStarts, categorySeasons, items, itemFactors } = of;
  const categoryWeights = categories.map(
    ({ size }, c) =>
      size *
      categorySeasons[c * 12 + month]! *
      Math.exp(CATEGORY_TASTE * dotAt(taste, categoryCentres, c * TASTE_DIMENSIONS)),
  );
  const total = categoryWeights.reduce((sum, weight) => sum + weight, 0);
  const itemWeights = items.map(
    ({ popularity }, i) =>
      popularity * Math.exp(ITEM_TASTE * dotAt(taste, itemFactors, i * TASTE_DIMENSIONS)),
  );
  return items.map(({ category }, i) => {
    const shelf = itemWeights.slice(categoryStarts[category], categoryStarts[category + 1]);
    const shelfTotal = shelf.reduce((sum, weight) => sum + weight, 0);
    return (categoryWeights[category]! / total) * (itemWeights[i]! / shelfTotal);
  });
}

function frequencies(sampler: TasteSampler, month: number, draws: number): number[] {
  const counts = new Array<number>(catalogue.items.length).fill(0);
  const picks = createRng(8, 'picks');
  for (let i = 0; i < draws; i++) counts[sampler.pick(month, picks)]!++;
  return counts.map((count) => count / draws);
}

test('picks follow the formula, for one customer after another and month by month', () => {
  const sampler = new TasteSampler(catalogue);
  const draws = 40_000;
  for (const [taste, month] of [
    [alice, 11],
    [alice, JULY],
    [bob, JULY],
    [alice, JULY],
  ] as const) {
    sampler.serve(taste);
    const drawn = frequencies(sampler, month, draws);
    const expected = probabilities(taste, month);
    for (let i = 0; i < expected.length; i++) {
      const error = Math.sqrt((expected[i]! * (1 - expected[i]!)) / draws);
      expect(Math.abs(drawn[i]! - expected[i]!)).toBeLessThan(5 * error + 1 / draws);
    }
  }
});

test('the shelves hold every item, each category its own', () => {
  const { categoryStarts, items, categories } = catalogue;
  expect(items).toHaveLength(60);
  expect(categoryStarts[0]).toBe(0);
  expect(categoryStarts[categories.length]).toBe(60);
  for (let c = 0; c < categories.length; c++) {
    expect(categoryStarts[c + 1]).toBeGreaterThan(categoryStarts[c]!);
    for (let i = categoryStarts[c]!; i < categoryStarts[c + 1]!; i++) expect(items[i]!.category).toBe(c);
  }
});

test('a long shelf is picked from by the same formula', () => {
  const large = optionsOf({ items: 40_000, seed: 2 });
  const shelves = createCatalogue(large, createCalendar(large));
  const sampler = new TasteSampler(shelves);
  sampler.serve(alice);
  const expected = probabilities(alice, JULY, shelves);
  const draws = 20_000;
  const picks = createRng(8, 'long');
  // Too many items to count each: by how likely they are, in ten parts of equal probability.
  const order = expected.map((_, i) => i).sort((a, b) => expected[b]! - expected[a]!);
  const part = new Array<number>(expected.length).fill(0);
  const shares = new Array<number>(10).fill(0);
  let sum = 0;
  for (const i of order) {
    part[i] = Math.min(9, Math.floor(10 * sum));
    shares[part[i]!]! += expected[i]!;
    sum += expected[i]!;
  }
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < draws; i++) counts[part[sampler.pick(JULY, picks)]!]!++;
  counts.forEach((count, p) => {
    const error = Math.sqrt((shares[p]! * (1 - shares[p]!)) / draws);
    expect(Math.abs(count / draws - shares[p]!)).toBeLessThan(5 * error);
  });
  const longest = Math.max(
    ...shelves.categories.map((_, c) => shelves.categoryStarts[c + 1]! - shelves.categoryStarts[c]!),
  );
  expect(longest).toBeGreaterThan(1000);
});
