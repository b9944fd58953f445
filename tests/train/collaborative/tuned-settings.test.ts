import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { defaultSettings } from '../../../src/train/collaborative/settings.ts';
import {
  readTunedSettings,
  settingsOf,
  tunedPath,
  tuningDir,
} from '../../../src/train/collaborative/tuned-settings.ts';

async function dataDirWith(files: Readonly<Record<number, unknown>>): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'nextbest-tuned-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  await mkdir(tuningDir(dataDir));
  for (const [until, content] of Object.entries(files))
    await writeFile(tunedPath(dataDir, Number(until)), JSON.stringify(content));
  return dataDir;
}

test('the newest search that saw nothing of the test counts', async () => {
  const dataDir = await dataDirWith({
    1000: { collaborative: { habitHalfLifeDays: 1 } },
    2000: { collaborative: { habitHalfLifeDays: 2, 'ials.factors': 32 } },
    3000: { collaborative: { habitHalfLifeDays: 3 } },
  });
  expect(await readTunedSettings(dataDir, 2500)).toEqual({
    ...defaultSettings,
    habitHalfLifeDays: 2,
    ials: { ...defaultSettings.ials, factors: 32 },
  });
  expect((await readTunedSettings(dataDir, 2000))?.habitHalfLifeDays).toBe(2);
  expect(await readTunedSettings(dataDir, 999)).toBeUndefined();
});

test('nothing tuned is nothing found', async () => {
  expect(await readTunedSettings('/nowhere', 1000)).toBeUndefined();
});

test('names and values that are none are refused, with the file and the cure', async () => {
  expect(() => settingsOf({ 'ials.colour': 1 })).toThrow('there is no setting colour');
  expect(() => settingsOf({ 'ials.factors': -1 })).toThrow();
  const dataDir = await dataDirWith({ 1000: { collaborative: { 'ials.factors': 'many' } } });
  await expect(readTunedSettings(dataDir, 2000)).rejects.toThrow(/collaborative-0*1000\.json .*Delete it/s);
});
