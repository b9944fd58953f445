import { expect, test } from 'vitest';
import { groupOf } from '../../src/scoring/churn-words.ts';

const say = (features: Record<string, number>) =>
  groupOf('categoryCount').say((name) => features[name] ?? 0, true);

test('a customer whose purchases carry no categories is told apart from one who buys nothing, with the cure', () => {
  expect(say({ purchaseCount: 4, categoryCount: 2 })).toBe('buys from 2 categories');
  expect(say({ purchaseCount: 4 })).toBe(
    'bought nothing whose category is known: is it missing in the catalogue?',
  );
  expect(say({})).toBe('has bought from no category yet');
});
