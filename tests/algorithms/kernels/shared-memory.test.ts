import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { csrFromTriplets } from '../../../src/algorithms/csr.ts';
import { createSharedMemory } from '../../../src/algorithms/kernels/shared-memory.ts';
import { openKernels } from './support.ts';

const MIB = 2 ** 20;

describe('shared memory', () => {
  test('arrays are zero, aligned and apart, whatever was taken and given back before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ length: fc.integer({ min: 0, max: 3000 }), keep: fc.boolean() }), {
          maxLength: 40,
        }),
        (requests) => {
          const memory = createSharedMemory(4 * MIB);
          const held: { array: Float32Array; mark: number }[] = [];
          requests.forEach(({ length, keep }, mark) => {
            const array = memory.float32(length);
            expect(array.byteOffset % 64).toBe(0);
            expect(array.every((value) => value === 0)).toBe(true);
            array.fill(mark + 1);
            held.push({ array, mark: mark + 1 });
            // An array that overlapped another would have lost its own mark.
            for (const other of held) expect(other.array.every((value) => value === other.mark)).toBe(true);
            if (!keep) memory.release(held.splice((mark * 7) % held.length, 1)[0]!.array);
          });
          for (const { array } of held) memory.release(array);
          expect(memory.usedBytes()).toBe(0);
          // Everything given back is one piece again.
          expect(() => memory.uint8(requests.reduce((sum, { length }) => sum + 4 * length, 0))).not.toThrow();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('memory that does not suffice is an error that says how much there is', () => {
    const memory = createSharedMemory(3 * MIB);
    memory.uint8(MIB);
    expect(() => memory.uint8(2.5 * MIB)).toThrow(
      /2\.5 MiB more do not fit into the kernels' shared memory: 1\.0 MiB of 3\.0 MiB/,
    );
    expect(() => memory.uint8(1.5 * MIB)).not.toThrow();
  });

  test('an array of elsewhere, or one that was given back, is refused', () => {
    const memory = createSharedMemory();
    expect(() => memory.pointerTo(new Float32Array(4))).toThrow(TypeError);
    const array = memory.float32(4);
    memory.release(array);
    expect(() => memory.release(array)).toThrow(RangeError);
  });
});

describe('kernels', async () => {
  const kernels = await openKernels('simd', 1);
  afterAll(() => kernels.close());

  test('factors come back as they were given, whatever their size', () => {
    for (const size of [1, 7, 8, 12, 256]) {
      const values = Float32Array.from({ length: 5 * size }, (_, i) => i + 1);
      const factors = kernels.factors(5, size, values);
      expect(factors.stride % 8).toBe(0);
      expect(kernels.readFactors(factors)).toEqual(values);
      kernels.release(factors);
    }
    expect(() => kernels.factors(1, 257)).toThrow(RangeError);
  });

  test('a sparse matrix that the kernels could not read is refused', () => {
    const good = csrFromTriplets(2, 2, { row: [0, 1], col: [0, 1], value: [1, 0] });
    kernels.release(kernels.shareMatrix(good));
    const faults = [
      { ...good, cols: 1 },
      { ...good, rows: 3 },
      { ...good, indptr: Int32Array.of(0, 3, 2) },
      { ...good, indices: Int32Array.of(-1, 0) },
      { ...good, data: Float32Array.of(1, -1) },
      { ...good, data: Float32Array.of(Number.NaN, 1) },
      { ...good, data: Float32Array.of(1) },
    ];
    for (const fault of faults) expect(() => kernels.shareMatrix(fault)).toThrow(RangeError);
  });

  test('calls that are made at once run one after the other, and nothing of them stays in memory', async () => {
    const before = kernels.usedBytes();
    const factors = kernels.factors(600, 8, new Float32Array(4800).fill(1));
    const grams = await Promise.all(Array.from({ length: 5 }, () => kernels.gram(factors)));
    // 600 rows of ones.
    for (const gram of grams) expect(gram).toEqual(new Float32Array(64).fill(600));
    kernels.release(factors);
    expect(kernels.usedBytes()).toBe(before);
  });
});
