import { expect, test } from 'vitest';
import { reasonOf, withoutRepeats } from '../../../src/serve/recommend/reasons.ts';

test('two sources that mean the same are one reason, the stronger; other items make other reasons', () => {
  const everybody = { segment: '' };
  const said = withoutRepeats([
    reasonOf('customers', everybody, String),
    reasonOf('neighbours', { ...everybody, because: 'tea' }, String),
    reasonOf('ials', everybody, String),
    reasonOf('ease', { ...everybody, because: 'tea' }, String),
    reasonOf('neighbours', { ...everybody, because: 'milk' }, String),
  ]);
  expect(said.map(({ code, itemId }) => [code, itemId])).toEqual([
    ['peopleLikeYou', undefined],
    ['alsoBought', 'tea'],
    ['alsoBought', 'milk'],
  ]);
  expect(said[0]?.text).toBe('people who shop as you do buy it');
});
