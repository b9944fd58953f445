import { describe, expect, test } from 'vitest';
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

test('what failed is told first, a loss says which way is better, and figures that differ never read the same', () => {
  const auc = { metric: 'AUC', candidate: 0.5, against: 'recency alone', baseline: 0.41 };
  const loss = {
    metric: 'log loss',
    lowerIsBetter: true,
    candidate: 0.49764,
    against: 'the base rate',
    baseline: 0.49761,
  };
  expect(judge('churn', [auc, loss])).toEqual({
    passed: false,
    reason:
      'churn: log loss 0.49764 does not beat the base rate (0.49761, lower is better), though AUC 0.5000 beats recency alone (0.4100)',
  });
  expect(judge('churn', [{ ...loss, candidate: loss.baseline }], ['a remark']).reason).toBe(
    'churn: log loss 0.4976 does not beat the base rate (0.4976, lower is better); a remark',
  );
  expect(judge('churn', [{ ...loss, candidate: 0.4 }, auc], ['a remark']).reason).toBe(
    'churn: log loss 0.4000 beats the base rate (0.4976, lower is better); AUC 0.5000 beats recency alone (0.4100); a remark',
  );
});

test('a gate that checks nothing is refused', () => {
  expect(() => judge('model', [])).toThrow(RangeError);
});

describe('with an interval of the difference', () => {
  const interval = (lower: number, upper: number) => ({ mean: (lower + upper) / 2, lower, upper });

  test('better is only what is better beyond doubt', () => {
    const sure = judge('model', [{ ...recall, difference: interval(0.05, 0.15) }]);
    expect(sure).toEqual({
      passed: true,
      reason: 'model: recall@10 0.2000 beats popularity (0.1000, +0.1000, 95 % +0.0500 to +0.1500)',
    });
    const doubtful = judge('model', [{ ...recall, difference: interval(-0.01, 0.21) }]);
    expect(doubtful.passed).toBe(false);
    expect(doubtful.reason).toContain('does not beat popularity (0.1000, +0.1000, 95 % −0.0100 to +0.2100)');
  });

  test('a champion is not lost to by chance, but beyond doubt', () => {
    const champion = { ...recall, against: 'the served version', rule: 'notBelow' as const };
    const level = judge('model', [{ ...champion, difference: interval(-0.03, 0.01) }]);
    expect(level.passed).toBe(true);
    expect(level.reason).toContain('is level with the served version');
    const worse = judge('model', [{ ...champion, difference: interval(-0.03, -0.01) }]);
    expect(worse.passed).toBe(false);
    expect(worse.reason).toContain('is worse than the served version');
    expect(judge('model', [{ ...champion, difference: interval(Number.NaN, Number.NaN) }]).passed).toBe(
      false,
    );
  });

  test('what is only told decides nothing, and remarks follow', () => {
    const told = { ...ndcg, rule: 'none' as const, difference: interval(-0.2, -0.1) };
    const verdict = judge('model', [recall, told], ['nothing is served yet']);
    expect(verdict.passed).toBe(true);
    expect(verdict.reason).toMatch(/is worse than popularity .*; nothing is served yet$/);
    expect(() => judge('model', [told])).toThrow(RangeError);
  });
});
