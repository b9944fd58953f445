import { afterAll, describe, expect, test } from 'vitest';
import { csrFromTriplets } from '../../../src/algorithms/csr.ts';
import { createKernels } from '../../../src/algorithms/kernels/kernels.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { holdOutFull } from '../../../src/evaluation/pairs/hold-out.ts';
import { judgeFull } from '../../../src/evaluation/pairs/judge-full.ts';
import { blendOf } from '../../../src/evaluation/pairs/models/blend.ts';
import { popularity } from '../../../src/evaluation/pairs/models/popularity.ts';
import { PAIR_MODELS } from '../../../src/evaluation/pairs/models.ts';
import type { PairModel } from '../../../src/evaluation/pairs/pair-model.ts';
import { itemsOf } from '../../../src/evaluation/pairs/scorers.ts';
import { openKernelRuntime } from '../../../src/infra/kernel-runtime.ts';
import { tasteMatrix } from '../support.ts';

const kernels = await createKernels(await openKernelRuntime(), { threads: 2 });
afterAll(() => kernels.close());
const context = (seed: number) => ({ kernels, rng: createRng(seed), onProgress: () => {} });

/** Smaller than the defaults, which are for large data. */
const small: Record<string, Record<string, number>> = {
  ials: { factors: 8 },
  'low-pass': { factors: 8 },
  ease: { regularization: 5 },
};
const paramsOf = (model: PairModel) => model.params.parse(small[model.name] ?? {});

/** Even users have all even items but the one of their own number, odd users the odd ones. */
function checkerboard(size: number) {
  const cells = Array.from({ length: size * size }, (_, c) => ({
    row: Math.floor(c / size),
    col: c % size,
  })).filter(({ row, col }) => row % 2 === col % 2 && row !== col);
  return csrFromTriplets(size, size, {
    row: cells.map(({ row }) => row),
    col: cells.map(({ col }) => col),
    value: cells.map(() => 1),
  });
}

const personal = PAIR_MODELS.filter(({ name }) => name !== 'popularity');

test.each(personal.map((model) => [model.name, model] as const))(
  '%s: the withheld diagonal comes back, first of all',
  async (_name, model) => {
    const scorer = await model.fit({ userItems: checkerboard(20) }, paramsOf(model), context(7));
    const users = Int32Array.from({ length: 20 }, (_, u) => u);
    const { k, indices } = await scorer.rank(users, 1);
    expect(Array.from(users, (u) => indices[u * k])).toEqual([...users]);
    const scores = new Float32Array(2);
    scorer.score(4, Int32Array.of(4, 5), scores);
    expect(scores[0]).toBeGreaterThan(scores[1]!);
    scorer.release();
  },
);

describe('on users with tastes', () => {
  const { train, test: held } = holdOutFull({ userItems: tasteMatrix(400, 120, 6, 3) }, 1);
  const qualityOf = async (model: PairModel) => {
    const before = kernels.usedBytes();
    const scorer = await model.fit(train, paramsOf(model), context(1));
    const { ndcgAt20 } = await judgeFull(scorer, held);
    scorer.release();
    expect(kernels.usedBytes()).toBe(before);
    return ndcgAt20;
  };

  test.each(personal.map((model) => [model.name, model] as const))(
    '%s beats popularity, and gives its memory back',
    async (_name, model) => {
      expect(await qualityOf(model)).toBeGreaterThan(1.3 * (await qualityOf(popularity)));
    },
  );

  test('the blend is about as good as the best of its sources, or better', async () => {
    const sources = PAIR_MODELS.map((model) => ({ model, params: paramsOf(model) }));
    const single = [];
    for (const model of PAIR_MODELS) single.push(await qualityOf(model));
    expect(await qualityOf(blendOf('full-ranking', sources))).toBeGreaterThan(0.97 * Math.max(...single));
  });

  test('lists hold nothing that the user has, best first, and as many as there are', async () => {
    for (const model of [...PAIR_MODELS, blendOf('full-ranking', [{ model: popularity, params: {} }])]) {
      const scorer = await model.fit(train, paramsOf(model), context(1));
      const { k, indices, scores } = await scorer.rank(Int32Array.of(3, 9), 15);
      for (const [n, user] of [3, 9].entries()) {
        const list = [...indices.subarray(n * k, (n + 1) * k)];
        const own = new Set(itemsOf(train.userItems, user));
        expect(list.filter((item) => own.has(item))).toEqual([]);
        expect(new Set(list).size).toBe(15);
        for (let r = 1; r < 15; r++) expect(scores[n * k + r]).toBeLessThanOrEqual(scores[n * k + r - 1]!);
      }
      scorer.release();
    }
  });
});

test('EASE says before it begins what is too large, and what to use instead', () => {
  const ease = PAIR_MODELS.find(({ name }) => name === 'ease')!;
  const userItems = {
    rows: 0,
    cols: 40_981,
    indptr: new Int32Array(1),
    indices: new Int32Array(0),
    data: new Float32Array(0),
  };
  expect(ease.refusal({ userItems })).toMatch(/40,981 items would take 6.7 GB.*20,000.*Use ials/);
});

test('a blend says before it begins that nothing can be held out for its weights', () => {
  const userItems = csrFromTriplets(2, 1, { row: [0, 1], col: [0, 0], value: [1, 1] });
  expect(blendOf('full-ranking', []).refusal({ userItems })).toMatch(/no user has 5 items; use one/);
  expect(blendOf('sampled-negatives', []).refusal({ userItems })).toMatch(/no user has 2 items; use one/);
});
