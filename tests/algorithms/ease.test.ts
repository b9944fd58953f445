import { afterAll, expect, test } from 'vitest';
import { csrFromTriplets } from '../../src/algorithms/csr.ts';
import { easeRefusal, fitEase, scoreEase, scoreEaseOf } from '../../src/algorithms/ease.ts';
import { createKernels } from '../../src/algorithms/kernels/kernels.ts';
import { openKernelRuntime } from '../../src/infra/kernel-runtime.ts';

const kernels = await createKernels(await openKernelRuntime(), { threads: 1 });
afterAll(() => kernels.close());

test('two items: each says of the other what the normal equations do', async () => {
  // Three have both, one only the first. XᵀX = [[4, 3], [3, 3]]; B₀₁ = 3 / (4 + λ), B₁₀ = 3 / (3 + λ).
  const userItems = csrFromTriplets(4, 2, {
    row: [0, 0, 1, 1, 2, 2, 3],
    col: [0, 1, 0, 1, 0, 1, 0],
    value: [1, 1, 1, 1, 1, 1, 1],
  });
  const model = await fitEase(kernels, userItems, { regularization: 2 });
  expect(model.residual).toBeLessThan(1e-5);
  const out = new Float32Array(2);
  scoreEase(model, Int32Array.of(0), out);
  expect(out[0]).toBeCloseTo(0, 6);
  expect(out[1]).toBeCloseTo(3 / (4 + 2), 6);
  scoreEase(model, Int32Array.of(0, 1), out);
  expect(out[0]).toBeCloseTo(3 / (3 + 2), 6);
  scoreEaseOf(model, Int32Array.of(0, 1), Int32Array.of(1, 0), out);
  expect(out[0]).toBeCloseTo(3 / (4 + 2), 6);
  expect(out[1]).toBeCloseTo(3 / (3 + 2), 6);
  kernels.release(model.inverse);
});

test('what is too large is refused before any memory is taken', async () => {
  expect(easeRefusal(20_000)).toBeUndefined();
  const before = kernels.usedBytes();
  const userItems = csrFromTriplets(1, 20_001, { row: [0], col: [0], value: [1] });
  await expect(fitEase(kernels, userItems, { regularization: 2 })).rejects.toThrow(/up to 20,000/);
  expect(kernels.usedBytes()).toBe(before);
});

test('where single precision does not suffice it says so, and gives its memory back', async () => {
  // All have both: XᵀX is singular, and λ is below what single precision can tell beside 2²⁰.
  const users = 2 ** 20;
  const cells = Array.from({ length: 2 * users }, (_, c) => c);
  const userItems = csrFromTriplets(users, 2, {
    row: cells.map((c) => c >> 1),
    col: cells.map((c) => c & 1),
    value: new Uint8Array(2 * users).fill(1),
  });
  const before = kernels.usedBytes();
  await expect(fitEase(kernels, userItems, { regularization: 1e-3 })).rejects.toThrow(RangeError);
  expect(kernels.usedBytes()).toBe(before);
});
