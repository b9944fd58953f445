import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openTrialStore } from '../../../src/evaluation/search/trial-store.ts';

const folder = await mkdtemp(join(tmpdir(), 'nextbest-trials-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
const subject = { protocol: 'full-ranking', bytes: 12, seed: 1 };
const trial = (k: number, quality: number | null) => ({ params: { k }, quality, seconds: 2 });

test('trials are found again, and the best of each model is written for `evaluate --params`', async () => {
  const out = join(folder, 'params.json');
  const store = await openTrialStore(out, subject);
  expect(store.trialsOf('knn')).toEqual([]);
  await store.keep('knn', [trial(1, 0.2), trial(2, 0.3), { ...trial(3, null), fault: 'too small' }]);
  await store.keep('other', [trial(9, null)]);
  // A model of which every trial failed has nothing to write.
  expect(JSON.parse(await readFile(out, 'utf8'))).toEqual({ knn: { k: 2 } });
  const again = await openTrialStore(out, subject);
  expect(again.trialsOf('knn')).toHaveLength(3);
  expect(again.bestOf('knn')?.params).toEqual({ k: 2 });
});

test('trials of another search, and a file that holds none, are refused with the cure', async () => {
  const out = join(folder, 'elsewhere.json');
  await (await openTrialStore(out, subject)).keep('knn', [trial(1, 0.2)]);
  await expect(openTrialStore(out, { ...subject, seed: 2 })).rejects.toThrow(
    /another search: seed was 1 and is 2. Name another --out, or delete the file to begin anew/,
  );
  await writeFile(`${join(folder, 'broken.json')}.trials.json`, '{"subject":');
  await expect(openTrialStore(join(folder, 'broken.json'), subject)).rejects.toThrow(
    /is no JSON.*Name another --out/,
  );
});

test('of two searches on one file the later to write ends, and nothing of the other is lost', async () => {
  const out = join(folder, 'shared.json');
  const [one, other] = [await openTrialStore(out, subject), await openTrialStore(out, subject)];
  await one.keep('knn', [trial(1, 0.2)]);
  await expect(other.keep('ials', [trial(2, 0.9)])).rejects.toThrow(
    /Another search writes to .*another --out/,
  );
  await one.keep('knn', [trial(1, 0.2), trial(2, 0.3)]);
  expect((await openTrialStore(out, subject)).trialsOf('knn')).toHaveLength(2);
});

test('where nothing can be written, that is said before the first trial', async () => {
  await expect(openTrialStore(folder, subject)).rejects.toThrow(/cannot be written: it is a folder/);
  await expect(openTrialStore(join(folder, 'no-such', 'out.json'), subject)).rejects.toThrow(
    /cannot be written: .*Name another --out/,
  );
});
