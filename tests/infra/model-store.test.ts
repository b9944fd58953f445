import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import {
  listModels,
  loadModel,
  loadServableModel,
  type ModelDraft,
  newModelVersion,
  promoteModel,
  publishModel,
  rollbackModel,
  watchModels,
} from '../../src/infra/model-store.ts';
import { currentVersion } from '../../src/infra/served-versions.ts';
import { keepTrialVersions } from '../../src/infra/trial-versions.ts';
import { eventually } from '../support/eventually.ts';

let modelsDir: string;
beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'nextbest-models-'));
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

/** Version number `n`: a second later than the one before it. */
function version(n: number): string {
  return newModelVersion(Date.UTC(2026, 0, 1, 0, 0, n), () => 0.5);
}

/** Of the features that this build reads. */
const features = '0a1b2c3d';

function draft(n: number, passed = true): ModelDraft {
  return {
    name: 'churn',
    version: version(n),
    createdAt: '2026-01-01T00:00:00.000Z',
    featureSchema: features,
    dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
    parameters: { horizonDays: 60 },
    metrics: { auc: 0.8 },
    backend: 'wasm-simd',
    gate: { passed, reason: passed ? 'better' : 'not better' },
  };
}

const arrays = { weights: Float32Array.of(0.5, -1.25, 3), indptr: Int32Array.of(0, 2, 3) };
const tables = { features: ['a', 'b'] };

function publish(n: number, passed = true) {
  return publishModel(modelsDir, draft(n, passed), arrays, tables);
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const err = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(err).toBeInstanceOf(AppError);
  return err as AppError;
}

test('a version names its second and its tail', () => {
  expect(newModelVersion(Date.UTC(2026, 10, 23, 10, 15, 0), () => 0x1a2b3c4d / 2 ** 32)).toBe(
    '20261123T101500Z-1a2b3c4d',
  );
});

test('a published model comes back as it was, to the bit', async () => {
  const views = { ...arrays, odd: new Uint8Array(Uint8Array.of(9, 8, 7, 6).buffer, 1, 2) };
  const manifest = await publishModel(modelsDir, draft(1), views, tables);
  const loaded = await loadModel(modelsDir, 'churn');
  expect(loaded.arrays).toEqual({ ...arrays, odd: Uint8Array.of(8, 7) });
  expect(loaded.tables).toEqual(tables);
  expect(loaded.manifest).toEqual(manifest);
  expect(loaded.manifest.files.map(({ file, bytes }) => [file, bytes])).toEqual([
    ['weights.bin', 3 * 4],
    ['indptr.bin', 3 * 4],
    ['odd.bin', 2],
    ['features.json', '["a","b"]'.length],
  ]);
});

test('a model that did not pass its gate is kept, not served', async () => {
  await publish(1);
  await publish(2, false);
  expect(await currentVersion(modelsDir, 'churn')).toBe(version(1));
  expect((await listModels(modelsDir)).map(({ manifest, current }) => [manifest.version, current])).toEqual([
    [version(2), false],
    [version(1), true],
  ]);
});

describe('damage', () => {
  test.each([
    ['weights.bin', (bytes: Buffer) => bytes.with(5, (bytes[5] ?? 0) ^ 1)],
    ['weights.bin', (bytes: Buffer) => bytes.subarray(0, 8)],
    ['features.json', () => '["a","c"]'],
    ['manifest.json', () => '{}'],
    ['manifest.json', (bytes: Buffer) => bytes.toString().replaceAll(version(1), version(9))],
  ])('of one byte of %s is refused, naming the file', async (file, damage) => {
    await publish(1);
    const path = join(modelsDir, 'churn', version(1), file);
    await writeFile(path, damage(await readFile(path)));
    const err = await failure(loadModel(modelsDir, 'churn'));
    expect(err.code).toBe('MODEL_UNAVAILABLE');
    expect(err.message).toContain(path);
  });

  test('a file that is gone is refused, naming it', async () => {
    await publish(1);
    const path = join(modelsDir, 'churn', version(1), 'indptr.bin');
    await rm(path);
    const err = await failure(loadModel(modelsDir, 'churn'));
    expect(err.code).toBe('MODEL_UNAVAILABLE');
    expect(err.message).toContain(path);
  });

  test('of the current version leaves the one served before it to serve', async () => {
    await publish(1);
    await publish(2);
    await writeFile(join(modelsDir, 'churn', version(2), 'weights.bin'), 'x');
    const refused: string[] = [];
    const loaded = await loadServableModel(modelsDir, 'churn', (damaged) => refused.push(damaged));
    expect(loaded?.manifest.version).toBe(version(1));
    expect(refused).toEqual([version(2)]);
  });

  test.each(['', 'torn', '\u0000\n'])(
    'of CURRENT (%j) is told, and healed by what is served next',
    async (text) => {
      await publish(1);
      await publish(2, false);
      const path = join(modelsDir, 'churn', 'CURRENT');
      await writeFile(path, text);
      const err = await failure(loadServableModel(modelsDir, 'churn', () => {}));
      expect(err.message).toMatch(/CURRENT names no version; put one there: nextbest models promote churn/);
      expect((await listModels(modelsDir)).map(({ current }) => current)).toEqual([false, false]);
      await publish(3, false);
      await promoteModel(modelsDir, 'churn', version(1), features);
      expect(await currentVersion(modelsDir, 'churn')).toBe(version(1));
      await writeFile(path, text);
      await publish(4);
      expect(await currentVersion(modelsDir, 'churn')).toBe(version(4));
    },
  );

  test('keeps a version from being promoted', async () => {
    await publish(1);
    await publish(2, false);
    await writeFile(join(modelsDir, 'churn', version(2), 'weights.bin'), 'x');
    expect((await failure(promoteModel(modelsDir, 'churn', version(2), features))).code).toBe(
      'MODEL_UNAVAILABLE',
    );
    expect(await currentVersion(modelsDir, 'churn')).toBe(version(1));
  });
});

test('a version that reads other features is neither promoted nor rolled back to, one that reads none is', async () => {
  const { featureSchema: _, ...rest } = draft(1);
  for (const [n, featureSchema] of [null, 'of-another-build', features].entries())
    await publishModel(modelsDir, { ...rest, version: version(n), featureSchema }, arrays, tables);
  const refused = await failure(promoteModel(modelsDir, 'churn', version(1), features));
  expect([refused.code, refused.public]).toEqual([
    'CONFLICT',
    expect.stringMatching(/of-another-build.*train/),
  ]);
  expect(await currentVersion(modelsDir, 'churn')).toBe(version(2));
  expect((await rollbackModel(modelsDir, 'churn', features)).version).toBe(version(0));
  await promoteModel(modelsDir, 'churn', version(0), features);
});

test('a publish that fails before its rename leaves nothing to be seen', async () => {
  await publish(1);
  const broken = { ...arrays, 'no/such/name': Float32Array.of(1) };
  await expect(publishModel(modelsDir, draft(2), broken, tables)).rejects.toThrow();
  // What a process killed in the middle of writing leaves behind: a folder of another name.
  const half = join(modelsDir, 'churn', `${version(3)}.1-1.tmp`);
  await writeFile(half, '');
  expect((await listModels(modelsDir)).map(({ manifest }) => manifest.version)).toEqual([version(1)]);
  expect(await currentVersion(modelsDir, 'churn')).toBe(version(1));
  expect((await failure(promoteModel(modelsDir, 'churn', version(3), features))).code).toBe('NOT_FOUND');

  await utimes(half, new Date(0), new Date(0));
  await publish(4);
  await expect(stat(half)).rejects.toThrow('ENOENT');
});

test('a version is never written over', async () => {
  await publish(1);
  expect((await failure(publish(1))).code).toBe('CONFLICT');
});

describe('rollback', () => {
  test('returns to what was served before, one step each time', async () => {
    for (const n of [1, 2, 3]) await publish(n);
    await promoteModel(modelsDir, 'churn', version(1), features);
    expect((await rollbackModel(modelsDir, 'churn', features)).version).toBe(version(3));
    expect((await rollbackModel(modelsDir, 'churn', features)).version).toBe(version(2));
    expect(await currentVersion(modelsDir, 'churn')).toBe(version(2));
    expect((await failure(rollbackModel(modelsDir, 'churn', features))).code).toBe('CONFLICT');
  });

  test('does not return to a version that was rolled back from', async () => {
    for (const n of [1, 2]) await publish(n);
    await rollbackModel(modelsDir, 'churn', features);
    await publish(3);
    expect((await rollbackModel(modelsDir, 'churn', features)).version).toBe(version(1));
  });

  test('passes over a damaged version', async () => {
    for (const n of [1, 2, 3]) await publish(n);
    await writeFile(join(modelsDir, 'churn', version(2), 'weights.bin'), 'x');
    expect((await rollbackModel(modelsDir, 'churn', features)).version).toBe(version(1));
  });

  test('with nothing served is refused', async () => {
    expect((await failure(rollbackModel(modelsDir, 'churn', features))).code).toBe('CONFLICT');
  });
});

test('old versions go, the served one and those a rollback needs stay', async () => {
  await publish(0);
  for (let n = 1; n <= 9; n++) await publish(n, false);
  const folders = (await readdir(join(modelsDir, 'churn'))).filter((name) => name !== 'CURRENT').sort();
  expect(folders).toEqual([0, 5, 6, 7, 8, 9].map(version));
  for (let n = 10; n <= 19; n++) await publish(n);
  expect((await listModels(modelsDir)).map(({ manifest }) => manifest.version)).toEqual(
    [19, 18, 17, 16, 15].map(version),
  );
});

test('what an experiment tries stays until it is no longer tried', async () => {
  await publish(0);
  await publish(1, false);
  await keepTrialVersions(modelsDir, 'churn', [version(1)]);
  const folders = async () => (await listModels(modelsDir)).map(({ manifest }) => manifest.version).sort();
  for (let n = 2; n <= 9; n++) await publish(n, false);
  expect(await folders()).toEqual([0, 1, 5, 6, 7, 8, 9].map(version));
  await keepTrialVersions(modelsDir, 'churn', []);
  await publish(10, false);
  expect(await folders()).toEqual([0, 6, 7, 8, 9, 10].map(version));
});

test('names and versions cannot leave the models folder', async () => {
  const outside = '../../etc' as never;
  await expect(loadModel(modelsDir, 'churn', outside)).rejects.toThrow('must ');
  await expect(loadModel(modelsDir, outside)).rejects.toThrow('must ');
  await expect(promoteModel(modelsDir, 'churn', outside, features)).rejects.toThrow('must ');
  await expect(rollbackModel(modelsDir, outside, features)).rejects.toThrow('must ');
  await expect(publishModel(modelsDir, { ...draft(1), version: outside }, {}, {})).rejects.toThrow('must ');
  await publish(1);
  await writeFile(join(modelsDir, 'churn', 'CURRENT'), '../../etc\n');
  await expect(currentVersion(modelsDir, 'churn')).rejects.toThrow('names no version');
});

test('a watcher hears of the served version, of each new one, and of nothing once stopped', async () => {
  await publish(1);
  const heard: string[] = [];
  const stop = watchModels(modelsDir, (name, served) => heard.push(`${name} ${served}`), 5);
  await eventually(() => expect(heard).toEqual([`churn ${version(1)}`]));
  await publish(2, false);
  await publish(3);
  await eventually(() => expect(heard).toEqual([`churn ${version(1)}`, `churn ${version(3)}`]));
  stop();
  await publish(4);
  // Another watcher has seen the change: the stopped one would have, too.
  const other: string[] = [];
  const stopOther = watchModels(modelsDir, (_, served) => other.push(served), 5);
  await eventually(() => expect(other).toEqual([version(4)]));
  stopOther();
  expect(heard).toHaveLength(2);
});
