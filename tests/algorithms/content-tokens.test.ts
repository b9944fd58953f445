import { expect, test } from 'vitest';
import { contentTokens } from '../../src/algorithms/content-tokens.ts';

test('category, brand and tags are whole, words are in lower case, each token comes once', () => {
  expect(
    contentTokens({
      category: 'Coffee & Tea',
      brand: 'Elm Street',
      name: 'GRÜNER Tee, 100 g',
      description: 'Tee of the first picking.',
      tags: ['Organic', 'organic'],
    }),
  ).toEqual([
    'category:Coffee & Tea',
    'brand:Elm Street',
    'tag:organic',
    'word:grüner',
    'word:tee',
    'word:100',
    'word:of',
    'word:the',
    'word:first',
    'word:picking',
  ]);
});

test('an item of which nothing is said has no tokens', () => {
  expect(contentTokens({ category: '', name: '' })).toEqual([]);
});
