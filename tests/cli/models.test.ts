import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../src/features/registry.ts';
import { newModelVersion, publishModel } from '../../src/infra/model-store.ts';
import { currentVersion } from '../../src/infra/served-versions.ts';
import { sandbox } from '../support/nextbest.ts';

const place = await sandbox();
const [first, second, refused] = [1, 2, 3].map((n) => newModelVersion(Date.UTC(2026, 0, n), () => 0.5)) as [
  string,
  string,
  string,
];

beforeAll(async () => {
  for (const version of [first, second, refused]) {
    const passed = version !== refused;
    await publishModel(
      place.modelsDir,
      {
        name: 'churn',
        version,
        createdAt: '2026-01-01T00:00:00.000Z',
        featureSchema: FEATURE_SCHEMA,
        dataRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
        parameters: {},
        metrics: { auc: 0.8 },
        backend: 'tfjs-wasm',
        gate: { passed, reason: passed ? 'AUC beats' : 'AUC does not beat' },
      },
      { mean: Float32Array.of(1) },
      {},
    );
  }
});

async function lines(...args: string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stdout, stderr } = await place.run([...args, '--json']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('list: a line a version, newest first, with its verdict and which one is served', async () => {
  const models = await lines('models', 'list');
  expect(models.map(({ version, current }) => [version, current])).toEqual([
    [refused, false],
    [second, true],
    [first, false],
  ]);
  expect(models[0]).toMatchObject({ name: 'churn', gate: { passed: false }, metrics: { auc: 0.8 } });
  const { stdout, stderr } = await place.run(['models']);
  expect(stderr).toBe('');
  expect(stdout).toContain(`* churn         ${second}  AUC beats`);
});

test('promote serves the version; rollback serves the one before', async () => {
  expect(await lines('models', 'promote', 'churn', first)).toMatchObject([{ version: first, current: true }]);
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(first);
  expect(await lines('models', 'rollback', 'churn')).toMatchObject([{ version: second }]);
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(second);
});

test('promoting what did not pass its gate is done, and said', async () => {
  const { exitCode, stdout } = await place.run(['models', 'promote', 'churn', refused]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('It did not pass its gate.');
  await lines('models', 'rollback', 'churn');
});

test('a damaged version is not promoted: exit code 1 and the file', async () => {
  const path = join(place.modelsDir, 'churn', first, 'mean.bin');
  await writeFile(path, 'xxxx');
  const { exitCode, stderr } = await place.run(['models', 'promote', 'churn', first]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(path);
  expect(await currentVersion(place.modelsDir, 'churn')).toBe(second);
});

test.each([
  [
    ['models', 'promote', 'churn', '../../etc'],
    'is not a version such as 20261123T101500Z-1a2b3c4d: `nextbest models list` shows them.',
  ],
  [['models', 'promote', 'churn', '20200101T000000Z-00000000'], 'There is no churn model'],
  [['models', 'promote', 'weather', '20200101T000000Z-00000000'], 'models are collaborative, churn'],
  [['models', 'rollback', 'weather'], 'models are collaborative, churn'],
  [['models', 'rollback'], "missing required argument 'name'"],
  [['models', 'drop'], ''],
])('%j is wrong usage', async (args, message) => {
  const { exitCode, stdout, stderr } = await place.run(args);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});

test('import: without purchases there is nothing to fit the rest to, and it says so', async () => {
  const file = join(place.dataDir, '../factors.csv');
  await writeFile(file, 'itemId,factors\na,"[1,2]"\n');
  const { exitCode, stderr } = await place.run(['models', 'import', file]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('import them first');
  expect((await place.run(['models', 'import', file, '--alpha', '0'])).stderr).toContain('above 0');
});
