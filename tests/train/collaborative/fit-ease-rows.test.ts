import { expect, test } from 'vitest';
import { purchasePairs } from '../../../src/algorithms/purchase-pairs.ts';
import { easeNote, fitEaseRows } from '../../../src/train/collaborative/fit-ease-rows.ts';
import { testKernels } from '../../support/kernels.ts';
import { purchasesOf } from '../../support/purchases.ts';

const kernels = await testKernels();

/** Everybody buys a pair: items 2n and 2n + 1. */
function pairsOf(customers: number, items: number) {
  const log = purchasesOf(
    Array.from({ length: customers }, (_, u) => {
      const first = 2 * (u % (items / 2));
      return [first, first + 1].map((i) => [`c${u}`, `i${String(i).padStart(2, '0')}`, 1] as const);
    }).flat(),
  );
  return purchasePairs(log, customers, items);
}

test('the weights are those of the closed form', async () => {
  // Ten customers a pair: the block of XᵀX + λI is [[10 + λ, 10], [10, 10 + λ]], and B₀₁ = −P₀₁ / P₁₁ = 10 / (10 + λ).
  const ease = await fitEaseRows(kernels, pairsOf(100, 20), { itemsMax: 100, regularization: 5, k: 1 });
  for (let i = 0; i < 20; i++) {
    expect([ease!.indptr[i], ease!.indices[i]]).toEqual([i, i ^ 1]);
    expect(ease!.data[i]).toBeCloseTo(10 / (10 + 5), 4);
  }
});

test('an item has no weight for itself, and there are never more than there are others', async () => {
  const ease = await fitEaseRows(kernels, pairsOf(10, 4), { itemsMax: 100, regularization: 5, k: 100 });
  expect([...ease!.indptr]).toEqual([0, 3, 6, 9, 12]);
  for (let i = 0; i < 4; i++) expect(ease!.indices.subarray(3 * i, 3 * i + 3)).not.toContain(i);
  expect(kernels.usedBytes()).toBe(0);
});

test('a catalogue too large for it has none, and the note says so', async () => {
  const options = { itemsMax: 100, regularization: 5, k: 1 };
  const ease = await fitEaseRows(kernels, { ...pairsOf(10, 4), items: 101 }, options);
  expect(ease).toBeUndefined();
  expect(easeNote(ease, 101, options)).toMatch(/^left out: 101 items, .* up to 100$/);
});

test('where single precision does not suffice there is none, and the note says so', async () => {
  // All buy both: XᵀX is singular, and λ is below what single precision can tell beside it.
  const options = { itemsMax: 100, regularization: 1e-6, k: 1 };
  const ease = await fitEaseRows(kernels, pairsOf(4096, 2), options);
  expect(ease).toBeUndefined();
  expect(easeNote(ease, 2, options)).toContain('λ = 0.000001');
  expect(kernels.usedBytes()).toBe(0);
});
