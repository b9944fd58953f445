import { expect, test } from 'vitest';
import { z } from 'zod';
import { paramsOf, readParams } from '../../src/evaluation/params-file.ts';
import { temporaryFiles } from './support.ts';

const write = await temporaryFiles();
const knn = {
  name: 'knn',
  params: z.strictObject({ k: z.int().positive().default(50), shrinkage: z.number().default(5) }),
};

test('what the file leaves out has its default; a model that it does not name has all of them', async () => {
  const read = await readParams(await write('ok.json', '{"knn": {"k": 7}}'), [knn]);
  expect(paramsOf(knn, read)).toEqual({ k: 7, shrinkage: 5 });
  expect(paramsOf(knn, {})).toEqual({ k: 50, shrinkage: 5 });
});

test.each([
  ['{"knn": {"k": 7, "deep": 1}}', /knn: has no "deep"/],
  ['{"knn": {"k": "many"}}', /knn.k: must be a whole number, not a text/],
  ['{"nn": {}}', /no model nn in this protocol; there are knn/],
  ['{"knn": 7}', /not of the form/],
  ['knn', /is no JSON/],
])('%s is refused', async (text, message) => {
  await expect(readParams(await write('wrong.json', text), [knn])).rejects.toThrow(message);
});

test('a missing file is a sentence with its cure', async () => {
  await expect(readParams('/nowhere.json', [knn])).rejects.toThrow(
    '/nowhere.json cannot be read: there is no such file.',
  );
});
