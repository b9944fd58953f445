import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csrFromTriplets } from '../../../src/algorithms/csr.ts';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { itemProductRows } from '../../../src/algorithms/kernels/oracle/item-products.ts';
import { openKernels, sparseMatrix, VARIANTS } from './support.ts';

// Weights of the random matrices are multiples of 1/8 up to 5: products are multiples of 1/64, and sums of 600 of them
// below 2^24 / 64. Single precision holds them exactly, in whatever order they are added.
const matrices = sparseMatrix({ rows: 60, cols: 90 });

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('itemProducts gives every row of the typed-array version from the minimum on, without the diagonal', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, fc.constantFrom(1 / 64, 1, 3), async (matrix, minimum) => {
        const expected: [number, number, number][] = [];
        itemProductRows(matrix, (i, products) => {
          products.forEach((value, j) => {
            if (j !== i && value >= minimum) expected.push([i, j, value]);
          });
        });
        const found: [number, number, number][] = [];
        const items: number[] = [];
        await kernels.itemProducts(matrix, { minimum }, (i, others, products) => {
          items.push(i);
          others.forEach((j, at) => void found.push([i, j, products[at]!]));
        });
        expect(items).toEqual(Array.from({ length: matrix.cols }, (_, i) => i));
        expect(found).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test('itemGram is the whole matrix with the diagonal raised, and the identity beyond it', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async (matrix) => {
        const gram = await kernels.itemGram(matrix, 2);
        const { values, size, stride } = gram;
        const expected = new Float32Array(stride * stride);
        for (let i = size; i < stride; i++) expected[i * stride + i] = 1;
        itemProductRows(matrix, (i, products) => expected.set(products, i * stride));
        for (let i = 0; i < size; i++) expected[i * stride + i]! += 2;
        expect(Buffer.from(values.slice().buffer).equals(Buffer.from(expected.buffer))).toBe(true);
        kernels.release(gram);
      }),
      { numRuns: 20 },
    );
  });

  test('rows beyond what is held at a time come in further batches, all and in order', async () => {
    // 2100 items that one customer bought: 2100 · 2099 entries, more than the 2^22 of a batch.
    const items = 2100;
    const all = Array.from({ length: items }, (_, i) => i);
    const matrix = csrFromTriplets(1, items, { row: all.map(() => 0), col: all, value: all.map(() => 1) });
    let next = 0;
    let entries = 0;
    await kernels.itemProducts(matrix, { minimum: 1 }, (item, others) => {
      expect(item).toBe(next++);
      entries += others.length;
    });
    expect([next, entries]).toEqual([items, items * (items - 1)]);
  });
});
