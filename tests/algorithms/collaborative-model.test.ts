import { beforeAll, describe, expect, test } from 'vitest';
import {
  boughtTogetherWith,
  type CollaborativeModel,
  collaborativeFromFiles,
  collaborativeToFiles,
  foldInUser,
  historyWeights,
  neighbourScores,
  neighboursOf,
  popularityScores,
  scoreAllItems,
  similarItems,
} from '../../src/algorithms/collaborative-model.ts';
import { type CsrMatrix, csrFromTriplets, transpose } from '../../src/algorithms/csr.ts';
import { gramOf } from '../../src/algorithms/dense.ts';
import { fitIals, IalsOptions } from '../../src/algorithms/ials.ts';
import { createRowSolver } from '../../src/algorithms/ials-row.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { dayMs } from '../../src/domain/time.ts';
import { testKernels } from '../support/kernels.ts';

const kernels = await testKernels();
const users = 40;
const items = 12;
const options = IalsOptions.parse({ factors: 8, iterations: 4, regularization: 0.01 });

const square = (cells: readonly (readonly [row: number, col: number, value: number])[]): CsrMatrix =>
  csrFromTriplets(items, items, {
    row: cells.map(([row]) => row),
    col: cells.map(([, col]) => col),
    value: cells.map(([, , value]) => value),
  });

/** User u buys items of u's third of the catalogue, and a stray one. */
function interactions(): CsrMatrix {
  const rng = createRng(5);
  const cells = Array.from({ length: users }, (_, u) => {
    const own = Array.from({ length: 3 }, () => (u % 3) * 4 + rng.nextInt(4));
    return [...own, rng.nextInt(items)].map((item) => [u, item, 0.5 + rng.next()] as const);
  }).flat();
  return csrFromTriplets(users, items, {
    row: cells.map(([u]) => u),
    col: cells.map(([, item]) => item),
    value: cells.map(([, , value]) => value),
  });
}

const userItems = interactions();
let model: CollaborativeModel;

beforeAll(async () => {
  const { itemFactors, itemGram } = await fitIals(kernels, userItems, options, { rng: createRng(1) });
  model = {
    itemIds: Array.from({ length: items }, (_, i) => `i${i}`),
    itemIndex: new Map(Array.from({ length: items }, (_, i) => [`i${i}`, i])),
    factors: options.factors,
    itemFactors,
    gram: itemGram,
    unobservedWeight: options.unobservedWeight,
    regularization: options.regularization,
    regularizationExponent: options.regularizationExponent,
    asOf: 100 * dayMs,
    weighting: { halfLifeDays: 50, floor: 0.2 },
    neighbours: square([
      [0, 1, 0.2],
      [0, 2, 0.6],
      [1, 2, 0.5],
    ]),
    boughtTogether: square([[0, 3, 0.4]]),
    segments: ['', 'north'],
    popularity: Float32Array.from({ length: 2 * items }, (_, n) => n / 100),
    rhythm: {
      gapDays: new Float32Array(items).fill(10),
      repeatShare: new Float32Array(items).fill(0.5),
      shape: 2,
    },
    buyAgainHorizonDays: 28,
    fusion: { weights: { ials: 1, neighbours: 1, buyAgain: 1, popularity: 0.1 }, rankConstant: 20 },
  };
});

/** A half-iteration of training, over all rows at once. */
function solveRows(matrix: CsrMatrix, fixed: Float32Array): Float32Array {
  const size = options.factors;
  const solve = createRowSolver({ factors: fixed, size, gram: gramOf(fixed, size) }, options);
  const rows = new Float32Array(matrix.rows * size);
  for (let r = 0; r < matrix.rows; r++)
    solve(matrix.indices, matrix.data, matrix.indptr[r]!, matrix.indptr[r + 1]!, rows, r * size);
  return rows;
}

describe('fold-in', () => {
  test('equals the row that training has for the same items', async () => {
    const trained = solveRows(userItems, model.itemFactors);
    for (let u = 0; u < users; u++) {
      const [from, to] = [userItems.indptr[u]!, userItems.indptr[u + 1]!];
      const folded = foldInUser(model, userItems.indices.slice(from, to), userItems.data.slice(from, to));
      for (let f = 0; f < options.factors; f++)
        expect(Math.abs(folded[f]! - trained[u * options.factors + f]!)).toBeLessThan(1e-4);
    }
  });

  test('converged training stands still: the users’ rows give the items’ factors back', async () => {
    const { itemFactors } = await fitIals(
      kernels,
      userItems,
      { ...options, iterations: 200 },
      { rng: createRng(1) },
    );
    const again = solveRows(transpose(userItems), solveRows(userItems, itemFactors));
    for (let n = 0; n < again.length; n++) expect(Math.abs(again[n]! - itemFactors[n]!)).toBeLessThan(1e-3);
  });

  test('without items is all zero, and scores nothing', () => {
    const nobody = foldInUser(model, new Int32Array(0), new Float32Array(0));
    expect([...nobody]).toEqual(new Array(8).fill(0));
    expect([...scoreAllItems(model, nobody)]).toEqual(new Array(items).fill(0));
  });

  test('scores the third of the catalogue that the items are from above the others', () => {
    const scores = scoreAllItems(model, foldInUser(model, Int32Array.of(4, 5), Float32Array.of(1, 1)));
    const sum = (from: number) => scores.subarray(from, from + 4).reduce((total, score) => total + score, 0);
    expect(sum(4)).toBeGreaterThan(2 * Math.max(sum(0), sum(8)));
  });
});

describe('weights of a history', () => {
  const bought = (lastAt: number) => ({ item: 0, purchaseCount: 1, firstAt: lastAt, lastAt });

  test('age up to the model’s instant, however late it is asked', () => {
    const { weights } = historyWeights(model, [bought(50 * dayMs)], 5000 * dayMs);
    // 0.2 + 0.8 · 2^(−50/50)
    expect(weights[0]).toBeCloseTo(0.6, 6);
  });

  test('age up to the latest purchase, where it is later than the model', () => {
    const { weights } = historyWeights(model, [bought(100 * dayMs), bought(150 * dayMs)], 150 * dayMs);
    expect(weights[0]).toBeCloseTo(0.6, 6);
    expect(weights[1]).toBe(1);
  });
});

describe('items of an item', () => {
  test('neighbours come best first, and at most k', () => {
    expect([...neighboursOf(model, 0, 5).indices]).toEqual([2, 1]);
    expect([...neighboursOf(model, 0, 1).indices]).toEqual([2]);
    expect(neighboursOf(model, 7, 5).indices).toHaveLength(0);
  });

  test('bought together falls back to the customers’ neighbours where no order tells', () => {
    expect([...boughtTogetherWith(model, 0, 5).indices]).toEqual([3]);
    expect([...boughtTogetherWith(model, 1, 5).indices]).toEqual([2]);
  });

  test('similar items have the highest cosine, without the item itself', () => {
    const row = (i: number) => model.itemFactors.subarray(8 * i, 8 * i + 8);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, f) => sum + value * b[f]!, 0);
    const cosine = (i: number) => dot(row(0), row(i)) / Math.sqrt(dot(row(0), row(0)) * dot(row(i), row(i)));
    const expected = Array.from({ length: items }, (_, i) => i)
      .filter((i) => i !== 0)
      .sort((a, b) => cosine(b) - cosine(a));
    const similar = similarItems(model, 0, items);
    expect([...similar.indices]).toEqual(expected);
    expect(similar.scores[0]).toBeCloseTo(cosine(expected[0]!), 5);
  });

  test('an item without factors is similar to nothing, and nothing to it', () => {
    const itemFactors = model.itemFactors.slice();
    itemFactors.fill(0, 0, 8);
    const maimed = { ...model, itemFactors };
    expect(similarItems(maimed, 0, 5).indices).toHaveLength(0);
    expect([...similarItems(maimed, 1, items).indices]).not.toContain(0);
  });

  test('a history’s neighbours add up by weight', () => {
    const scores = neighbourScores(model, Int32Array.of(0, 1), Float32Array.of(2, 1));
    expect(scores[1]).toBeCloseTo(2 * 0.2, 6);
    expect(scores[2]).toBeCloseTo(2 * 0.6 + 1 * 0.5, 6);
  });
});

test('an unknown segment gets everybody’s popularity', () => {
  expect(popularityScores(model, 'north')[0]).toBeCloseTo(items / 100, 6);
  expect(popularityScores(model, 'south')).toEqual(popularityScores(model));
});

describe('files', () => {
  const stored = () => {
    const { arrays, tables } = collaborativeToFiles(model);
    return { arrays: { ...arrays }, tables: JSON.parse(JSON.stringify(tables)) as Record<string, unknown> };
  };

  test('hold the whole model', () => {
    const { arrays, tables } = stored();
    expect(collaborativeFromFiles(arrays, tables)).toEqual(model);
  });

  test.each([
    ['an array is missing', { itemFactors: undefined }],
    ['an array is too short', { itemFactors: new Float32Array(3) }],
    ['an array is of another type', { gram: new Float32Array(64) }],
    ['a neighbour does not exist', { neighboursIndices: Int32Array.of(1, 2, items) }],
    [
      'offsets do not ascend',
      { neighboursIndptr: new Int32Array(items + 1).fill(3, 1, 2).fill(2, 2, 12).fill(3, 12) },
    ],
  ])('are refused when %s', (_, damage) => {
    const { arrays, tables } = stored();
    const damaged = Object.fromEntries(
      Object.entries({ ...arrays, ...damage }).filter(([, value]) => value !== undefined),
    ) as typeof arrays;
    expect(() => collaborativeFromFiles(damaged, tables)).toThrow(
      expect.objectContaining({ code: 'MODEL_UNAVAILABLE' }),
    );
  });

  test('are refused when the settings are not those of a model', () => {
    const { arrays, tables } = stored();
    expect(() => collaborativeFromFiles(arrays, { ...tables, settings: { factors: 7 } })).toThrow(
      expect.objectContaining({ code: 'MODEL_UNAVAILABLE' }),
    );
    expect(() => collaborativeFromFiles(arrays, { ...tables, segments: ['north', ''] })).toThrow(
      expect.objectContaining({ code: 'MODEL_UNAVAILABLE' }),
    );
  });
});
