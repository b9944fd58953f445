import { expect, test } from 'vitest';
import { Item } from '../../../src/domain/item.ts';
import { Scenario } from '../../../src/serve/recommend/scenarios.ts';
import { unmatchedRules } from '../../../src/serve/recommend/unmatched-rules.ts';

const items = new Map(
  [
    { itemId: 'i1', category: 'tea', brand: 'Elm' },
    { itemId: 'i2', category: 'coffee' },
  ].map((item) => [item.itemId, Item.parse(item)] as const),
);

test('names that no item has are told by scenario and rule, each once; those that one has are not', () => {
  const home = Scenario.parse({
    learned: 1,
    boosts: [
      { categories: ['tea', 'teas'], factor: 2 },
      { brands: ['Elm', 'Oak'], categories: ['teas'], factor: 2 },
      { minMarginShare: 0.3, factor: 2 },
    ],
    exclude: { categories: ['coffee'], itemIds: ['i1', 'i9'] },
    pins: [{ itemId: 'i2', position: 1 }],
  });
  const till = Scenario.parse({ learned: 1, pins: [{ itemId: 'i8', position: 1 }] });
  expect(unmatchedRules(new Map(Object.entries({ home, till })), items)).toEqual([
    { scenario: 'home', rule: 'boosts', names: ['teas', 'Oak'] },
    { scenario: 'home', rule: 'exclude', names: ['i9'] },
    { scenario: 'till', rule: 'pins', names: ['i8'] },
  ]);
});

test('an empty catalogue lacks nothing yet', () => {
  const home = Scenario.parse({ learned: 1, pins: [{ itemId: 'i8', position: 1 }] });
  expect(unmatchedRules(new Map([['home', home]]), new Map())).toEqual([]);
});
