import { expect, test } from 'vitest';
import type { CollaborativeModel } from '../../../src/algorithms/collaborative-model.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { dayMs } from '../../../src/domain/time.ts';
import { fitCollaborative } from '../../../src/train/collaborative/fit-model.ts';
import { warmStartFrom } from '../../../src/train/collaborative/served-model.ts';
import { CollaborativeSettings } from '../../../src/train/collaborative/settings.ts';
import { testKernels } from '../../support/kernels.ts';
import { purchasesOf } from '../../support/purchases.ts';

const kernels = await testKernels();
const settings = CollaborativeSettings.parse({ ials: { factors: 8, iterations: 12 } });

/** Customers with tastes: most of what each buys is of one fifth of the items. */
const rng = createRng(1, 'tastes');
const log = purchasesOf(
  Array.from({ length: 200 }, (_, u) => {
    const items = new Set(
      Array.from({ length: 6 }, () => (rng.next() < 0.8 ? 5 * rng.nextInt(8) + (u % 5) : rng.nextInt(40))),
    );
    return [...items].map((i) => [`c${u}`, `i${i}`, rng.nextInt(100)] as const);
  }).flat(),
);

const trained = (seed: number, start?: ReturnType<typeof warmStartFrom>) =>
  fitCollaborative(kernels, log, settings, 100 * dayMs, seed, () => {}, start);

/** Mean over the items of the cosine of their factors in both. */
function likeness(a: CollaborativeModel, b: CollaborativeModel): number {
  const row = ({ itemFactors, factors }: CollaborativeModel, i: number) =>
    itemFactors.subarray(i * factors, (i + 1) * factors);
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, f) => sum + value * y[f]!, 0);
  const cosines = a.itemIds.map((_, i) => {
    const [x, y] = [row(a, i), row(b, i)];
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  });
  return cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
}

test('a training with a warm start goes on in the space of the one before it, whatever its own seed', async () => {
  const yesterday = await trained(1);
  const warm = await trained(2, warmStartFrom(yesterday, log.itemIds, settings.ials.factors));
  const cold = await trained(2);
  expect(likeness(warm, yesterday)).toBeGreaterThan(0.95);
  // The same taste, turned in space as chance began it.
  expect(Math.abs(likeness(cold, yesterday))).toBeLessThan(0.7);
});

test('there is no warm start from factors of another dimension, nor from few of the items', async () => {
  const yesterday = await trained(1);
  expect(warmStartFrom(yesterday, log.itemIds, 16)).toBeUndefined();
  const mostlyNew = [...log.itemIds, ...Array.from({ length: 41 }, (_, i) => `new-${i}`)];
  expect(warmStartFrom(yesterday, mostlyNew, 8)).toBeUndefined();
});
