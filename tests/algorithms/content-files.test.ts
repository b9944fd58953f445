import { expect, test } from 'vitest';
import type { ContentModel } from '../../src/algorithms/content-factors.ts';
import { contentFromFiles, contentToFiles } from '../../src/algorithms/content-files.ts';

const model: ContentModel = {
  factors: 4,
  tokens: ['category:tea', 'word:green'],
  tokenIndex: new Map([
    ['category:tea', 0],
    ['word:green', 1],
  ]),
  idf: Float32Array.of(1, 2),
  weights: Float32Array.from({ length: 8 }, (_, k) => k),
  mean: Float32Array.of(0.1, 0.2, 0.3, 0.4),
  ridge: 3,
};

test('files hold the whole model, or none', () => {
  const { arrays, tables } = contentToFiles(model);
  expect(contentFromFiles(arrays, JSON.parse(JSON.stringify(tables)), 4)).toEqual(model);
  const none = contentToFiles(undefined);
  expect(contentFromFiles(none.arrays, none.tables, 4)).toBeUndefined();
});

test('files that do not fit together are refused', () => {
  const { arrays, tables } = contentToFiles(model);
  const refused = expect.objectContaining({ code: 'MODEL_UNAVAILABLE' });
  expect(() => contentFromFiles(arrays, tables, 8)).toThrow(refused);
  expect(() => contentFromFiles({ ...arrays, contentIdf: Float32Array.of(1) }, tables, 4)).toThrow(refused);
  expect(() => contentFromFiles(arrays, { content: { tokens: [] } }, 4)).toThrow(refused);
});
