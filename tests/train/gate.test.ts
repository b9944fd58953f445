import { expect, test } from 'vitest';
import { judge } from '../../src/train/gate.ts';

const recall = { metric: 'recall@10', candidate: 0.2, against: 'popularity', baseline: 0.1 };
const ndcg = { metric: 'NDCG@10', candidate: 0.3, against: 'popularity', baseline: 0.25 };

test('a candidate that beats every baseline passes, and the reason says by what', () => {
  expect(judge('model', [recall, ndcg])).toEqual({
    passed: true,
    reason: 'model: recall@10 0.2000 beats popularity (0.1000); NDCG@10 0.3000 beats popularity (0.2500)',
  });
});

test.each([
  ['worse', 0.2],
  ['no better', 0.25],
  ['not a number', Number.NaN],
])('one figure that is %s stops it', (_, candidate) => {
  const verdict = judge('model', [recall, { ...ndcg, candidate }]);
  expect(verdict.passed).toBe(false);
  expect(verdict.reason).toContain('does not beat popularity (0.2500)');
});

test('a gate that checks nothing is refused', () => {
  expect(() => judge('model', [])).toThrow(RangeError);
});
