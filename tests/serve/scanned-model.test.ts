import { expect, test } from 'vitest';
import {
  type CollaborativeModel,
  itemsLike,
  similarItems,
} from '../../src/algorithms/collaborative-model.ts';
import { RANKER_FEATURES } from '../../src/algorithms/ranker/features.ts';
import { createRankerScorer, type Ranker } from '../../src/algorithms/ranker/ranker.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { bestOfTaste } from '../../src/algorithms/taste-scan.ts';
import { scannedModel } from '../../src/serve/scanned-model.ts';
import { shopModel } from '../support/shop-models.ts';

/** As much of a model as a scan of its factors needs. */
function tasteModel(items: number, factors: number, value: () => number) {
  const itemIds = Array.from({ length: items }, (_, item) => `i${item}`);
  return {
    ...shopModel(),
    itemIds,
    factors,
    itemFactors: Float32Array.from({ length: items * factors }, value),
  };
}

test.each([16, 12])(
  'a model of %d factors that the kernels scan gives the lists of plain arithmetic',
  async (factors) => {
    const rng = createRng(7);
    const plain = tasteModel(3000, factors, () => rng.next() - 0.5);
    const scanned = await scannedModel(plain);
    expect(scanned.scan).toBeDefined();
    expect([...scanned.itemFactors]).toEqual([...plain.itemFactors]);
    for (let run = 0; run < 20; run++) {
      const vector = Float32Array.from({ length: factors }, () => rng.next() - 0.5);
      for (const allowed of [undefined, (item: number) => item % 3 > 0, (item: number) => item % 97 === 5]) {
        const expected = bestOfTaste(plain, vector, 25, { allowed, above: 0 });
        const found = bestOfTaste(scanned, vector, 25, { allowed, above: 0, refused: 3 });
        expect([...found.indices]).toEqual([...expected.indices]);
        for (const [at, score] of found.scores.entries())
          expect(score).toBeCloseTo(expected.scores[at] ?? Number.NaN, 5);
        const isAllowed = (item: number) => allowed?.(item) ?? true;
        const order = [...(scanned.scanOrder ?? [])];
        const places = Int32Array.from([...order.keys()].filter((place) => isAllowed(order[place]!)));
        const items = Int32Array.from(order).filter(isAllowed).sort();
        for (const [model, among] of [
          [scanned, places],
          [plain, items],
        ] as const) {
          const part = bestOfTaste(model, vector, 25, { allowed, above: 0, refused: 3, among });
          expect([...part.indices]).toEqual([...expected.indices]);
        }
      }
    }
  },
);

test('what is like an item, or a vector, is what plain arithmetic finds, without the item itself', async () => {
  const rng = createRng(8);
  const plain = tasteModel(2000, 12, () => rng.next() - 0.5);
  // Nobody bought it: it has no direction.
  plain.itemFactors.fill(0, 0, 12);
  const scanned = await scannedModel(plain);
  const vector = Float32Array.from({ length: 12 }, () => rng.next() - 0.5);
  for (const find of [
    (model: CollaborativeModel) => similarItems(model, 7, 30),
    (model: CollaborativeModel) => similarItems(model, 0, 30),
    (model: CollaborativeModel) => itemsLike(model, vector, 30),
    (model: CollaborativeModel) => itemsLike(model, vector, 5000),
  ]) {
    const expected = find(plain);
    const found = find(scanned);
    expect([...found.indices]).toEqual([...expected.indices]);
    for (const [at, score] of found.scores.entries())
      expect(score).toBeCloseTo(expected.scores[at] ?? Number.NaN, 5);
  }
});

test('nothing above the bound is nothing found, however deep it is looked', async () => {
  const model = await scannedModel(tasteModel(500, 8, () => 1));
  const away = new Float32Array(8).fill(-1);
  expect(bestOfTaste(model, away, 10, { above: 0 }).indices).toHaveLength(0);
  expect(bestOfTaste(model, away, 10).indices).toEqual(Int32Array.from({ length: 10 }, (_, item) => item));
});

test("the ranker's network has the scores of plain arithmetic", async () => {
  const rng = createRng(11);
  const values = (length: number) => Float32Array.from({ length }, () => rng.normal());
  const width = RANKER_FEATURES.length;
  const layer = (inputs: number, outputs: number) => ({
    inputs,
    outputs,
    weights: values(inputs * outputs),
    bias: values(outputs),
  });
  const ranker: Ranker = {
    kind: 'network',
    featureNames: RANKER_FEATURES,
    mean: values(width),
    spread: values(width).map((value) => 0.5 + Math.abs(value)),
    layers: [layer(width, 32), layer(32, 16), layer(16, 1)],
  };
  const { scoreCandidates } = await scannedModel({ ...tasteModel(50, 8, () => rng.next()), ranker });
  const rows = values(300 * width);
  const [expected, found] = [new Float32Array(300), new Float32Array(300)];
  createRankerScorer(ranker)(rows, 300, expected);
  scoreCandidates?.(rows, 300, found);
  expect(new Set(found).size).toBeGreaterThan(200);
  for (const [at, score] of found.entries()) {
    const scale = 1 + Math.abs(expected[at]!);
    expect(score / scale).toBeCloseTo(expected[at]! / scale, 4);
  }
});

test('a linear ranker is left to plain arithmetic', async () => {
  const { scoreCandidates } = await scannedModel(tasteModel(50, 8, () => 1));
  expect(scoreCandidates).toBeUndefined();
});
