import { afterAll, expect, test } from 'vitest';
import { type CsrMatrix, csrFromTriplets } from '../../src/algorithms/csr.ts';
import { createKernels } from '../../src/algorithms/kernels/kernels.ts';
import { fitLowPass, LowPassOptions } from '../../src/algorithms/low-pass.ts';
import { createRng } from '../../src/algorithms/rng.ts';
import { openKernelRuntime } from '../../src/infra/kernel-runtime.ts';

const kernels = await createKernels(await openKernelRuntime(), { threads: 2 });
afterAll(() => kernels.close());

/** Score of every pair of items: `from` is what one has, `to` what is scored. */
async function filterOf(userItems: CsrMatrix, options: Partial<LowPassOptions>): Promise<number[][]> {
  const run = { rng: createRng(1, 'low-pass') };
  const { inward, outward } = await fitLowPass(kernels, userItems, LowPassOptions.parse(options), run);
  const items = userItems.cols;
  const size = inward.length / items;
  return Array.from({ length: items }, (_, from) =>
    Array.from({ length: items }, (_, to) => {
      let sum = 0;
      for (let f = 0; f < size; f++) sum += inward[from * size + f]! * outward[to * size + f]!;
      return sum;
    }),
  );
}

/** Two groups of users who have nothing in common: two have items 0 and 1, two items 2 and 3, one of them also 4. */
const groups = csrFromTriplets(4, 5, {
  row: [0, 0, 1, 1, 2, 2, 3, 3, 3],
  col: [0, 1, 0, 1, 2, 3, 2, 3, 4],
  value: [1, 1, 1, 1, 1, 1, 1, 1, 1],
});

test('the two smoothest directions are the two groups: (½)½ within the first, nothing between them', async () => {
  // R̃ᵀR̃ of the first group is [[½, ½], [½, ½]]: eigenvalue 1, direction (1, 1) / √2, projector all ½.
  const filter = await filterOf(groups, { factors: 2, iterations: 12 });
  for (const from of [0, 1]) for (const to of [0, 1]) expect(filter[from]![to]).toBeCloseTo(1 / 2, 4);
  for (const from of [0, 1]) for (const to of [2, 3, 4]) expect(filter[from]![to]).toBeCloseTo(0, 4);
  // The second group's first direction has eigenvalue 1 too: (√2, √2, 1) / √5, as the roots of its items' numbers.
  expect(filter[2]![3]).toBeCloseTo(2 / 5, 4);
  // Inward / √2, outward · √1: √2 · 1 / 5 · √(1 / 2).
  expect(filter[2]![4]).toBeCloseTo(((Math.SQRT2 * 1) / 5) * Math.sqrt(1 / 2), 4);
});

test('where there are fewer directions than were asked for, those that are there pass', async () => {
  // The first group's two items are always together: one direction. More than it has cannot pass.
  const filter = await filterOf(groups, { factors: 6 });
  for (const from of [0, 1]) for (const to of [0, 1]) expect(filter[from]![to]).toBeCloseTo(1 / 2, 3);
  expect(filter[0]![2]).toBeCloseTo(0, 3);
});

test('the memory is given back, also when it is broken off', async () => {
  const before = kernels.usedBytes();
  await filterOf(groups, { factors: 2 });
  const run = { rng: createRng(1), signal: AbortSignal.abort(new Error('enough')) };
  await expect(fitLowPass(kernels, groups, LowPassOptions.parse({}), run)).rejects.toThrow('enough');
  expect(kernels.usedBytes()).toBe(before);
});
