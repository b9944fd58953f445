import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kernels } from '../../../src/algorithms/kernels/kernels.ts';
import { mlpLogit } from '../../../src/algorithms/mlp.ts';
import { createRng } from '../../../src/algorithms/rng.ts';
import { openKernels, VARIANTS } from './support.ts';

/** Whole numbers, whose sums are exact in single precision: biases first, so that units are on and off. */
function wholeLayers(sizes: readonly number[], seed: number) {
  const rng = createRng(seed);
  const whole = (length: number) => Float32Array.from({ length }, () => rng.nextInt(5) - 2);
  return sizes.slice(1).map((outputs, l) => {
    const inputs = sizes[l]!;
    return { inputs, outputs, weights: whole(inputs * outputs), bias: whole(outputs) };
  });
}

const networks = fc.record({
  sizes: fc
    .array(fc.integer({ min: 1, max: 37 }), { minLength: 1, maxLength: 3 })
    .map((sizes) => [...sizes, 1]),
  count: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(127, 128, 129, 300)),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe.each(VARIANTS)('%s, %i threads', (build, threads) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await openKernels(build, threads);
  });
  afterAll(() => kernels.close());

  test('a network gives each row what the plain forward pass gives it, and writes no further', () => {
    fc.assert(
      fc.property(networks, ({ sizes, count, seed }) => {
        const layers = wholeLayers(sizes, seed);
        const width = sizes[0]!;
        const rng = createRng(seed, 'rows');
        const rows = Float32Array.from({ length: (count + 1) * width }, () => rng.nextInt(3) - 1);
        const out = new Float32Array(count + 1).fill(Number.NaN);
        kernels.network(layers)(rows, count, out);
        for (let r = 0; r < count; r++)
          expect(out[r]).toBe(mlpLogit(layers, rows.slice(r * width, (r + 1) * width)));
        expect(out[count]).toBeNaN();
      }),
      { numRuns: 60 },
    );
  });

  test('what is no network, and too few values, are refused', () => {
    const [first, second] = wholeLayers([3, 4, 1], 1);
    expect(() => kernels.network([first!])).toThrow('ends in one output');
    expect(() => kernels.network([])).toThrow('ends in one output');
    expect(() => kernels.network([{ ...first!, outputs: 5 }, second!])).toThrow(RangeError);
    const score = kernels.network([first!, second!]);
    expect(() => score(new Float32Array(5), 2, new Float32Array(2))).toThrow('5 values for 2 rows of 3');
  });
});
