import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mostPopular } from '../../src/algorithms/most-popular.ts';
import { topK } from '../../src/algorithms/top-k.ts';
import { shopModel } from '../support/shop-models.ts';

/** Shares of many items, of which some never sold and many sold alike. */
function popularModel(items: number, seed: number) {
  const share = (item: number) => ((item * 2_654_435_761 + seed) >>> 0) % 7;
  return {
    ...shopModel(),
    itemIds: Array.from({ length: items }, (_, item) => `i${item}`),
    segments: ['', 'NO'],
    popularity: Float32Array.from({ length: 2 * items }, (_, at) => share(at)),
    // As a scan has them: in an order of its own.
    scanOrder: Int32Array.from({ length: items }, (_, place) => items - 1 - place),
  };
}

test('those of the highest shares of the segment, whether few or many are looked at', () => {
  const cases = fc.record({
    items: fc.integer({ min: 1, max: 400 }),
    k: fc.integer({ min: 0, max: 30 }),
    every: fc.constantFrom(1, 2, 7, 60),
    segment: fc.constantFrom('', 'NO', 'unknown'),
    unsold: fc.boolean(),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(cases, ({ items, k, every, segment, unsold, seed }) => {
      const model = popularModel(items, seed);
      const allowed = (item: number) => item % every === 0 && item % 11 !== 3;
      const from = segment === 'NO' ? items : 0;
      const shares = model.popularity.subarray(from, from + items);
      const expected = topK(shares, k, allowed, unsold ? undefined : 0);
      expect(mostPopular(model, segment, k, { allowed, unsold })).toEqual(expected);
      const places = [...model.scanOrder.keys()].filter((at) => model.scanOrder[at]! % every === 0);
      const among = Int32Array.from(places);
      expect(mostPopular(model, segment, k, { allowed, unsold, among })).toEqual(expected);
    }),
  );
});

test('of a small part, no more than that is gone through', () => {
  const model = popularModel(400, 1);
  const asked: number[] = [];
  const allowed = (item: number) => asked.push(item) > 0 && item === 399;
  expect([
    ...mostPopular(model, '', 5, { allowed, among: Int32Array.of(0, 4, 9), unsold: true }).indices,
  ]).toEqual([399]);
  expect(asked.length).toBeLessThanOrEqual(3);
});

test('of many, those beyond the first are found as well', () => {
  const model = popularModel(20_000, 3);
  const shares = model.popularity.subarray(0, 20_000);
  for (const allowed of [(item: number) => item % 2000 === 7, (item: number) => shares[item] === 1]) {
    const expected = topK(shares, 25, allowed, 0);
    expect(mostPopular(model, '', 25, { allowed })).toEqual(expected);
    expect(mostPopular(model, '', 25, { allowed })).toEqual(expected);
  }
  expect(mostPopular(model, '', 20_000)).toEqual(topK(shares, 20_000, undefined, 0));
});
