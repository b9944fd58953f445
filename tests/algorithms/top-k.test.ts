import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topK } from '../../src/algorithms/top-k.ts';

const scoreList = fc.array(
  fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constant(Number.NaN), fc.constant(Number.NEGATIVE_INFINITY)),
  { maxLength: 60 },
);

const anyBar = fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined });

test('topK is the start of a full sort by score, then index, of what is finite, allowed and above the bar', () => {
  fc.assert(
    fc.property(scoreList, fc.nat(70), fc.integer({ min: 1, max: 4 }), anyBar, (list, k, step, above) => {
      const scores = Float32Array.from(list);
      const allowed = (i: number) => i % step === 0;
      const expected = [...scores.keys()]
        .filter((i) => Number.isFinite(scores[i]!) && allowed(i) && scores[i]! > (above ?? -6))
        .sort((a, b) => scores[b]! - scores[a]! || a - b)
        .slice(0, k);
      const ranked = topK(scores, k, allowed, above);
      expect([...ranked.indices]).toEqual(expected);
      expect([...ranked.scores]).toEqual(expected.map((i) => scores[i]!));
    }),
    { numRuns: 500 },
  );
});

test('fewer than k are returned when no more can be ranked, none for k = 0', () => {
  expect([...topK(Float32Array.of(3, 1, 2), 10).indices]).toEqual([0, 2, 1]);
  expect(topK(Float32Array.of(3, 1, 2), 0).indices).toHaveLength(0);
  expect(topK(new Float32Array(0), 5).indices).toHaveLength(0);
});
