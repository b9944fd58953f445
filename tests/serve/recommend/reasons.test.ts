import { expect, test } from 'vitest';
import { reasonsOf } from '../../../src/serve/recommend/reasons.ts';
import type { Source } from '../../../src/serve/recommend/scenarios.ts';

const voice = (source: Source, share: number, because?: string) => ({
  source,
  share,
  evidence: { segment: '', because },
});

test('two sources that mean the same are one reason, the stronger; other items make other reasons', () => {
  const voices = [
    voice('customers', 5),
    voice('neighbours', 4, 'tea'),
    voice('ials', 3),
    voice('ease', 2, 'tea'),
    voice('neighbours', 1, 'milk'),
  ];
  const said = reasonsOf(voices, String, '');
  expect(said.map(({ code, itemId }) => [code, itemId])).toEqual([
    ['peopleLikeYou', undefined],
    ['alsoBought', 'tea'],
    ['alsoBought', 'milk'],
  ]);
  expect(said[0]?.text).toBe('people who shop as you do buy it');
});

test('at most three reasons, none of a source that hardly spoke', () => {
  const loud = ['tea', 'milk', 'mug', 'pot'].map((itemId) => voice('neighbours', 1, itemId));
  expect(reasonsOf(loud, String, '').map(({ itemId }) => itemId)).toEqual(['tea', 'milk', 'mug']);
  expect(reasonsOf([voice('ials', 1), voice('popularity', 0.09)], String, '')).toHaveLength(1);
});
