import { expect, test } from 'vitest';
import { collaborativeFromFiles, collaborativeToFiles } from '../../../src/algorithms/collaborative-model.ts';
import { RANKER_FEATURES } from '../../../src/algorithms/ranker/features.ts';
import type { Ranker } from '../../../src/algorithms/ranker/ranker.ts';
import { linearRanker, shopModel } from '../../support/shop-models.ts';

const width = RANKER_FEATURES.length;
const linear = linearRanker({ ialsScore: 1 }, { own: 2 });
const network: Ranker = {
  ...linear,
  kind: 'network',
  layers: [
    {
      inputs: width,
      outputs: 3,
      weights: new Float32Array(width * 3).fill(0.5),
      bias: Float32Array.of(1, 2, 3),
    },
    { inputs: 3, outputs: 1, weights: Float32Array.of(4, 5, 6), bias: Float32Array.of(7) },
  ],
};

test.each([
  ['linear', linear],
  ['network', network],
])('a %s ranker comes back as it went', (_, ranker) => {
  const { arrays, tables } = collaborativeToFiles({ ...shopModel(), ranker });
  const back = collaborativeFromFiles(arrays, tables).ranker!;
  expect(back.kind).toBe(ranker.kind);
  expect(back.mean).toEqual(ranker.mean);
  if (ranker.kind === 'linear') expect(back).toMatchObject({ weights: ranker.weights });
  else expect(back).toMatchObject({ layers: ranker.layers });
});

test('a ranker of other features is left out: its model still serves, by rank fusion', () => {
  const { arrays, tables } = collaborativeToFiles({ ...shopModel(), ranker: linear });
  const older = { ...tables, ranker: { ...(tables.ranker as object), features: ['ialsScore'] } };
  const model = collaborativeFromFiles(arrays, older);
  expect(model.ranker).toBeUndefined();
  expect(model.itemIds).toHaveLength(20);
});

test('a network whose weights do not fit is refused', () => {
  const { arrays, tables } = collaborativeToFiles({ ...shopModel(), ranker: network });
  expect(() => collaborativeFromFiles({ ...arrays, rankerWeights: new Float32Array(3) }, tables)).toThrow();
  expect(() =>
    collaborativeFromFiles(arrays, { ...tables, ranker: { ...(tables.ranker as object), widths: [2, 1] } }),
  ).toThrow();
});
